#!/usr/bin/env bash
# Boots what Seatbox makes of an instance of EC2: a virtual machine with a real kernel and a real
# cloud-init gets the user data of a real `seatbox up`, and is used until its time is over.
#
#   scripts/boot-guest.sh                        Debian 13; 25 minutes without KVM
#   scripts/boot-guest.sh --image ubuntu-22.04   another one of docs/aws.md, or ubuntu-24.04
#   scripts/boot-guest.sh --seatbox PROGRAM      a seatbox that is built already
#   scripts/boot-guest.sh --keep                 leave the image and what the machine wrote
#   scripts/boot-guest.sh --help                 this text
#
# Nothing is on AWS. The image is made of the distribution's packages; AWS is an emulator, the metadata
# service one that asks it (scripts/guest/imds.py), and what else comes from the internet a mirror
# (scripts/guest/mirror.py). All of it is in namespaces of its own, and gone when the script ends.
#
# For Debian and Ubuntu, as root or with sudo. KVM is used where it runs any kernel; without it the same
# takes some minutes more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

readonly GUEST=$CARGO_TARGET_DIR/guest
readonly MOTO=${SEATBOX_TEST_MOTO:-$CARGO_TARGET_DIR/tools/moto}
readonly REGION=ap-southeast-1
readonly ENDPOINT=http://127.0.0.1:5000
# That of QEMU's network, where the guest sees this machine's loopback, and itself.
readonly NETWORK=10.214.0.0/24 HOST=10.214.0.2
readonly MIRROR=mirror.example

image=debian-13
seatbox=
keep=
inside=

say() { printf '[%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
help() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }

while (($#)); do
    case $1 in
        --image) image=${2-} && shift ;;
        --seatbox) seatbox=${2-} && shift ;;
        --keep) keep=yes ;;
        --inside) inside=yes SECONDS=${2-0} && shift ;;
        -h | --help) help && exit ;;
        *) die "unknown argument $1 (see scripts/boot-guest.sh --help)" 2 ;;
    esac
    shift || break
done
case $image in
    debian-13) suite=trixie ;;
    ubuntu-22.04) suite=jammy ;;
    ubuntu-24.04) suite=noble ;;
    *) die '--image takes debian-13, ubuntu-22.04 or ubuntu-24.04' 2 ;;
esac
readonly suite work=$GUEST/run disk=$GUEST/$image

child='' tap='' keys=
clean_up() {
    [[ ! $keys ]] || rm -rf "$keys"
    # It is deaf to all other signals.
    [[ ! $child ]] || kill -KILL "$child" 2>/dev/null || true
    [[ ! $tap ]] || kill "$tap" 2>/dev/null || true
    [[ $keep ]] || rm -rf "$GUEST"
}

# --- outside: what is made of packages ---------------------------------------------------------

# Settings of this machine's apt that say how archives are reached.
apt_settings() { apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-(Date|Valid-Until)) ' || true; }

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$MIRROR" \
        -addext "subjectAltName=DNS:$MIRROR" -keyout "$GUEST/mirror.key" -out "$GUEST/mirror.crt" 2>/dev/null
}

# Ubuntu's keys, which Debian does not have, where apt's own user can read them.
ubuntu_keyring() {
    local deb=ubuntu-keyring_2021.03.26_all.deb
    curl -fsS --retry 3 -o "$GUEST/$deb" "https://archive.ubuntu.com/ubuntu/pool/main/u/ubuntu-keyring/$deb"
    dpkg-deb --fsys-tarfile "$GUEST/$deb" |
        tar -xO ./usr/share/keyrings/ubuntu-archive-keyring.gpg >"$keys/ubuntu.gpg"
    chmod 755 "$keys"
    printf '%s\n' "$keys/ubuntu.gpg"
}

# What is in a cloud's image, as far as Seatbox has to do with it, and the way to the mirror.
make_disk() {
    # Without ifupdown, which cloud-init would take before netplan, and no cloud's image has.
    local packages=(apt locales initramfs-tools systemd-sysv udev kmod dbus apparmor procps iproute2 iputils-ping netbase
        cloud-init cloud-guest-utils netplan.io openssh-server sudo curl ca-certificates) sources=() keyring setting options=() mapped=(env)
    case $image in
        debian-*)
            packages+=(linux-image-cloud-amd64 systemd-resolved systemd-timesyncd)
            keyring=/usr/share/keyrings/debian-archive-keyring.gpg
            sources=("deb http://deb.debian.org/debian $suite main"
                "deb http://deb.debian.org/debian $suite-updates main"
                "deb http://deb.debian.org/debian-security $suite-security main")
            ;;
        ubuntu-*)
            packages+=(linux-image-virtual lsb-release)
            [[ $suite == jammy ]] || packages+=(systemd-resolved)
            keyring=$(ubuntu_keyring)
            sources=("deb http://archive.ubuntu.com/ubuntu $suite main universe"
                "deb http://archive.ubuntu.com/ubuntu $suite-updates main universe"
                "deb http://security.ubuntu.com/ubuntu $suite-security main universe")
            ;;
    esac
    while IFS= read -r setting; do
        options+=(--aptopt="$setting")
    done < <(apt_settings)
    mkdir -p "$disk.new"
    # shellcheck disable=SC2016
    mmdebstrap --variant=minbase --keyring="$keyring" "${options[@]}" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --skip=cleanup/apt --include="$(IFS=, && echo "${packages[*]}")" \
        --essential-hook='mkdir -p "$1/usr/local/share/ca-certificates"' \
        --essential-hook="copy-in $GUEST/mirror.crt /usr/local/share/ca-certificates" \
        --customize-hook='chroot "$1" update-ca-certificates' \
        --customize-hook="echo $HOST $MIRROR >>\"\$1/etc/hosts\"" \
        --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname"; : >"$1/etc/machine-id"' \
        --customize-hook='ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"' \
        "$suite" "$disk.new/root.tar" "${sources[@]}" >"$GUEST/mmdebstrap.log" 2>&1 ||
        die "no image: $(tail -n 5 "$GUEST/mmdebstrap.log")"
    ((EUID == 0)) || mapped=(unshare --map-root-user --map-auto)
    # shellcheck disable=SC2016
    "${mapped[@]}" sh -euc '
        cd "$1"
        mkdir root
        tar -xf root.tar -C root
        cp root/boot/vmlinuz-* vmlinuz
        cp root/boot/initrd.img-* initrd
        truncate -s 12G disk
        mke2fs -q -t ext4 -L cloudimg-rootfs -d root disk
        rm -rf root root.tar' sh "$disk.new" || die 'no disk'
    mv "$disk.new" "$disk"
}

# Go as Debian has it, in an archive as the Go project's.
make_go() {
    local root=$work/go-root
    mkdir -p "$root" "$work/mirror/go"
    mmdebstrap --quiet --variant=extract --include=golang-1.23-go --aptopt='APT::Install-Recommends "false"' \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg bookworm "$work/go.tar" \
        'deb http://deb.debian.org/debian bookworm main' 'deb http://deb.debian.org/debian bookworm-backports main'
    tar -xf "$work/go.tar" -C "$root" ./usr/lib/go-1.23 ./usr/share/go-1.23
    tar -chzf "$work/mirror/go/$1" -C "$root/usr/lib" --transform 's,^go-1.23,go,' go-1.23
    rm -rf "$root" "$work/go.tar"
}

# An image of busybox, as `docker save` writes it.
make_busybox() {
    local root=$work/busybox images=$work/mirror/images/library/busybox layer
    mkdir -p "$root/bin" "$root/tmp" "$root/etc" "$images" "$work/image"
    (cd "$work/image" && apt-get -qq -o APT::Sandbox::User=root download busybox-static >/dev/null)
    dpkg-deb --fsys-tarfile "$work/image"/busybox-static_*.deb | tar -xO --wildcards './*bin/busybox' >"$root/bin/busybox"
    chmod 755 "$root/bin/busybox"
    "$root/bin/busybox" --list | while IFS= read -r layer; do
        [[ $layer == busybox ]] || ln -s busybox "$root/bin/$layer"
    done
    echo root:x:0:0::/:/bin/sh >"$root/etc/passwd"
    tar -cf "$work/image/layer.tar" --owner=0 --group=0 --numeric-owner -C "$root" .
    layer=$(sha256sum <"$work/image/layer.tar")
    printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "${layer%% *}" >"$work/image/config.json"
    printf '[{"Config":"config.json","RepoTags":["busybox:1"],"Layers":["layer.tar"]}]' >"$work/image/manifest.json"
    tar -cf "$images/1.tar" -C "$work/image" config.json manifest.json layer.tar
    rm -rf "$root" "$work/image"
}

outside() {
    local go_file go_sha status=0
    trap clean_up EXIT
    keys=$(mktemp -d)
    trap 'exit 130' INT TERM
    scripts/engine.sh tools qemu-system-x86 mmdebstrap slirp4netns debian-archive-keyring e2fsprogs \
        openssh-client openssl curl
    python_tools
    [[ ${SEATBOX_TEST_MOTO-} ]] || install_moto "$MOTO"
    if [[ ! $seatbox ]]; then
        prepare_toolchain
        cargo build --locked --bin seatbox
        seatbox=$CARGO_TARGET_DIR/debug/seatbox
    fi
    rm -rf "$work"
    mkdir -p "$work"
    if [[ ! -e $disk ]]; then
        say "Making a disk of $image"
        rm -rf "$disk.new"
        [[ -e $GUEST/mirror.crt ]] || make_certificate
        make_disk
    fi
    say 'Making what it fetches from elsewhere'
    make_busybox
    go_file=go$(sed -n 's/^ *version: "\(1\.[0-9.]*\)".*/\1/p' src/provider/aws/ec2/guest_data.rs).linux-amd64.tar.gz
    make_go "$go_file"
    go_sha=$(sha256sum "$work/mirror/go/$go_file")
    printf '%s\n' "${go_sha%% *}" >"$work/go.sha256"

    # What runs in there ends with its first process, and its addresses with it.
    unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc \
        "$0" --inside "$SECONDS" --image "$image" --seatbox "$seatbox" &
    child=$!
    until [[ $(readlink "/proc/$child/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do
        sleep 0.1
    done
    slirp4netns --configure "$child" tap0 >"$work/slirp4netns.log" 2>&1 &
    tap=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

# --- inside: a machine, and AWS ----------------------------------------------------------------

# Calls of the emulator: aws OPERATION NAME=JSON...
aws() {
    "$MOTO/bin/python3" - "$ENDPOINT" "$REGION" "$@" <<'END'
import json, sys
import boto3
endpoint, region, operation, *given = sys.argv[1:]
call = getattr(boto3.client("ec2", endpoint_url=endpoint, region_name=region), operation)
answer = call(**{name: json.loads(value) for name, _, value in (one.partition("=") for one in given)})
print(json.dumps(answer, default=str))
END
}

seatbox() { PATH=$work/bin:$PATH "$seatbox" "$@"; }

# A command in the guest itself: Seatbox's own ssh, with all that it is given but the command.
guest() { GUEST_COMMAND=$1 seatbox exec --quiet --seat 1 -- true; }

in_time() { # in_time SECONDS COMMAND...: until it succeeds
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < end)) || return 1
        sleep 2
    done
}

passed=0 failed=0
check() { # check WHAT COMMAND...
    local output
    if output=$("${@:2}" 2>&1); then
        say "ok    $1"
        passed=$((passed + 1))
    else
        say "FAILED $1"
        tail -n 25 <<<"$output"
        failed=$((failed + 1))
    fi
}

connected() { ip -4 -o address show dev tap0 2>/dev/null | grep -q inet; }

set_up() {
    local name
    # The user's resolver may be one of the loopback outside.
    printf 'nameserver 10.0.2.3\n' >"$work/resolv.conf"
    mount --bind "$work/resolv.conf" /etc/resolv.conf
    ip link set lo up
    ip address add 169.254.169.254/32 dev lo
    in_time 30 connected || die "no way out of the namespace: $(cat "$work/slirp4netns.log")"

    mkdir -p "$work/bin" "$work/home"
    cat >"$work/bin/ssh" <<'END'
#!/bin/bash
if [[ ${GUEST_COMMAND-} ]]; then
    set -- "${@:1:$#-1}" "$GUEST_COMMAND"
fi
exec /usr/bin/ssh "$@"
END
    chmod +x "$work/bin/ssh"
    printf 'Host *\n    HostName 127.0.0.1\n    Port 2222\n' >"$work/ssh_config"
    for name in $(compgen -v AWS_) http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; do
        unset "$name"
    done
    export AWS_ENDPOINT_URL=$ENDPOINT AWS_REGION=$REGION AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
        AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true \
        XDG_CONFIG_HOME=$work/home XDG_DATA_HOME=$work/home XDG_STATE_HOME=$work/home \
        SEATBOX_ENVIRONMENT=$PWD/scripts/guest/environment.yaml SEATBOX__SEATS__COUNT=1 SEATBOX__EC2__SSH_CONFIG=$work/ssh_config \
        SEATBOX__EC2__MIRRORS__GO=https://$MIRROR/go SEATBOX__IMAGES__MIRRORS="[$MIRROR]"

    MOTO_AMIS_PATH=$PWD/scripts/emulator/images.json "$MOTO/bin/python3" scripts/emulator/aws.py \
        -H 127.0.0.1 -p 5000 >"$work/moto.log" 2>&1 &
    "$MOTO/bin/python3" scripts/guest/imds.py "$ENDPOINT" "$REGION" "$(cat "$work/go.sha256")" >"$work/imds.log" 2>&1 &
    python3 scripts/guest/mirror.py "$work/mirror" "$GUEST/mirror.crt" "$GUEST/mirror.key" >"$work/mirror.log" 2>&1 &
    in_time 60 curl -fs -o /dev/null "$ENDPOINT/moto-api/" || die "the emulator did not start: $work/moto.log"
}

launched() { aws describe_instances | grep -q '"InstanceId"'; }

start_machine() {
    local accelerator=tcg,thread=multi mac
    # There are hosts whose KVM runs only kernels that were made for it; these have neither flag.
    if [[ -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
        accelerator=kvm
    fi
    mac=$(aws describe_instances | grep -o '"MacAddress": "[^"]*"' | head -n 1 | cut -d '"' -f 4)
    say "Booting ($accelerator)"
    # As an instance on Nitro has it: what the hardware says of itself, a disk of NVMe, two processors
    # and 2 GiB (t3.small).
    qemu-system-x86_64 -machine q35 -accel "$accelerator" -cpu max -smp 2 -m 2048 -display none \
        -serial "file:$work/console.log" \
        -kernel "$disk/vmlinuz" -initrd "$disk/initrd" \
        -append 'root=LABEL=cloudimg-rootfs rw console=ttyS0 net.ifnames=0' \
        -drive "file=$disk/disk,format=raw,if=none,id=root,snapshot=on,cache=unsafe" \
        -device nvme,drive=root,serial=vol0a1b2c3d4e5f60718 \
        -netdev "user,id=net,net=$NETWORK,hostfwd=tcp:127.0.0.1:2222-:22" \
        -device "virtio-net-pci,netdev=net,mac=$mac" \
        -smbios type=0,vendor='Amazon EC2',version=1.0 \
        -smbios type=1,manufacturer='Amazon EC2',product=t3.small,serial=ec2a1b2c-3d4e-5f60-7182-93a4b5c6d7e8,uuid=ec2a1b2c-3d4e-5f60-7182-93a4b5c6d7e8 \
        >"$work/qemu.log" 2>&1 &
    machine=$!
}

inside() {
    local again upping
    set_up
    seatbox up --log-format plain >"$work/up.log" 2>&1 &
    upping=$!
    in_time 60 launched || die "seatbox up launched nothing: $(tail -n 5 "$work/up.log")"
    start_machine
    for again in yes ''; do
        if wait "$upping"; then
            break
        fi
        tail -n 9 "$work/up.log"
        if [[ ! $again ]]; then
            guest 'sudo tail -n 30 /var/log/seatbox-install.log; cat /var/log/cloud-init-output.log | tail -n 30' || true
            die 'the seat did not come up'
        fi
        # Its patience is made for real machines.
        say 'seatbox up gave up, and is called again'
        seatbox up --log-format plain >"$work/up.log" 2>&1 &
        upping=$!
    done
    say 'The seat is up'
    guest "systemd-analyze | head -n 1; free -m | sed -n '2s/^/MiB /p'; df -h / | tail -n 1" || true
    checks
    say "$passed checks passed, $failed failed"
    ((failed == 0))
}

is_ready() { seatbox status --output json | grep -q '"state": *"ready"'; }
reset_keeps_the_workspace() {
    seatbox exec --quiet --seat 1 -- sh -c 'echo mine >mine' &&
        seatbox reset --quiet --seat 1 &&
        [[ $(seatbox exec --quiet --seat 1 -- cat README mine) == *begins*mine ]]
}
logs_are_read() {
    local lines
    lines=$(seatbox logs --quiet --seat 1) && [[ $lines == *'first ran'* && $lines == *serving* ]]
}
# What the tag says, and what the guest goes by.
tag() { aws describe_tags | grep -o '"dev.seatbox.expires", [^}]*' | grep -om1 '20[0-9T:Z-]*'; }
timer_follows() { [[ $(guest 'cat /var/lib/seatbox/expires') == "$(tag)" ]]; }
moved_end_arrives() {
    local before
    before=$(guest 'cat /var/lib/seatbox/expires')
    seatbox extend --quiet --by 1h && in_time 100 timer_follows && [[ $(tag) != "$before" ]]
}
boot_id() { guest 'cat /proc/sys/kernel/random/boot_id' 2>/dev/null; }
rebooted() { [[ $(boot_id) =~ ^[0-9a-f-]{36}$ && $(boot_id) != "$1" ]]; }
stack_is_ready() { guest 'sudo -n /usr/local/sbin/seatbox-stack ready'; }
comes_again_after_a_reboot() {
    local before
    before=$(boot_id)
    guest 'sudo systemd-run --quiet --on-active=1 systemctl reboot' &&
        in_time 600 rebooted "$before" && in_time 300 stack_is_ready
}
is_off() { ! kill -0 "$machine" 2>/dev/null; }
ends_by_itself() {
    local id
    id=$(aws describe_instances | grep -om1 '"InstanceId": "[^"]*"' | cut -d '"' -f 4)
    aws create_tags "Resources=[\"$id\"]" \
        "Tags=[{\"Key\": \"dev.seatbox.expires\", \"Value\": \"$(date -u -d '-1 min' +%FT%TZ)\"}]" >/dev/null &&
        in_time 240 is_off
}

# What stands in single quotes is for the guest.
# shellcheck disable=SC2016
checks() {
    check 'the seat lets its own key in' guest true
    check 'cloud-init is done, without errors' guest 'cloud-init status --wait --long'
    check 'cloud-init finds its settings valid' guest 'sudo cloud-init schema --system'
    check 'the instance was known as one of EC2' guest 'cloud-id | grep -x aws'
    check 'no unit has failed' guest 'systemctl --failed --no-pager --no-legend; test -z "$(systemctl --failed --no-legend)"'
    check 'it has its name, and sudo finds it' guest 'test "$(hostname)" = guest-01 && test -z "$(sudo -n true 2>&1)"'
    check 'nobody gets in by a password' guest 'sudo sshd -T | grep -x "passwordauthentication no"'
    check 'Docker is the user'"'"'s' guest 'docker version --format "{{.Server.Version}}" && docker compose version'
    check 'Go 1.23 is there' guest 'go version | grep "go1\.23"'
    check 'the timer is set, and knows the end' guest 'systemctl is-active seatbox-deadline.timer && cat /var/lib/seatbox/expires'
    check 'the stack is as it should be' is_ready
    check 'a published port answers with the seat'"'"'s secret' guest 'curl -fsS http://127.0.0.1:8080/ | grep -E "^seat 1: [A-Za-z0-9]{24}$"'
    check 'logs are read' logs_are_read
    check 'reset keeps the workspace, and no more' reset_keeps_the_workspace
    check 'a moved tag moves the end' moved_end_arrives
    check 'it comes again after a reboot' comes_again_after_a_reboot
    check 'no unit has failed after it' guest 'test -z "$(systemctl --failed --no-legend)"'
    check 'it ends by itself, once the tag is past' ends_by_itself
}

if [[ $inside ]]; then
    inside
else
    outside
fi
