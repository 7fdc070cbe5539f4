#!/bin/sh
# docker in an instance of the emulator: it runs nothing, and keeps in files what Docker Compose was
# told to have. Whatever a stack has there is at once as it should be.
set -eu
state=$SEATBOX_ROOT/var/lib/docker
stack=$SEATBOX_STATE/stack
printf '%s\n' "$*" >>"$SEATBOX_ROOT/var/log/docker.log"

# A container of each service, which is made anew if `anew`: number, service, whether it runs.
create() {
    mkdir -p "$state"
    number=$(cat "$state/number" 2>/dev/null || echo 0)
    while read -r wanted service; do
        if [ "${1-}" = anew ] || ! [ -e "$state/$service" ]; then
            number=$((number + 1))
            printf '%s %s %s\n' "$number" "$service" "$wanted" >"$state/$service"
        fi
    done <"$stack/expected"
    printf '%s\n' "$number" >"$state/number"
}

containers() {
    for file in "$state"/*; do
        case $file in
            */number | */\*) ;;
            *) cat "$file" ;;
        esac
    done
}

compose() {
    while [ "${1#--}" != "$1" ]; do
        shift 2
    done
    verb=$1
    shift
    case $verb in
        create) create ;;
        up)
            case " $* " in
                *' --force-recreate '*) create anew ;;
                *) create ;;
            esac
            ;;
        down) for file in "$state"/*; do
            [ "$file" = "$state/number" ] || rm -f "$file"
        done ;;
        ps)
            case " $* " in
                *' json '*)
                    containers | awk '{
                        state = $3 == "completed" ? "exited" : "running"
                        printf "{\"Service\":\"%s\",\"Name\":\"%s-%s\",\"State\":\"%s\",\"ExitCode\":0}\n", $2, $2, $1, state
                    }'
                    ;;
                *) containers | cut -d ' ' -f 1 ;;
            esac
            ;;
        exec)
            [ "$1" != -T ] || shift
            shift
            cd "$SEATBOX_STATE/workspace"
            exec "$@"
            ;;
        logs) containers | awk '{ print $2 "-1  | container " $1 " runs" }' ;;
        *) echo "docker compose $verb: not in the emulator" >&2 && exit 1 ;;
    esac
}

command=$1
shift
case $command in
    compose) compose "$@" ;;
    # All of them, which is what is asked for: service, state, exit code, health.
    inspect) containers | awk '{ print $2, ($3 == "completed" ? "exited" : "running"), 0, "none" }' ;;
    *) echo "docker $command: not in the emulator" >&2 && exit 1 ;;
esac
