//! Numbers, times and failures as words.

use std::time::Duration;

use crate::engine::{Failure, Phase};
use crate::model::SeatNumber;

/// How long something took or takes: `6.2 s`, `1 min 02 s`, `2 h 05 min`.
pub fn duration(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (duration.as_millis() + 500) / 1000;
    if seconds < 3600 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
    }
}

/// A duration as a clock has it, in whole seconds: `0:42`, `61:05`.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A size in bytes with a decimal unit: `12.3 MB`.
pub fn bytes(count: u64) -> String {
    bytesize::ByteSize::b(count).display().si().to_string()
}

/// `1 seat`, `23 seats`.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Seats in ascending order, neighbours as a range: `01-05, 08`.
pub fn ranges(seats: &[SeatNumber]) -> String {
    seats
        .chunk_by(|one, next| one.get() + 1 == next.get())
        .map(|run| match run {
            [first, .., last] => format!("{first}-{last}"),
            [only] => only.to_string(),
            [] => String::new(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// Text from outside on one line: line breaks become spaces, and control characters go, so that
/// no engine's message can steer a terminal.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A failure on one line: `start container: the port is taken (stop what listens there)`.
pub fn failure(failure: &Failure) -> String {
    let words = format!("{}: {}", failure.call, one_line(&failure.message));
    match &failure.hint {
        Some(hint) => format!("{words} ({})", one_line(hint)),
        None => words,
    }
}

/// What a phase does, to stand at a headline's begin.
pub fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Images => "getting images",
        Phase::Up => "bringing up",
        Phase::Check => "checking",
        Phase::Reset => "resetting",
        Phase::Down => "taking down",
        Phase::Save => "saving",
        Phase::Load => "loading",
    }
}

/// What a seat is when a phase is done with it.
pub fn done(phase: Phase) -> &'static str {
    match phase {
        Phase::Images | Phase::Save | Phase::Load => "done",
        Phase::Up | Phase::Check | Phase::Reset => "ready",
        Phase::Down => "gone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FailureClass;

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        let text = |ms| duration(Duration::from_millis(ms));
        assert_eq!(text(0), "0.0 s");
        assert_eq!(text(6_249), "6.2 s");
        assert_eq!(text(59_940), "59.9 s");
        assert_eq!(text(59_960), "1 min 00 s");
        assert_eq!(text(3_599_400), "59 min 59 s");
        assert_eq!(text(7_500_000), "2 h 05 min");
        assert_eq!(clock(Duration::from_secs(3_665)), "61:05");
    }

    #[test]
    fn neighbouring_seats_become_a_range() {
        let seats = |numbers: &[u32]| {
            let seats: Vec<_> = numbers.iter().filter_map(|n| SeatNumber::new(*n)).collect();
            ranges(&seats)
        };
        assert_eq!(seats(&[1, 2, 3, 8, 10, 11]), "01-03, 08, 10-11");
        assert_eq!(seats(&[]), "");
    }

    #[test]
    fn what_an_engine_says_cannot_steer_the_terminal() {
        let failed = Failure::new(
            FailureClass::Conflict,
            "start container",
            "no\r\n\u{1b}[2Jroom",
        )
        .with_hint("try\nlater");
        assert_eq!(failure(&failed), "start container: no [2Jroom (try later)");
    }
}
