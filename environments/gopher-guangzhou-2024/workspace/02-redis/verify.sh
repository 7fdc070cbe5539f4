#!/bin/sh
# Says whether lab 02 is done.
set -eu
cd "$(dirname "$0")"
found=$(go run .)
if [ "$found" = "PONG" ]; then
    echo "02: 完成 · done"
else
    echo "02: 期望 · expected: PONG — 实际 · found: $found" >&2
    exit 1
fi
