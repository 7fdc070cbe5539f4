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

# What services write is in files here, which tests write.
logs() {
    tail=+1 follow=
    while [ "${1#--}" != "$1" ]; do
        case $1 in
            --tail) tail=$2 && shift ;;
            --since) shift ;;
            --follow) follow=--follow ;;
        esac
        shift
    done
    written=$SEATBOX_ROOT/var/log/$1.log
    [ -e "$written" ] || printf 'container %s\n' "$(cat "$state/$1")" >"$written"
    exec tail --lines "$tail" $follow "$written"
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
            while [ "${1#-}" != "$1" ]; do
                case $1 in
                    -T) ;;
                    --env)
                        # shellcheck disable=SC2163
                        export "$2"
                        shift
                        ;;
                    --workdir) shift ;;
                    *) echo "docker compose exec $1: not in the emulator" >&2 && exit 1 ;;
                esac
                shift
            done
            if ! [ -e "$state/$1" ]; then
                echo "service \"$1\" is not running" >&2
                exit 1
            fi
            shift
            cd "$SEATBOX_STATE/workspace"
            exec "$@"
            ;;
        logs) logs "$@" ;;
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
