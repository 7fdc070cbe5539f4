#!/bin/sh
# Runs in the new root ($1) before the recipe's packages are installed.
set -eu

# The number must be the official image's, so that volumes can move between the two;
# the package keeps a user that it finds.
echo 'postgres:x:999:' >>"$1/etc/group"
echo 'postgres:x:999:999::/var/lib/postgresql:/bin/bash' >>"$1/etc/passwd"
echo 'postgres:!:::::::' >>"$1/etc/shadow"
