//! Sizes, CPUs and spans of time as people write them.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousTimestamp, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A size in bytes: `512MiB`, `512m`, `1.5g`, `4096`. As in Compose and Docker, every unit counts
/// in powers of 1024.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    decimal(number, 1024_u64.pow(power))
}

/// CPUs in billionths: `1.0`, `0.5`, `2`.
pub(super) fn nano_cpus(text: &str) -> Option<u64> {
    decimal(text.trim(), 1_000_000_000)
}

/// The decimal number `text` times `unit`, rounded down, without the rounding of floats.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Nine digits are more than any size needs, and keep the product within 128 bits.
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let whole = u128::from(whole.parse::<u64>().ok()?);
    let number = whole.checked_mul(scale)?.checked_add(fraction)?;
    u64::try_from(number.checked_mul(u128::from(unit))? / scale).ok()
}

/// A span of time: `12h`, `1h30m`, `2d`. A day has 24 hours.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// A moment: with an offset of its own (`2026-12-01T18:00+08:00`, `2026-12-01T10:00Z`), or else in
/// `zone`. Where clocks are put forward, a time that they leave out is as much later; where they are
/// put back, a time that they show twice is the first.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    in_zone(text, zone, AmbiguousTimestamp::compatible)
}

/// A moment at which something ends: with an offset of its own, or else in `zone`. A time that clocks
/// leave out is as much later, and of one that they show twice it is the second: what ends too early
/// is worse than what ends an hour late.
pub fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    in_zone(text, zone, AmbiguousTimestamp::later)
}

/// A moment that carries its own offset.
pub fn absolute(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

fn in_zone(
    text: &str,
    zone: &TimeZone,
    choose: impl Fn(AmbiguousTimestamp) -> Result<Timestamp, jiff::Error>,
) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(moment) = absolute(text) {
        return Some(moment);
    }
    // A date alone would mean midnight, which nobody means.
    if !text.contains([':', 'T', 't']) {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    choose(zone.to_ambiguous_timestamp(civil)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_powers_of_1024() {
        let mib = 1024 * 1024;
        for (text, size) in [
            ("512MiB", Some(512 * mib)),
            ("512m", Some(512 * mib)),
            ("512 MB", Some(512 * mib)),
            ("1.5g", Some(1536 * mib)),
            ("4096", Some(4096)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("-1m", None),
            ("1e3", None),
            ("12x", None),
            ("1.2.3", None),
            ("99999999999999999999", None),
            ("18446744073709551615t", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }

    #[test]
    fn cpus_are_exact() {
        assert_eq!(nano_cpus("0.1"), Some(100_000_000));
        assert_eq!(nano_cpus("1.0"), Some(1_000_000_000));
        assert_eq!(nano_cpus("1.000000001"), Some(1_000_000_001));
        assert_eq!(nano_cpus("half"), None);
    }

    #[test]
    fn durations_know_days() {
        assert_eq!(duration("12h"), Some(SignedDuration::from_hours(12)));
        assert_eq!(duration("1h30m"), Some(SignedDuration::from_mins(90)));
        assert_eq!(duration("2d"), Some(SignedDuration::from_hours(48)));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration("1 month"), None);
    }

    #[test]
    fn the_end_of_a_seat_is_the_later_of_two_times_that_a_clock_shows() {
        for (zone, text, moment_utc, end_utc) in [
            // No summer time.
            (
                "Asia/Shanghai",
                "2026-12-01T18:00",
                "2026-12-01T10:00:00Z",
                "2026-12-01T10:00:00Z",
            ),
            // 02:30 is left out in the night to summer time.
            (
                "Europe/Berlin",
                "2027-03-28T02:30",
                "2027-03-28T01:30:00Z",
                "2027-03-28T01:30:00Z",
            ),
            // And comes twice in the night back.
            (
                "Europe/Berlin",
                "2026-10-25T02:30",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
            ),
            (
                "America/New_York",
                "2026-11-01T01:30",
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:30:00Z",
            ),
            (
                "America/New_York",
                "2027-03-14T02:30",
                "2027-03-14T07:30:00Z",
                "2027-03-14T07:30:00Z",
            ),
            (
                "Europe/Berlin",
                "2028-02-29T23:59:59",
                "2028-02-29T22:59:59Z",
                "2028-02-29T22:59:59Z",
            ),
            (
                "Asia/Shanghai",
                "2027-01-01T00:00",
                "2026-12-31T16:00:00Z",
                "2026-12-31T16:00:00Z",
            ),
            // An offset of its own goes before the zone.
            (
                "Asia/Shanghai",
                "2026-12-01T18:00-05:00",
                "2026-12-01T23:00:00Z",
                "2026-12-01T23:00:00Z",
            ),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let utc = |text: &str| Some(text.parse().unwrap());
            assert_eq!(moment(text, &zone), utc(moment_utc), "{text}");
            assert_eq!(end(text, &zone), utc(end_utc), "{text}");
        }
        for text in [
            "2026-12-01",
            "18:00",
            "2027-02-29T12:00",
            "soon",
            "",
            "2026-12-01T25:00",
        ] {
            assert_eq!(end(text, &TimeZone::UTC), None, "{text}");
        }
        assert_eq!(absolute("2026-12-01T18:00"), None);
    }
}
