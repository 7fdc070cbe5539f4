#!/usr/bin/env bash
# Makes sure that a Docker engine answers, on a machine that may have none.
#
#   scripts/engine.sh ensure        use the engine that answers, else install and start one
#   scripts/engine.sh stop          stop the engine, if it was this script that started it
#   scripts/engine.sh tools PKG...  install the Debian packages that are missing
#   scripts/engine.sh idle PKG...   the same, and no service of theirs starts, now or later
#   scripts/engine.sh lists         refresh the lists of packages
set -euo pipefail

readonly LOCAL_SOCKET=/var/run/docker.sock
readonly LOG=${SEATBOX_DOCKERD_LOG:-/var/log/seatbox-dockerd.log}
readonly PIDFILE=/run/seatbox-dockerd.pid
readonly START_SECONDS=${SEATBOX_DOCKERD_TIMEOUT:-60}
readonly STOP_SECONDS=60

# Daemons lie in sbin, which an ordinary user's PATH lacks.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf 'engine: %s\n' "$*"; }
die() {
    printf 'engine: error: %s\n' "$*" >&2
    exit 1
}

# sudo drops the proxy variables, and without them a machine behind a proxy installs nothing.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo --preserve-env=http_proxy,https_proxy,no_proxy,HTTP_PROXY,HTTPS_PROXY,NO_PROXY "$@"
    else
        die "this needs root: $* (become root, or install sudo)"
    fi
}

# --- packages ---------------------------------------------------------------

installed() { [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }
known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# NEEDRESTART_SUSPEND: Ubuntu's needrestart asks questions in the middle otherwise.
# Lock::Timeout: a new cloud machine runs its own upgrade in the first minutes.
apt() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

install_packages() {
    local package output missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        die "these are missing, and only apt-get (Debian, Ubuntu) can be driven here: ${missing[*]}"

    say "installing ${missing[*]}"
    # The lists at hand often do; when they are missing or stale, the first try fails within a second or two.
    if ! output=$(apt install -y --no-install-recommends "${missing[@]}" 2>&1); then
        apt update >/dev/null || die "apt-get update failed"
        output=$(apt install -y --no-install-recommends "${missing[@]}" 2>&1) ||
            die "apt-get install ${missing[*]} failed:"$'\n'"$(tail -n 15 <<<"$output")"
    fi
}

# Debian starts a server that it installs, and again at every boot. Whoever wants its program alone does
# not want this machine to be reached by it.
install_idle() {
    local package unit policy=/usr/sbin/policy-rc.d missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if [[ ! -e $policy ]]; then
        # Asked by all packages before they start something; 101 is: not allowed.
        # shellcheck disable=SC2016
        as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy"
        # shellcheck disable=SC2064
        trap "as_root rm -f $policy" EXIT
    fi
    install_packages "${missing[@]}"
    has_systemd || return 0
    for package in "${missing[@]}"; do
        dpkg-query -L "$package" | sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^@/]*\.\(service\|socket\)\)$|\2|p' |
            while IFS= read -r unit; do
                as_root systemctl disable --now "$unit" >/dev/null 2>&1 || true
            done
    done
}

# --- engine -----------------------------------------------------------------

# Prints the engine's version if one answers at DOCKER_HOST, in the current context, or at the local socket.
answering() {
    local version host=${DOCKER_HOST:-unix://$LOCAL_SOCKET} target=()
    if command -v docker >/dev/null; then
        version=$(timeout 15 docker version --format '{{.Server.Version}}' 2>/dev/null) || return 1
    else
        case $host in
            unix://*) target=(--unix-socket "${host#unix://}" http://localhost/version) ;;
            tcp://*) target=("http://${host#tcp://}/version") ;;
            *) return 1 ;;
        esac
        version=$(curl -fsS --max-time 15 "${target[@]}" 2>/dev/null) || return 1
        version=$(sed -n 's/.*"Version":"\([^"]*\)".*/\1/p' <<<"$version")
    fi
    [[ -n $version ]] && printf '%s\n' "$version"
}

# What a newly installed local engine could not satisfy is the user's to mend.
refuse_foreign_target() {
    case ${DOCKER_HOST:-} in
        '' | unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
        *) die "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" ;;
    esac
    local context=default
    [[ -n ${DOCKER_HOST:-} ]] || context=$(docker context show 2>/dev/null) || context=default
    [[ $context == default ]] ||
        die "no Docker engine answers in the current Docker context '$context' (docker context use default)"
    if ((EUID != 0)) && [[ -S $LOCAL_SOCKET && ! -w $LOCAL_SOCKET ]] && dockerd_runs; then
        die "a Docker engine runs, but $(id -un) may not use it: sudo usermod -aG docker $(id -un), then log in again"
    fi
}

# runs NAME PIDFILE: by then the number may belong to somebody else, or to a zombie, which has no command line.
runs() {
    local pid command=
    pid=$(cat "$2" 2>/dev/null) || return 1
    IFS= read -r -d '' command 2>/dev/null <"/proc/$pid/cmdline" || true
    [[ ${command##*/} == "$1" ]]
}

dockerd_runs() { runs dockerd /var/run/docker.pid; }

has_systemd() { [[ -d /run/systemd/system ]]; }

install_engine() {
    # From Debian 13 on the command line client is a package of its own, only recommended.
    install_packages docker.io iptables ca-certificates
    if ! command -v docker >/dev/null && known docker-cli; then
        install_packages docker-cli
    fi
}

launch() {
    if has_systemd; then
        as_root systemctl start docker.service
        return
    fi
    # A package's own start script may have been quicker.
    dockerd_runs && return
    # Left behind by a crash, these make dockerd wait for whoever has the number now.
    local containerd_pid=/var/run/docker/containerd/containerd.pid
    as_root rm -f /var/run/docker.pid "$PIDFILE"
    runs containerd "$containerd_pid" || as_root rm -f "$containerd_pid"
    # Nothing else mounts them where there is no init system.
    if ! mountpoint -q /sys/fs/cgroup; then
        install_packages mount
        as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
            die "/sys/fs/cgroup is not mounted and can't be: containers need control groups"
    fi
    # Every container inherits the descriptor limit.
    # shellcheck disable=SC2016
    as_root setsid --fork bash -c '
        ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -Hn)"
        echo $$ >"$1"
        exec dockerd --host "unix://$2" >"$3" 2>&1
    ' dockerd "$PIDFILE" "$LOCAL_SOCKET" "$LOG" </dev/null >/dev/null 2>&1
}

engine_log() {
    if has_systemd; then
        as_root journalctl --unit docker.service --lines 20 --no-pager --output cat
    else
        as_root tail -n 20 "$LOG"
    fi
}

ensure() {
    local version deadline what=started
    if version=$(answering); then
        say "Docker $version answers"
        return
    fi
    refuse_foreign_target
    if ! command -v dockerd >/dev/null; then
        install_engine
        what='installed and started'
    fi

    deadline=$((SECONDS + START_SECONDS))
    launch || die "dockerd did not start; its log ends:"$'\n'"$(engine_log 2>&1)"
    until version=$(answering); do
        ((SECONDS < deadline)) ||
            die "dockerd did not answer within ${START_SECONDS} s; its log ends:"$'\n'"$(engine_log 2>&1)"
        # Membership of the docker group would only count from the next login on.
        if [[ -S $LOCAL_SOCKET && ! -w $LOCAL_SOCKET ]]; then
            as_root chown "$(id -un)" "$LOCAL_SOCKET"
        fi
        sleep 0.2
    done
    say "Docker $version $what"
}

stop() {
    local pid deadline
    if ! pid=$(cat "$PIDFILE" 2>/dev/null); then
        say 'nothing to stop: this script started no engine'
        return
    fi
    if runs dockerd "$PIDFILE"; then
        # Only the shell's own kill is on every machine.
        as_root sh -c "kill -TERM $pid"
        deadline=$((SECONDS + STOP_SECONDS))
        while runs dockerd "$PIDFILE"; do
            ((SECONDS < deadline)) || die "dockerd (process $pid) did not stop within $STOP_SECONDS s"
            sleep 0.2
        done
        say "Docker stopped (process $pid)"
    fi
    as_root rm -f "$PIDFILE"
}

case ${1:-} in
    ensure | stop) "$1" ;;
    tools) install_packages "${@:2}" ;;
    idle) install_idle "${@:2}" ;;
    lists) apt update >/dev/null || die 'apt-get update failed' ;;
    *)
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
        exit 2
        ;;
esac
