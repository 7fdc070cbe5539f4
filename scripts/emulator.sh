#!/usr/bin/env bash
# An emulator of AWS on this machine for one provider: nothing in it is on AWS, nothing costs anything,
# and all of it is gone when it is stopped.
#
#   scripts/emulator.sh start PROVIDER [NAME=VALUE]...
#                                       use the one that answers, else install and start one; with these
#                                       variables in the file below
#   scripts/emulator.sh stop PROVIDER   stop it, and forget all that it held
#   scripts/emulator.sh file PROVIDER   print the path of a file to source: with it seatbox takes the
#                                       emulator for AWS
#
# It is moto (scripts/moto.txt) with what scripts/emulator/ adds, below CARGO_TARGET_DIR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/build.sh
. scripts/build.sh

readonly PROGRAM=scripts/emulator/aws.py
readonly START_SECONDS=60
# Where the shipped environments are.
readonly REGION=ap-southeast-1

say() { printf 'emulator: %s\n' "$*"; }

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
}

# Prints the process id if it is still that of the emulator, be it another clone's.
running() {
    local pid
    pid=$(cat "$directory/pid" 2>/dev/null) || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "/$PROGRAM" || return 1
    printf '%s\n' "$pid"
}

# Without what the user has set for AWS, in a shell or in files: no call may go to a real account.
write_file() {
    local name setting
    {
        printf '# With this, seatbox takes the emulator of AWS at %s for AWS. To be sourced.\n' "$1"
        for name in AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN \
            AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE \
            AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_CA_BUNDLE \
            AWS_ENDPOINT_URL_{CLOUDWATCH_LOGS,EC2,ECS,IAM,RESOURCE_GROUPS_TAGGING_API,SERVICE_QUOTAS,SSM,STS}; do
            printf 'unset %s\n' "$name"
        done
        printf 'export %s=%q\n' \
            AWS_ENDPOINT_URL "$1" AWS_REGION "$REGION" AWS_DEFAULT_REGION "$REGION" \
            AWS_ACCESS_KEY_ID test AWS_SECRET_ACCESS_KEY test \
            AWS_CONFIG_FILE /dev/null AWS_SHARED_CREDENTIALS_FILE /dev/null \
            AWS_EC2_METADATA_DISABLED true \
            NO_PROXY 127.0.0.1 no_proxy 127.0.0.1 \
            SEATBOX_ENVIRONMENT "$PWD/environments/aws-$provider.yaml"
        [[ $provider != ec2 ]] || printf 'export %s=%q\n' SEATBOX__EC2__SSH_CONFIG "$directory/ssh_config"
        for setting in "${@:2}"; do
            printf 'export %s=%q\n' "${setting%%=*}" "${setting#*=}"
        done
    } >"$directory/environment.sh"
}

# Every host is an instance of this emulator; keys are exchanged in the quickest of the good ways.
write_ssh_config() {
    cat >"$directory/ssh_config" <<END
Host *
    ProxyCommand "$PWD/scripts/emulator/instance.sh" "$directory/instances" $1 $REGION %h
    KexAlgorithms curve25519-sha256
    Ciphers aes128-gcm@openssh.com
END
}

start() {
    local pid url port deadline
    if pid=$(running) && url=$(cat "$directory/url" 2>/dev/null); then
        [[ ! $* ]] || write_file "$url" "$@"
        say "process $pid stands in for AWS at $url"
        return
    fi
    # One that was interrupted while it started is of no use.
    stop
    mkdir -p "$directory"
    command -v python3 >/dev/null || scripts/engine.sh tools python3
    python_tools
    install_moto "$TOOLS/moto"
    if [[ $provider == ec2 ]]; then
        # With these its instances answer.
        command -v ssh >/dev/null || scripts/engine.sh tools openssh-client
        command -v curl >/dev/null || scripts/engine.sh tools curl
        [[ -x /usr/sbin/sshd ]] || scripts/engine.sh idle openssh-server
    fi

    : >"$directory/log"
    MOTO_AMIS_PATH=$PWD/scripts/emulator/images.json PYTHONUNBUFFERED=1 \
        setsid "$TOOLS/moto/bin/python3" "$PWD/$PROGRAM" -H 127.0.0.1 -p 0 \
        >"$directory/log" 2>&1 </dev/null &
    printf '%s\n' $! >"$directory/pid"
    deadline=$((SECONDS + START_SECONDS))
    until port=$(sed -n 's|.*Running on http://127\.0\.0\.1:\([0-9]*\).*|\1|p' "$directory/log") && [[ $port ]]; do
        if ! kill -0 $! 2>/dev/null || ((SECONDS >= deadline)); then
            die "the emulator did not start; its log ends:"$'\n'"$(tail -n 20 "$directory/log")"
        fi
        sleep 0.1
    done
    url=http://127.0.0.1:$port
    [[ $provider != ec2 ]] || write_ssh_config "$url"
    write_file "$url" "$@"
    # The last, for it says that all is there.
    printf '%s\n' "$url" >"$directory/url"
    say "process $! stands in for AWS at $url"
}

stop() {
    local pid
    if pid=$(running); then
        kill "$pid"
        while running >/dev/null; do
            sleep 0.1
        done
        say "stopped (process $pid)"
    fi
    rm -rf "$directory"
}

verb=${1-} provider=${2-}
[[ $provider == ec2 || $provider == ecs ]] || usage
readonly TOOLS=$CARGO_TARGET_DIR/tools
readonly directory=$CARGO_TARGET_DIR/emulator/$provider
case $verb in
    start) start "${@:3}" ;;
    stop) stop ;;
    file) printf '%s\n' "$directory/environment.sh" ;;
    *) usage ;;
esac
