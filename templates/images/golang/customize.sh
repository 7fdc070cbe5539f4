#!/bin/sh
# Runs in the new root ($1) after the recipe's packages are installed.
set -eu
root=$1

ln -s /usr/lib/go-1.23 "$root/usr/local/go"
ln -s /usr/lib/go-1.23/bin/go /usr/lib/go-1.23/bin/gofmt "$root/usr/local/bin/"

# Every user may be the one that the container runs as.
mkdir -p "$root/go/src" "$root/go/bin"
chmod 1777 "$root/go" "$root/go/src" "$root/go/bin"

# Go keeps its build cache in the home directory, and a number without a name has none.
echo 'seat:x:1000:' >>"$root/etc/group"
echo 'seat:x:1000:1000::/home/seat:/bin/bash' >>"$root/etc/passwd"
echo 'seat:!:::::::' >>"$root/etc/shadow"
cp -r "$root/etc/skel" "$root/home/seat"
chown -R 1000:1000 "$root/home/seat"
