//! AWS's clock, which all who use the account share, as the dates of its answers tell it.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::engine::{Failure, FailureClass};
use crate::expiry::Clocks;

/// What AWS's clock and this machine's say, where `date` stood in the answer to a call made between
/// `asked` and `answered`. Without one AWS is taken to have our time.
pub fn of(date: Option<&str>, asked: Timestamp, answered: Timestamp) -> Clocks {
    // AWS looked at its clock somewhere between the question and the answer.
    let here = asked
        .saturating_add(answered.duration_since(asked) / 2)
        .unwrap_or(answered);
    let there = date.and_then(|text| rfc2822::parse(text).ok());
    Clocks {
        engine: there.map_or(here, |zoned| zoned.timestamp()),
        here,
    }
}

/// A refusal for want of a right clock, with how wrong it is.
pub fn explain(failure: Failure, clocks: Clocks) -> Failure {
    if failure.class != FailureClass::Denied || clocks.notice().is_none() {
        return failure;
    }
    let message = format!("{}; {clocks}", failure.message);
    Failure::new(failure.class, failure.call, message).with_hint(
        "set this machine's clock (`timedatectl set-ntp true`): AWS takes calls that are at most \
         five minutes off",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_date_of_an_answer_is_awss_time() {
        let here = moment("2026-11-25T10:10:00Z");
        let clocks = of(Some("Wed, 25 Nov 2026 10:00:00 GMT"), here, here);
        assert_eq!(clocks.engine, moment("2026-11-25T10:00:00Z"));
        assert!(clocks.notice().is_some());
        for no_date in [None, Some("yesterday")] {
            assert_eq!(of(no_date, here, here).engine, here);
        }
    }

    #[test]
    fn a_refusal_is_explained_by_the_clock_where_that_is_wrong() {
        let here = moment("2026-11-25T10:10:00Z");
        let refused = Failure::new(FailureClass::Denied, "ask", "RequestExpired");
        let wrong = of(Some("Wed, 25 Nov 2026 10:00:00 GMT"), here, here);
        let explained = explain(refused.clone(), wrong);
        assert!(explained.message.contains("10m ahead"), "{explained}");
        assert_eq!(explain(refused.clone(), of(None, here, here)), refused);
    }
}
