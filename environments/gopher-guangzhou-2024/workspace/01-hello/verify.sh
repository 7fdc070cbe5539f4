#!/bin/sh
# Says whether lab 01 is done.
set -eu
cd "$(dirname "$0")"
found=$(go run .)
if [ "$found" = "你好，广州！" ]; then
    echo "01: 完成 · done"
else
    echo "01: 期望 · expected: 你好，广州！ — 实际 · found: $found" >&2
    exit 1
fi
