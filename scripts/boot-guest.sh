#!/usr/bin/env bash
# Boots what Seatbox makes of an instance of EC2: a virtual machine with a real kernel and a real
# cloud-init gets the user data of a real `seatbox up`, and is used until its time is over.
#
#   scripts/boot-guest.sh                        Debian 13; about a quarter of an hour
#   scripts/boot-guest.sh --image ubuntu-22.04   another one of docs/aws.md, or ubuntu-24.04
#   scripts/boot-guest.sh --seatbox PROGRAM      a seatbox that is built already
#   scripts/boot-guest.sh --environment FILE     another environment than scripts/guest/environment.yaml;
#                                                its images are those of the engine, by recipe
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
environment=scripts/guest/environment.yaml
seatbox=
keep=
inside=

say() { printf '[%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
help() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }

while (($#)); do
    case $1 in
        --image) image=${2-} && shift ;;
        --environment) environment=${2-} && shift ;;
        --seatbox) seatbox=${2-} && shift ;;
        --keep) keep=yes ;;
        --inside) inside=yes ;;
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

# --- outside: what is made of packages ---------------------------------------------------------

# Settings of this machine's apt that say how archives are reached.
apt_settings() { apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-(Date|Valid-Until)) ' || true; }

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$MIRROR" \
        -addext "subjectAltName=DNS:$MIRROR" -keyout "$GUEST/mirror.key" -out "$GUEST/mirror.crt" 2>/dev/null
}

# Ubuntu's keys, which Debian does not have.
ubuntu_keyring() {
    local deb=ubuntu-keyring_2021.03.26_all.deb
    curl -fsS --retry 3 -o "$GUEST/$deb" "https://archive.ubuntu.com/ubuntu/pool/main/u/ubuntu-keyring/$deb"
    dpkg-deb --fsys-tarfile "$GUEST/$deb" |
        tar -xO ./usr/share/keyrings/ubuntu-archive-keyring.gpg >"$GUEST/ubuntu.gpg"
    printf '%s\n' "$GUEST/ubuntu.gpg"
}

# What is in a cloud's image, as far as Seatbox has to do with it, and the way to the mirror.
make_disk() {
    # Without ifupdown, which cloud-init would take before netplan, and no cloud's image has.
    local packages=(initramfs-tools systemd-sysv udev kmod dbus apparmor procps iproute2 iputils-ping netbase
        cloud-init cloud-guest-utils netplan.io openssh-server sudo curl ca-certificates) sources=() keyring setting options=()
    case $image in
        debian-*)
            packages+=(linux-image-cloud-amd64 systemd-resolved systemd-timesyncd)
            keyring=/usr/share/keyrings/debian-archive-keyring.gpg
            sources=("deb http://deb.debian.org/debian $suite main"
                "deb http://deb.debian.org/debian $suite-updates main"
                "deb http://deb.debian.org/debian-security $suite-security main")
            ;;
        ubuntu-*)
            packages+=(linux-image-kvm)
            [[ $suite == jammy ]] || packages+=(systemd-resolved linux-image-virtual)
            keyring=$(ubuntu_keyring)
            sources=("deb http://archive.ubuntu.com/ubuntu $suite main universe"
                "deb http://archive.ubuntu.com/ubuntu $suite-updates main universe"
                "deb http://security.ubuntu.com/ubuntu $suite-security main universe")
            ;;
    esac
    while IFS= read -r setting; do
        options+=(--aptopt="$setting")
    done < <(apt_settings)
    mkdir -p "$disk.new/root"
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase --format=null --keyring="$keyring" "${options[@]}" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --skip=cleanup/apt --include="$(IFS=, && echo "${packages[*]}")" \
        --essential-hook='mkdir -p "$1/usr/local/share/ca-certificates"' \
        --essential-hook="copy-in $GUEST/mirror.crt /usr/local/share/ca-certificates" \
        --customize-hook='chroot "$1" update-ca-certificates' \
        --customize-hook="echo $HOST $MIRROR >>\"\$1/etc/hosts\"" \
        --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/machine-id" "$1/etc/hostname" "$1"/var/cache/apt/archives/*.deb; : >"$1/etc/machine-id"' \
        --customize-hook='ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"' \
        --customize-hook="cp \"\$1\"/boot/vmlinuz-* '$disk.new/vmlinuz' && cp \"\$1\"/boot/initrd.img-* '$disk.new/initrd'" \
        --customize-hook="mount --bind \"\$1\" '$disk.new/root' && truncate -s 12G '$disk.new/disk' && mke2fs -q -t ext4 -L cloudimg-rootfs -d '$disk.new/root' '$disk.new/disk' && umount '$disk.new/root'" \
        "$suite" /dev/null "${sources[@]}"
    rmdir "$disk.new/root"
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

tap=
clean_up() {
    [[ ! $tap ]] || kill "$tap" 2>/dev/null || true
    [[ $keep ]] || rm -rf "$GUEST"
}

outside() {
    local child go_file go_sha=''
    trap clean_up EXIT
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
        "$0" --inside --image "$image" --environment "$environment" --seatbox "$seatbox" &
    child=$!
    until [[ $(readlink "/proc/$child/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do
        sleep 0.1
    done
    slirp4netns --configure "$child" tap0 >"$work/slirp4netns.log" 2>&1 &
    tap=$!
    wait "$child"
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
        sed 's/^/        /' <<<"$output" | tail -n 25
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
        SEATBOX_ENVIRONMENT=$environment SEATBOX__SEATS__COUNT=1 SEATBOX__EC2__SSH_CONFIG=$work/ssh_config \
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

# The image's machine takes minutes for what an instance does in seconds.
inside() {
    local up=0
    machine=
    set_up
    seatbox up --log-format plain >"$work/up.log" 2>&1 &
    local upping=$!
    in_time 60 launched || die "seatbox up launched nothing: $(tail -n 5 "$work/up.log")"
    start_machine
    wait "$upping" || up=$?
    say "seatbox up ended with $up"
    tail -n 8 "$work/up.log"
    guest 'sudo tail -n 30 /var/log/seatbox-install.log; cat /etc/apt/sources.list /etc/apt/sources.list.d/*' || true
    [[ ! -e /tmp/hold ]] || sleep 3000
    checks
    say "$passed checks passed, $failed failed"
    ((failed == 0))
}

checks() {
    check 'the seat lets its own key in' guest true
    check 'cloud-init is done, without errors' guest 'cloud-init status --wait --long'
    check 'cloud-init finds its settings valid' guest 'sudo cloud-init schema --system'
}

if [[ $inside ]]; then
    inside
else
    outside
fi
