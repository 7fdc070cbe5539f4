#!/bin/sh
# Runs a seat's stack, as seatbox-receive took it.
#
#   seatbox-stack installed  whether Docker and the rest are there
#   seatbox-stack up         starts it
#   seatbox-stack ready      whether every service is as it should be
#   seatbox-stack down       takes it away with its volumes; the workspace's files stay
#   seatbox-stack status     its containers as JSON
#   seatbox-stack exec …     as docker compose exec
#   seatbox-stack logs [--follow] [--timestamps] [--tail N] [--since TIME] [SERVICE…]
#                            their lines, each with its service before it; of all, if none is named.
#                            Who follows does so until standard input ends, too
#
# It ends with 75 where the answer is: not yet.
set -eu
readonly NOT_YET=75
state=${SEATBOX_STATE:-/var/lib/seatbox}
stack=$state/stack
# Where compose.override.yaml has the workspace.
export SEATBOX_STATE="$state"

quit() {
    code=$1
    shift
    printf '%s\n' "$*" >&2
    exit "$code"
}

compose() {
    docker compose --project-directory "$stack" \
        --file "$stack/compose.yaml" --file "$stack/compose.override.yaml" "$@"
}

# One at a time, for a connection that broke leaves its command behind.
alone() {
    exec 9>"$state/lock"
    flock --wait 600 9 || quit "$NOT_YET" 'another command is under way'
}

installed() {
    [ ! -e "$state/installed" ] || return 0
    doing=$(cat "$state/installing" 2>/dev/null) || doing=waiting
    trouble=$(cat "$state/trouble" 2>/dev/null) || trouble=
    quit "$NOT_YET" "$doing${trouble:+ (last time: $trouble)}"
}

# The volume takes the image's own files when its first container is made, as everywhere; then come
# the first files, the last of which says that they are there.
fill() {
    [ -e "$stack/workspace.tar" ] || return 0
    compose create
    place=$state/workspace/$(cat "$stack/workspace.path")
    mkdir -p "$place"
    tar --extract --preserve-permissions --numeric-owner \
        --file "$stack/workspace.tar" --directory "$place"
    rm "$stack/workspace.tar"
}

up() {
    alone
    mkdir -p "$state/workspace"
    fill
    if [ -e "$stack/changed" ]; then
        # Compose does not see that a file was changed that it mounts.
        compose up --detach --remove-orphans --force-recreate
        rm -f "$stack/changed"
    else
        compose up --detach --remove-orphans
    fi
}

down() {
    alone
    compose down --volumes --remove-orphans
}

# Service, state, exit code and health of each container, one a line.
containers() {
    ids=$(compose ps --all --quiet)
    [ -n "$ids" ] || return 0
    # shellcheck disable=SC2086
    docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} {{with .State.Health}}{{.Status}}{{else}}none{{end}}' $ids
}

# The file `expected` has a line for each service: `running` or `completed`, and its name.
ready() {
    found=$(containers) || quit "$NOT_YET" 'its containers are just being changed'
    waiting=
    broken=
    while read -r wanted service; do
        is=$(printf '%s\n' "$found" | awk -v service="$service" '$1 == service { print $2, $3, $4; exit }')
        case "$wanted $is" in
            'running running '*' none' | 'running running '*' healthy' | 'completed exited 0 '*) ;;
            'running running '*) waiting="$waiting, $service is ${is##* }" ;;
            'completed running '* | *' created '* | *' restarting '*) waiting="$waiting, $service is ${is%% *}" ;;
            "$wanted ") waiting="$waiting, $service is missing" ;;
            *) broken="$broken, $service is ${is% *}" ;;
        esac
    done <"$stack/expected"
    [ -z "$broken" ] || quit 1 "${broken#, }"
    [ -z "$waiting" ] || quit "$NOT_YET" "${waiting#, }"
}

# One service's lines. How that ends is what compose says, and not sed behind it.
lines() {
    service=$1
    shift
    ended=$({
        { compose logs --no-color --no-log-prefix "$@" "$service" || echo $? >&4; } |
            sed -u "s/^/$service /" >&5
    } 4>&1)
    return "${ended:-0}"
} 5>&1

logs() {
    options=
    following=
    while :; do
        case ${1-} in
            --tail | --since)
                options="$options $1 $2"
                shift
                ;;
            --follow) following=yes options="$options $1" ;;
            --timestamps) options="$options $1" ;;
            -*) quit 2 "seatbox-stack logs knows no $1" ;;
            *) break ;;
        esac
        shift
    done
    # Names of services and what options take have no blanks in them.
    # shellcheck disable=SC2046
    [ $# != 0 ] || set -- $(cut -d ' ' -f 2 "$stack/expected")
    code=0
    if [ -z "$following" ]; then
        for one in "$@"; do
            # shellcheck disable=SC2086
            lines "$one" $options || code=$?
        done
        return "$code"
    fi
    # A job in the background has no input of its own.
    exec 3<&0
    followers=
    for one in "$@"; do
        # shellcheck disable=SC2086
        lines "$one" $options &
        followers="$followers $!"
    done
    # Who asked has gone: nothing is to go on for nobody. It holds no output open, so that the session
    # ends where all services have ended first.
    { cat <&3 && kill 0; } >/dev/null 2>&1 &
    watcher=$!
    for follower in $followers; do
        wait "$follower" || code=$?
    done
    kill "$watcher"
    return "$code"
}

command=${1-}
[ $# = 0 ] || shift
case $command in
    installed) installed ;;
    down) [ ! -e "$stack" ] || down ;;
    up | ready)
        [ -e "$stack" ] || quit "$NOT_YET" 'no stack has come yet'
        "$command"
        ;;
    status) compose ps --all --format json ;;
    exec)
        # Not 75, which may be the command's own.
        [ -e "$stack" ] || quit 1 'no stack has come yet: seatbox up brings it'
        compose exec "$@"
        ;;
    logs)
        [ -e "$stack" ] || quit "$NOT_YET" 'no stack has come yet'
        logs "$@"
        ;;
    *)
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
esac
