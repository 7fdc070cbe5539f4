//! What came of a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Failure;
use crate::model::SeatNumber;
use crate::plan::ActionId;

/// What came of one seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatResult {
    /// Nothing had to be changed; what had to be looked at was as it should be.
    Unchanged,
    /// All that was planned was done.
    Done,
    /// Something failed; what was done before it is still there.
    Failed(Failure),
    /// Somebody interrupted the run before all was done.
    Interrupted,
}

/// What came of one seat, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatOutcome {
    /// What came of it.
    pub result: SeatResult,
    /// How long after the plan's begin its last action ended.
    pub took: Duration,
}

/// What came of a plan.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Each seat that the plan was about.
    pub seats: BTreeMap<SeatNumber, SeatOutcome>,
    /// What failed of what the seats share.
    pub shared: Vec<Failure>,
    /// Every action that failed, with what went wrong.
    pub failures: BTreeMap<ActionId, Failure>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
    /// Whether the other side did not answer at all for some time: whatever was seen broken then may
    /// have been so for that.
    pub lost_touch: bool,
    /// How many actions succeeded.
    pub done: usize,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// The seats that failed, each with what went wrong.
    pub fn failed(&self) -> impl Iterator<Item = (SeatNumber, &Failure)> {
        self.seats
            .iter()
            .filter_map(|(seat, outcome)| match &outcome.result {
                SeatResult::Failed(failure) => Some((*seat, failure)),
                _ => None,
            })
    }

    /// Whether all that was planned was done.
    pub fn is_complete(&self) -> bool {
        !self.interrupted && self.shared.is_empty() && self.failed().next().is_none()
    }
}
