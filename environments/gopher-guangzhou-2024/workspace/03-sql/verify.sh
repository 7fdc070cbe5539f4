#!/bin/sh
# Says whether lab 03 is done. psql finds the database by PGHOST, PGUSER and PGPASSWORD.
set -eu
cd "$(dirname "$0")"
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file seed.sql >/dev/null 2>&1
found=$(psql --no-psqlrc --set ON_ERROR_STOP=1 --tuples-only --no-align --file answer.sql)
expected='Guangzhou|3
Shenzhen|2
Foshan|1'
if [ "$found" = "$expected" ]; then
    echo "03: 完成 · done"
else
    printf '03: 期望 · expected:\n%s\n实际 · found:\n%s\n' "$expected" "$found" >&2
    exit 1
fi
