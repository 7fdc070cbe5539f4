#!/usr/bin/env bash
# Races Seatbox against boto3 and Ansible, on an emulator of AWS.
#
#   scripts/bench-aws.sh            the whole race; about a quarter of an hour
#   scripts/bench-aws.sh --quick    a small one of two minutes, to see that it works
#   scripts/bench-aws.sh --help     what else can be asked for
#
# For Debian and Ubuntu with a Rust toolchain, as root or with sudo. The emulator and the peers are got
# from PyPI where they are missing, into Python environments of their own. docs/benchmarks.md says what
# is measured and how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

# As ./test builds it: to optimise AWS's SDK takes longer than the race, in which all wait for AWS.
race() { cargo bench --locked --quiet --profile dev --bench race_aws -- "$@"; }

prepare_toolchain
# What only renders, or explains, needs no emulator.
for argument; do
    case $argument in
        --report | --report=* | -h | --help) race "$@" && exit ;;
    esac
done

python_tools
readonly TOOLS=$CARGO_TARGET_DIR/tools
[[ ${SEATBOX_TEST_MOTO-} ]] || install_moto "$TOOLS/moto"
install_python scripts/peers.txt "$TOOLS/peers"
command -v /usr/bin/time >/dev/null || scripts/engine.sh tools time
race --python "$TOOLS/peers/bin/python3" "$@"
