#!/bin/sh
# Runs in the new root ($1) before the recipe's packages are installed.
set -eu

# The number must be the official image's, so that volumes can move between the two;
# the package keeps a user that it finds.
echo 'redis:x:999:' >>"$1/etc/group"
echo 'redis:x:999:999::/home/redis:/bin/sh' >>"$1/etc/passwd"
echo 'redis:!:::::::' >>"$1/etc/shadow"

mkdir -p "$1/data"
chown 999:999 "$1/data"
