#!/bin/sh
# Finds out which seat this instance is, and lets that seat's key in: on every boot, before sshd.
# It comes after imds.sh. Set before it:
#   SEATBOX_ENVIRONMENT  the environment's name
#   SEATBOX_SEATS        seat number and public key, one seat a line, in the order of the launch
#   SEATBOX_EXPIRES      when the seats end, until the metadata service says so
#   SEATBOX_USER         who works here
set -eu
umask 022
# Tests have another.
root=${SEATBOX_ROOT-}

die() {
    printf 'seatbox: %s\n' "$*" >&2
    exit 1
}

attempts=${SEATBOX_ATTEMPTS:-60}
until index=$(imds ami-launch-index); do
    attempts=$((attempts - 1))
    [ "$attempts" -gt 0 ] || die 'which seat this is can not be found out'
    sleep 2
done
case $index in
    '' | *[!0-9]*) die "a launch index of '$index' makes no sense" ;;
esac
line=$(printf '%s\n' "$SEATBOX_SEATS" | sed -n "$((index + 1))p")
seat=${line%% *}
key=${line#* }
[ -n "$seat" ] || die "there is no seat for launch index $index"

state=$root/var/lib/seatbox
mkdir -p "$root/etc/seatbox" "$state/workspace"
[ -e "$state/expires" ] || printf '%s\n' "$SEATBOX_EXPIRES" >"$state/expires"

name=$SEATBOX_ENVIRONMENT-$seat
printf '%s\n' "$name" >"$root/etc/hostname"
hostname "$name"
# sudo looks its own host up.
grep -qsxF "127.0.1.1 $name" "$root/etc/hosts" || printf '127.0.1.1 %s\n' "$name" >>"$root/etc/hosts"

id -u "$SEATBOX_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$SEATBOX_USER"
printf '%s ALL=(ALL) NOPASSWD:ALL\n' "$SEATBOX_USER" >"$root/etc/sudoers.d/90-seatbox"
chmod 440 "$root/etc/sudoers.d/90-seatbox"

keys=$root/home/$SEATBOX_USER/.ssh
# What a participant added stays; an image made of another seat has another key, which goes.
if ! grep -qsF "$key" "$keys/authorized_keys"; then
    mkdir -p "$keys"
    printf '%s %s\n' "$key" "$name" >"$keys/authorized_keys"
    chmod 700 "$keys"
    chmod 600 "$keys/authorized_keys"
    chown -R "$SEATBOX_USER:" "$keys"
fi
printf '%s\n' "${seat#0}" >"$root/etc/seatbox/seat"
