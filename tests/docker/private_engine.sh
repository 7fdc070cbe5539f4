#!/usr/bin/env bash
# A Docker engine apart: own processes, network, mounts, data and control groups, and no way out.
#
#   private_engine.sh DIRECTORY GROUP
#
# The socket is DIRECTORY/docker.sock, for members of GROUP (a number). Reads commands from standard
# input, one a line: `start`, `revive` (start it where it ended by itself), `stop` (in order, the
# containers with it), `kill` (at once, the containers stay), and says `ok` when each is. At the end of its input, however that comes, all of
# it goes, DIRECTORY too. Needs root, util-linux, iproute2 and iptables.
set -euo pipefail

# Daemons lie in sbin, which an ordinary user's PATH lacks.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

directory=$1 group=$2
groups=/sys/fs/cgroup parent=${directory##*/}

start() {
    rm -f "$directory/docker.pid" "$directory/exec/containerd/containerd.pid"
    dockerd --config-file "$directory/daemon.json" --host "unix://$directory/docker.sock" \
        --group "$group" --data-root "$directory/data" --exec-root "$directory/exec" \
        --pidfile "$directory/docker.pid" --exec-opt native.cgroupdriver=cgroupfs \
        --cgroup-parent "/$parent" </dev/null >>"$directory/log" 2>&1 &
    engine=$!
}

# As the first process of its own: when it ends, the kernel ends all the others.
inside() {
    local engine command
    ip link set lo up
    # containerd has its sockets here, wherever its own state is.
    mkdir -p /run/containerd
    mount -t tmpfs tmpfs /run/containerd
    echo '{}' >"$directory/daemon.json"
    while read -r command; do
        case $command in
            start) start ;;
            revive) kill -0 "$engine" 2>/dev/null || start ;;
            stop | kill)
                local signal=TERM
                [[ $command == stop ]] || signal=KILL
                kill -s "$signal" "$engine"
                wait "$engine" || true
                ;;
            *) exit 2 ;;
        esac
        echo ok
    done
}

if [[ ${3-} == inside ]]; then
    inside
    exit
fi
status=0
unshare --net --mount --pid --fork --mount-proc bash "$0" "$directory" "$group" inside || status=$?
# What containers ran in stays, empty, when they are killed.
find "$groups" -depth -type d -path "*/$parent*" -exec rmdir {} + 2>/dev/null || true
rm -rf "$directory"
exit $status
