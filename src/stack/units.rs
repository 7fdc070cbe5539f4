//! Sizes, durations and CPUs as a Compose file writes them.

use std::time::Duration;

/// A byte size: `1024`, `512b`, `64k`, `512m`, `1gb`, `64MiB`, `1.5g`.
///
/// The multiples are binary, with and without the `i`, as Docker reads them (go-units,
/// `RAMInBytes`).
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let unit = unit.trim_start_matches(' ').to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" if matches!(unit.as_str(), "" | "b") => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    u64::try_from(scaled(number, 1024_u128.pow(power))?).ok()
}

/// A duration as Go writes them: `1m30s`, `500ms`, `1.5h`, `0`. A number alone has no unit and is
/// none (but for 0).
pub fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanoseconds = 0_u128;
    while !rest.is_empty() {
        let (number, tail) = split_unit(rest);
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let scale = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3_600 * 1_000_000_000,
            _ => return None,
        };
        nanoseconds = nanoseconds.checked_add(scaled(number, scale)?)?;
        rest = tail;
    }
    // The engine counts nanoseconds in a signed 64-bit number.
    if text.is_empty() || nanoseconds > i64::MAX as u128 {
        return None;
    }
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

/// CPUs as a decimal number, in billionths of a CPU: `0.5`, `2`, `.25`.
pub fn nano_cpus(text: &str) -> Option<u64> {
    u64::try_from(scaled(text, 1_000_000_000)?)
        .ok()
        .filter(|nano| i64::try_from(*nano).is_ok())
}

/// A duration as [`duration`] reads it, exactly.
pub fn write_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    for (scale, unit) in [
        (3_600 * 1_000_000_000, "h"),
        (60 * 1_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ] {
        if nanoseconds.is_multiple_of(scale) {
            return format!("{}{unit}", nanoseconds / scale);
        }
    }
    format!("{nanoseconds}ns")
}

/// Billionths of a CPU as [`nano_cpus`] reads them, exactly.
pub fn write_cpus(nano: u64) -> String {
    let (whole, fraction) = (nano / 1_000_000_000, nano % 1_000_000_000);
    let text = format!("{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// A decimal number times `scale`, rounded down, without the errors of floating point.
fn scaled(text: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || text.len() > 30 {
        return None;
    }
    let digits = |text: &str| -> Option<u128> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if text.is_empty() {
            return Some(0);
        }
        text.parse().ok()
    };
    let whole = digits(whole)?.checked_mul(scale)?;
    let places = u32::try_from(fraction.len()).ok()?;
    let fraction = digits(fraction)?.checked_mul(scale)? / 10_u128.checked_pow(places)?;
    whole.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1024", Some(1024)),
            ("2b", Some(2)),
            ("64k", Some(65_536)),
            ("64kb", Some(65_536)),
            ("512m", Some(536_870_912)),
            ("512M", Some(536_870_912)),
            ("1gb", Some(1_073_741_824)),
            ("64MiB", Some(67_108_864)),
            ("1.5g", Some(1_610_612_736)),
            ("1 gb", Some(1_073_741_824)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("1x", None),
            ("1ib", None),
            ("1mm", None),
            ("1..5g", None),
            ("99999999999999p", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            ("1.5h", Some(5_400_000)),
            ("1h1ms", Some(3_600_001)),
            ("10", None),
            ("", None),
            ("-1s", None),
            ("s", None),
            ("1d", None),
            ("1s1", None),
            ("999999999999h", None),
        ] {
            assert_eq!(
                duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn cpus_are_exact() {
        for (text, expected) in [
            ("0.1", Some(100_000_000)),
            ("2", Some(2_000_000_000)),
            (".25", Some(250_000_000)),
            ("1.", Some(1_000_000_000)),
            ("", None),
            (".", None),
            ("one", None),
            ("1e3", None),
            ("-1", None),
        ] {
            assert_eq!(nano_cpus(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(nano in 0..=i64::MAX as u64) {
            prop_assert_eq!(nano_cpus(&write_cpus(nano)), Some(nano));
            let time = Duration::from_nanos(nano);
            prop_assert_eq!(duration(&write_duration(time)), Some(time));
        }

        #[test]
        fn no_text_makes_them_panic(text in "[0-9.a-zµ ]{0,40}") {
            let _ = (bytes(&text), duration(&text), nano_cpus(&text));
        }
    }
}
