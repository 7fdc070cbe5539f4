//! From numbers to a verdict.

/// The middle of some numbers; infinite where there are none.
pub fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    match (numbers.len(), numbers.len() / 2) {
        (0, _) => f64::INFINITY,
        (count, middle) if count % 2 == 1 => numbers[middle],
        (_, middle) => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

/// Whether a value is what was asked for; nothing was, where that is no number.
pub fn verdict(value: f64, asked: f64) -> &'static str {
    if asked.is_nan() {
        ""
    } else if value <= asked {
        "met"
    } else {
        "**missed**"
    }
}
