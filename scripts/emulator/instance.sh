#!/bin/sh
# Lets an instance of the emulator answer over SSH: a real server for one connection, with that
# instance's keys and files. It is ssh's ProxyCommand.
#
#   instance.sh DIRECTORY ENDPOINT REGION ADDRESS
#
# DIRECTORY is where instances have their files, one directory each, ENDPOINT the emulator's URL, and
# ADDRESS the instance's on the internet. Who connects first boots the instance, by what its user data
# says. Inside it `docker` and `sudo` are those of this directory; nothing else is cut off from this
# machine, so that only one's own scripts should run there.
#
# For root; or for whoever may make a user namespace.
set -eu
umask 022
directory=$1 endpoint=$2 region=$3 address=$4
here=$(dirname "$0")
known=$directory/addresses

die() {
    printf 'instance.sh: %s\n' "$*" >&2
    exit 1
}

# ec2 PARAMETERS: what the emulator answers.
ec2() {
    scope=test/20260101/$region/ec2/aws4_request
    curl --silent --show-error --fail --noproxy '*' "$endpoint/" \
        --header "Authorization: AWS4-HMAC-SHA256 Credential=$scope, SignedHeaders=host, Signature=none" \
        --data "Version=2016-11-15&Action=$1"
}

# The value of each of the elements NAME in XML, one a line.
values() { awk -v RS='<' -F '>' -v name="$1" '$1 == name { print $2 }'; }

# Instances with an address: that, id, launch, place in it.
running() {
    ec2 'DescribeInstances&MaxResults=1000&Filter.1.Name=instance-state-name&Filter.1.Value.1=running' |
        awk -v RS='<' -F '>' '
            $1 == "reservationId" { launch = $2 }
            $1 == "instanceId" && $2 != id { id = $2; place = ""; address = "" }
            $1 == "amiLaunchIndex" { place = $2 }
            $1 == "ipAddress" && $2 != "" { address = $2 }
            address != "" && place != "" { print address, id, launch, place; address = "" }'
}

# Makes the files of an instance that boots for the first time.
boot() {
    id=$1 launch=$2 place=$3
    instance=$directory/$id
    root=$instance/root
    mkdir -p "$instance/meta-data" "$root/etc/sudoers.d" "$root/home" "$root/var/lib/seatbox" \
        "$root/var/lib/docker" "$root/var/log" "$root/usr/local/bin" "$directory/launches"
    data=$directory/launches/$launch
    if ! [ -e "$data" ]; then
        ec2 "DescribeInstanceAttribute&Attribute=userData&InstanceId=$id" |
            values value | base64 -d | gzip -dc >"$data.$$"
        mv "$data.$$" "$data"
    fi
    awk -v root="$root" -f "$here/cloud-config.awk" "$data"
    printf '%s\n' "$place" >"$instance/meta-data/ami-launch-index"

    # Commands that would change this machine; and the script asks the metadata service in Python.
    stubs=$directory/stubs
    if ! [ -e "$stubs" ]; then
        mkdir "$stubs.$$"
        for name in chown hostname useradd; do
            ln -s /bin/true "$stubs.$$/$name"
        done
        ln -s /bin/false "$stubs.$$/id"
        # shellcheck disable=SC2016
        printf '#!/bin/sh\nexec cat "$META_DATA/$3"\n' >"$stubs.$$/python3"
        chmod +x "$stubs.$$/python3"
        mv -T "$stubs.$$" "$stubs" 2>/dev/null || rm -rf "$stubs.$$"
    fi
    PATH=$stubs:$PATH META_DATA=$instance/meta-data SEATBOX_ROOT=$root SEATBOX_ATTEMPTS=1 \
        sh "$root/bootcmd.sh"
    : >"$root/var/lib/seatbox/installed"

    ssh-keygen -q -t ed25519 -N '' -f "$instance/host_key"
    user=$(cat "$root/etc/sudoers.d/90-seatbox")
    user=${user%% *}
    printf '%s:x:%s:%s::%s:/bin/sh\n' "$user" "$(id -u)" "$(id -g)" "$root/home/$user" |
        cat - /etc/passwd >"$instance/passwd"
    mkdir "$instance/bin"
    ln -s "$here/docker.sh" "$instance/bin/docker"
    ln -s "$here/sudo.sh" "$instance/bin/sudo"
    cat >"$instance/sshd_config" <<END_OF_SETTINGS
HostKey $instance/host_key
AuthorizedKeysFile $root/home/%u/.ssh/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PrintLastLog no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH=$instance/bin:/usr/local/bin:/usr/bin:/bin SEATBOX_ROOT=$root SEATBOX_STATE=$root/var/lib/seatbox
END_OF_SETTINGS
    : >"$instance/booted"
}

here=$(cd "$here" && pwd)
mkdir -p "$known"
if ! [ -e "$known/$address/booted" ]; then
    exec 9>"$directory/lock"
    flock 9
    line=$(grep -sF "$address " "$directory/running") || {
        running >"$directory/running"
        line=$(grep -F "$address " "$directory/running") || die "no instance has the address $address"
    }
    flock --unlock 9
    # shellcheck disable=SC2086
    set -- $line
    mkdir -p "$directory/$2"
    exec 8>"$directory/$2/lock"
    flock 8
    [ -e "$directory/$2/booted" ] || boot "$2" "$3" "$4"
    ln -sfn "../$2" "$known/$address"
    exec 8>&- 9>&-
fi

instance=$(readlink -f "$known/$address")
# Where a server that began as root keeps its children; a service of Debian's makes it.
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
set -- --mount
[ "$(id -u)" = 0 ] || set -- --mount --map-current-user --keep-caps
# Its user is one that this machine need not have.
# shellcheck disable=SC2016
exec unshare "$@" sh -c '
    mount --bind "$1/passwd" /etc/passwd
    exec /usr/sbin/sshd -i -f "$1/sshd_config" -E "$1/sshd.log"' sh "$instance"
