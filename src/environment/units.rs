//! Sizes, CPUs and spans of time as people write them.

use jiff::{SignedDuration, Span, SpanRelativeTo};

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
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
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
}
