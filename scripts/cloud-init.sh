#!/usr/bin/env bash
# Gets the schema of cloud-init's settings out of Debian's or Ubuntu's archive, to check ours by.
# Nothing is installed: the package is unpacked below CARGO_TARGET_DIR, and the schema's path printed.
#
#   scripts/cloud-init.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

readonly PACKAGE=cloud-init
readonly TOOLS=$CARGO_TARGET_DIR/tools
readonly SCHEMA=$TOOLS/cloud-init/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json

if [[ ! -r $SCHEMA ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/unpacked" "$TOOLS"
    get() { (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$PACKAGE") >&2; }
    # The lists at hand often do.
    get || { scripts/engine.sh lists && get; } || die "apt-get can't get $PACKAGE"
    dpkg-deb --extract "$work/$PACKAGE"_*.deb "$work/unpacked"
    rm -rf "$TOOLS/cloud-init"
    mv "$work/unpacked" "$TOOLS/cloud-init"
    [[ -r $SCHEMA ]] || die "$PACKAGE has no schema at $SCHEMA"
fi
printf '%s\n' "$SCHEMA"
