#!/usr/bin/env bash
# Lets go wrong all that the tests can make go wrong, in full, and writes down what came of it.
#
#   scripts/faults.sh [ARGUMENT...]   arguments for `cargo nextest run`, to run a part of it
#
# The table in docs/faults.md is written anew from what was recorded; to run it in parts, let
# SEATBOX_FAULTS_RECORD name a file that the parts have in common.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

readonly DOCUMENT=docs/faults.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export SEATBOX_FAULTS=full
export SEATBOX_FAULTS_RECORD=${SEATBOX_FAULTS_RECORD:-$work/record}
cargo nextest run --locked --profile faults "$@"

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)
engine=$(docker version --format '{{.Server.Version}}')
{
    sed '/^## The last full run/q' "$DOCUMENT"
    printf "\n%s, commit %s, by \`just faults\`.\n" "$(date -u '+%Y-%m-%d')" "$(git rev-parse --short HEAD)"
    printf 'Machine: %s × %s, %s GiB, %s, Linux %s, Docker %s.\n\n' \
        "$(nproc)" "$processor" "$memory" "$system" "$(uname -r)" "$engine"
    printf '| what was done | what came of it |\n| --- | --- |\n'
    sort "$SEATBOX_FAULTS_RECORD"
} >"$work/document"
cp "$work/document" "$DOCUMENT"
