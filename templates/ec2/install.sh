#!/bin/sh
# Installs what a seat needs, and is started again until it has succeeded. The settings are in
# install.env beside the seat's number; the step it is at, and what went wrong last, are in the state
# directory for `seatbox-stack installed`.
set -eu
# Tests have another.
root=${SEATBOX_ROOT-}
# shellcheck source=/dev/null
. "$root/etc/seatbox/install.env"
state=$root/var/lib/seatbox
log=$root/var/log/seatbox-install.log
exec >>"$log" 2>&1

before=$(wc -l <"$log")
work=$(mktemp -d)
# Of what this try wrote, one line: the first that apt calls an error, for its last tells no cause; of
# all others the last.
ended() {
    code=$?
    rm -rf "$work"
    [ "$code" = 0 ] || tail -n "+$((before + 1))" "$log" |
        awk '!first && /^E: / { first = $0 } { last = $0 } END { print first ? first : last }' \
            >"$state/trouble"
}
trap ended EXIT

step() {
    printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"
    printf '%s\n' "$*" >"$state/installing"
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 "$@"
}

known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# An upgrade in the midst of the event would restart Docker and every service with it.
systemctl disable --now apt-daily.timer apt-daily-upgrade.timer || true

step 'reading package lists'
# It calls it a success otherwise that no list was to be had, and the names of packages below are chosen
# by what lists say.
apt -o APT::Update::Error-Mode=any update

step 'installing Docker'
# Of the distribution, whose key and mirrors are there already. Ubuntu calls Compose 2
# docker-compose-v2; Debian has it from 13 on.
set -- docker.io ca-certificates curl git
if known docker-compose-v2; then
    set -- "$@" docker-compose-v2
else
    set -- "$@" docker-compose
fi
if known docker-cli; then
    set -- "$@" docker-cli
fi
apt install -y --no-install-recommends "$@"
docker compose version || {
    echo 'Docker Compose 2 is not to be had: Ubuntu 22.04 or Debian 13, or later, is needed'
    exit 1
}
systemctl enable --now docker.service
usermod --append --groups docker "$SEATBOX_USER"

if [ -n "$SEATBOX_GO_VERSION" ]; then
    step "installing Go $SEATBOX_GO_VERSION"
    architecture=$(dpkg --print-architecture)
    case $architecture in
        amd64) sum=$SEATBOX_GO_SHA256_AMD64 ;;
        arm64) sum=$SEATBOX_GO_SHA256_ARM64 ;;
        *)
            echo "there is no Go for $architecture"
            exit 1
            ;;
    esac
    file=go$SEATBOX_GO_VERSION.linux-$architecture.tar.gz
    curl --fail --silent --show-error --location --retry 5 --retry-connrefused \
        --output "$work/$file" "$SEATBOX_GO_MIRROR$file"
    printf '%s  %s\n' "$sum" "$work/$file" | sha256sum --check --quiet -
    tar --extract --gzip --file "$work/$file" --directory "$work" --no-same-owner
    if [ -n "$SEATBOX_GOPROXY" ]; then
        # What this Go takes where a user has set nothing else.
        defaults=$work/go/go.env
        sed -i '/^GOPROXY=/d' "$defaults"
        printf 'GOPROXY=%s\n' "$SEATBOX_GOPROXY" >>"$defaults"
    fi
    rm -rf "$root/usr/local/go"
    mv "$work/go" "$root/usr/local/go"
    ln -sf ../go/bin/go ../go/bin/gofmt "$root/usr/local/bin/"
fi

rm -f "$state/installing" "$state/trouble"
: >"$state/installed"
