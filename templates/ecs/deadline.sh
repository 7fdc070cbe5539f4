#!/bin/sh
# Ends when the seat's time is over, and with it the task, of which this container is essential.
#
# The time is the later of what it was started with and of the task's tag, which `seatbox extend`
# moves. While the tag can't be read, what was known before holds. Runs with BusyBox.
#   SEATBOX_EXPIRES                when the seat ends, RFC 3339 in UTC
#   ECS_CONTAINER_METADATA_URI_V4  set by ECS
#   SEATBOX_DEADLINE_INTERVAL      seconds between two looks, 60 unless set
set -u

# A moment as a number: its digits down to the second. Nothing where it is none.
moment() {
    printf '%s\n' "$1" | sed -n \
        's/^\([0-9]\{4\}\)-\([0-9]\{2\}\)-\([0-9]\{2\}\)T\([0-9]\{2\}\):\([0-9]\{2\}\):\([0-9]\{2\}\).*Z$/\1\2\3\4\5\6/p'
}

tagged() {
    # Not by wget's own limit: that of Debian's BusyBox 1.35 crashes.
    timeout 10 wget -q -O - "${ECS_CONTAINER_METADATA_URI_V4-}/taskWithTags" 2>/dev/null |
        sed -n 's/.*"dev\.seatbox\.expires"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p'
}

# As the first process, it would not be ended by the signal otherwise.
trap 'exit 143' TERM INT

end=$(moment "${SEATBOX_EXPIRES-}")
if [ -z "$end" ]; then
    echo "seatbox-deadline: SEATBOX_EXPIRES is not a moment; the task would not end, so it ends now"
    exit 64
fi
echo "seatbox-deadline: the seat ends at $SEATBOX_EXPIRES"
while :; do
    tag=$(tagged)
    later=$(moment "$tag")
    if [ -n "$later" ] && [ "$later" -gt "$end" ]; then
        end=$later
        echo "seatbox-deadline: the seat ends at $tag"
    fi
    if [ "$(date -u +%Y%m%d%H%M%S)" -ge "$end" ]; then
        echo "seatbox-deadline: the seat's time is over"
        exit 0
    fi
    # In the background, so that a signal is heard at once.
    sleep "${SEATBOX_DEADLINE_INTERVAL:-60}" &
    wait $!
done
