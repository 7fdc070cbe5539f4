#!/usr/bin/env bash
# Gets Docker Compose v2 out of Debian's archive, to race against. Nothing is installed: its program
# is unpacked below CARGO_TARGET_DIR, and its path is printed.
#
#   scripts/compose.sh
#
# For Debian and Ubuntu. Debian 13 is the first that has Compose v2; its program is statically
# linked and runs on older ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

readonly SUITE=trixie PACKAGE=docker-compose
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly TOOLS=$CARGO_TARGET_DIR/tools
readonly PROGRAM=$TOOLS/compose/usr/libexec/docker/cli-plugins/docker-compose

# Where this machine gets its own packages of Debian from: a mirror near it, as a rule.
mirror() {
    local found
    # shellcheck disable=SC2016
    found=$(apt-get indextargets --format '$(SITE) $(CREATED_BY) $(ORIGIN)' 2>/dev/null |
        awk '$2 == "Packages" && $3 == "Debian" && $1 !~ /security/ { print $1; exit }')
    printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

if [[ -x $PROGRAM ]]; then
    printf '%s\n' "$PROGRAM"
    exit
fi
[[ -r $KEYRING ]] || scripts/engine.sh tools debian-archive-keyring >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,unpacked} "$TOOLS"
printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$(mirror)" "$SUITE" >"$work/sources.list"

# apt with lists and a cache of its own, so that the machine's stay as they are.
apt=(apt-get -qq
    -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
"${apt[@]}" update >&2 || die "apt-get can't read the lists of $SUITE"
(cd "$work" && "${apt[@]}" download "$PACKAGE") >&2 || die "apt-get can't get $PACKAGE of $SUITE"
dpkg-deb --extract "$work/$PACKAGE"_*.deb "$work/unpacked"
rm -rf "$TOOLS/compose"
mv "$work/unpacked" "$TOOLS/compose"
"$PROGRAM" version --short >/dev/null || die "$PROGRAM does not run here"
printf '%s\n' "$PROGRAM"
