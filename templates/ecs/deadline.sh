#!/bin/sh
# Ends when the seat's time is over, and with it the task, of which this container is essential.
#
# The time is the later of what it was started with and of the task's tag, which `seatbox extend`
# moves. ECS itself is asked for that: a task's metadata have no tags on Fargate. While the tag can't
# be read, what was known before holds.
#   SEATBOX_EXPIRES            when the seat ends, RFC 3339 in UTC
#   SEATBOX_REGION             the task's region
#   SEATBOX_ECS                the address of ECS there
#   SEATBOX_DEADLINE_INTERVAL  seconds between two looks, 60 unless set
#   ECS_CONTAINER_METADATA_URI_V4, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
#                              set by ECS: where the task's metadata and its role's credentials are
set -u

# A moment as a number: its digits down to the second. Nothing where it is none.
moment() {
    printf '%s\n' "$1" | sed -n \
        's/^\([0-9]\{4\}\)-\([0-9]\{2\}\)-\([0-9]\{2\}\)T\([0-9]\{2\}\):\([0-9]\{2\}\):\([0-9]\{2\}\).*Z$/\1\2\3\4\5\6/p'
}

# The text that stands under that name in JSON.
field() {
    sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p'
}

# What is at an address, with an end to how long that may take.
ask() {
    curl --silent --fail --max-time 8 "$@"
}

# Sets `tag` to when the task ends by its tag, or `trouble` to why that is not known.
#
# The credentials are in no argument, which others could read, and in no file: `printf` is the shell's own.
look() {
    tag='' trouble='' says=''
    [ -n "$task" ] || task=$(ask "${ECS_CONTAINER_METADATA_URI_V4-}/task" | field TaskARN)
    [ -n "$task" ] || { trouble='its metadata do not name it' && return; }
    keys=$(ask "http://169.254.170.2${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI-}")
    id=$(printf '%s' "$keys" | field AccessKeyId)
    secret=$(printf '%s' "$keys" | field SecretAccessKey)
    token=$(printf '%s' "$keys" | field Token)
    [ -n "$secret" ] || { trouble='it has no credentials' && return; }
    tags=$(
        printf 'user = "%s:%s"\nheader = "X-Amz-Security-Token: %s"\n' "$id" "$secret" "$token" |
            ask --config - --aws-sigv4 "aws:amz:${SEATBOX_REGION-}:ecs" \
                --header 'Content-Type: application/x-amz-json-1.1' \
                --header 'X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListTagsForResource' \
                --data "{\"resourceArn\":\"$task\"}" "${SEATBOX_ECS-}/"
    ) || { trouble="ECS refuses, or does not answer (curl's code is $?)" && return; }
    # One tag a line, whatever the order of its two parts.
    tag=$(printf '%s' "$tags" | tr -d '\n' | tr '}' '\n' |
        sed -n '/"key"[[:space:]]*:[[:space:]]*"dev\.seatbox\.expires"/p' | field value)
    [ -n "$(moment "$tag")" ] || says="${tag:+it says $tag}"
}

watch() {
    task='' said='' late=0
    while :; do
        look
        later=$(moment "$tag")
        if [ -n "$later" ]; then
            said=''
        elif [ -z "$said" ]; then
            said=yes
            echo "seatbox-deadline: the task's tag does not tell its end: ${trouble:-${says:-there is none}}; what is known holds"
        fi
        if [ -n "$later" ] && [ "$later" -gt "$end" ]; then
            end=$later
            echo "seatbox-deadline: the seat ends at $tag"
        fi
        if [ "$(date -u +%Y%m%d%H%M%S)" -ge "$end" ]; then
            # Of a tag that could not be read at the last moment nobody knows whether it was moved.
            if [ -n "$trouble" ] && [ "$late" -lt 2 ]; then
                late=$((late + 1))
            else
                echo "seatbox-deadline: the seat's time is over"
                exit 0
            fi
        fi
        sleep "${SEATBOX_DEADLINE_INTERVAL:-60}"
    done
}

end=$(moment "${SEATBOX_EXPIRES-}")
if [ -z "$end" ]; then
    echo "seatbox-deadline: SEATBOX_EXPIRES is not a moment; the task would not end, so it ends now"
    exit 64
fi
echo "seatbox-deadline: the seat ends at $SEATBOX_EXPIRES"
# In the background, so that a signal is heard at once, whatever is being waited for. As the first
# process, this one would not be ended by it otherwise.
watch &
trap 'kill $!; exit 143' TERM INT
wait $!
