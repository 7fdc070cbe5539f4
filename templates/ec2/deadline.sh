#!/bin/sh
# Shuts the instance down, which terminates it, once the tag dev.seatbox.expires is past. It comes
# after imds.sh. While the metadata service says nothing, what it last said counts.
set -eu
state=${SEATBOX_STATE:-/var/lib/seatbox}

# Nothing else: what date makes of an empty word, for one, is past.
is_time() {
    case $1 in
        [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9]*Z) date -d "$1" >/dev/null 2>&1 ;;
        *) false ;;
    esac
}

last=$(cat "$state/expires" 2>/dev/null) || last=
expires=$(imds tags/instance/dev.seatbox.expires) || expires=
if ! is_time "$expires"; then
    expires=$last
elif [ "$expires" != "$last" ]; then
    printf '%s\n' "$expires" >"$state/expires.new"
    mv "$state/expires.new" "$state/expires"
fi
if ! is_time "$expires"; then
    echo 'seatbox: nobody says when this seat ends' >&2
    exit 1
fi
if [ "$(date +%s)" -ge "$(date -d "$expires" +%s)" ]; then
    shutdown -h now "This seat ended at $expires."
fi
