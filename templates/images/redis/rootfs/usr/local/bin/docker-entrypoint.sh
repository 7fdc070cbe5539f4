#!/bin/sh
# Starts Redis as its own user: the interface of the official image, written anew.
set -eu

case ${1-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
[ "${1-}" = redis-server ] || exec "$@"

# Asks for no capability but CHOWN, SETUID and SETGID: what root can't read is the server's already.
if [ "$(id -u)" = 0 ] && [ -z "${SKIP_DROP_PRIVS-}" ]; then
    if [ -z "${SKIP_FIX_PERMS-}" ] && [ -r . ] && [ -x . ]; then
        find . ! -user redis -exec chown redis: {} + || true
    fi
    exec setpriv --reuid=redis --regid=redis --init-groups --inh-caps=-all -- "$0" "$@"
fi

# Debian's Redis refuses other hosts as long as it has no password, and in a container
# all hosts are others. Where the user says anything about it, that counts.
shift
protection=default
for argument; do
    case $argument in
        --protected-mode) protection=chosen ;;
        *.conf) ! grep -qs '^[[:space:]]*protected-mode' "$argument" || protection=chosen ;;
    esac
done
[ $protection = chosen ] || set -- "$@" --protected-mode no

# Dumps hold what participants wrote: for the server's eyes alone, unless told otherwise.
[ "$(umask)" != 0022 ] || umask 0077
exec redis-server "$@"
