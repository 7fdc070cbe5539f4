#!/usr/bin/env bash
# Races Seatbox against Docker Compose and against a bare loop of the engine's calls.
#
#   scripts/bench.sh            the whole race; about half an hour
#   scripts/bench.sh --quick    a small one of some minutes, to see that it works
#   scripts/bench.sh --help     what else can be asked for
#
# For Debian and Ubuntu with a Rust toolchain, as root or with sudo. An engine, images and Docker
# Compose are got where they are missing, as ./test gets them. docs/benchmarks.md says what is
# measured and how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

# Seats on an engine need nothing of AWS's SDK, which takes minutes to optimise.
race() { cargo bench --locked --quiet --no-default-features --bench race -- "$@"; }

prepare_toolchain
# What only renders, or explains, needs no engine.
for argument; do
    case $argument in
        --report | --report=* | -h | --help) race "$@" && exit ;;
    esac
done

engine_started=
engine_answers || engine_started=yes
clean_up() { [[ -z $engine_started ]] || scripts/engine.sh stop; }
trap clean_up EXIT
scripts/engine.sh ensure
image_tools
command -v /usr/bin/time >/dev/null || scripts/engine.sh tools time
compose=$(scripts/compose.sh)
race --compose "$compose" "$@"
