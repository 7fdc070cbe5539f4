#!/bin/sh
# Takes a seat's stack from standard input: an archive of compose.yaml, its .env and files, and at the
# end an empty file `complete`. It replaces the stack that is there in one step, or not at all.
#
# workspace.tar in it holds the workspace's first files, which go in once in its life (seatbox-stack
# up does it), to the directory that the file workspace.path names below the workspace's own.
set -eu
umask 077
state=${SEATBOX_STATE:-/var/lib/seatbox}

exec 9>"$state/lock"
flock --wait 600 9

new=$(mktemp -d "$state/stack.XXXXXX")
trap 'rm -rf "$new"' EXIT
tar --extract --preserve-permissions --numeric-owner --file - --directory "$new"
if ! [ -e "$new/complete" ]; then
    echo 'seatbox: the stream ended before its time' >&2
    exit 1
fi
rm "$new/complete"
if [ -e "$new/workspace.tar" ] && [ -e "$state/workspace/$(cat "$new/workspace.path")/.seatbox" ]; then
    rm "$new/workspace.tar"
fi

# The same again changes nothing, and nothing is made anew for it.
if ! [ -e "$new/workspace.tar" ] && [ -e "$state/stack" ] &&
    diff --recursive --brief --exclude changed "$state/stack/" "$new" >/dev/null; then
    exit
fi
: >"$new/changed"
sync --file-system "$new"
rm -f "$state/stack.link"
ln -s "${new##*/}" "$state/stack.link"
mv --no-target-directory "$state/stack.link" "$state/stack"
trap - EXIT
for other in "$state"/stack.??????; do
    [ "$other" = "$new" ] || rm -rf "$other"
done
