#!/bin/sh
# sudo in an instance of the emulator: its own scripts are those below its own directory.
set -eu
[ "$1" != -n ] || shift
program=$1
shift
case $program in
    /usr/local/*) program=$SEATBOX_ROOT$program ;;
esac
exec "$program" "$@"
