//! What `up` and `reset` print with `--output json`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::shared::{Failure, Port, SeatState, Version};
use crate::engine::event::millis;
use crate::engine::{Outcome, SeatResult};
use crate::model::EnvironmentName;
use crate::report::view::SeatView;

/// What came of an `up` or a `reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpReport {
    /// The version of this document.
    pub version: Version,
    /// The environment's name.
    pub environment: String,
    /// When its seats may be swept away, in RFC 3339, UTC.
    pub expires: Option<String>,
    /// Each seat that it was about, in ascending order.
    pub seats: Vec<UpSeat>,
    /// What failed of what the seats share.
    pub shared_failures: Vec<Failure>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What came of one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpResult {
    /// Nothing had to be changed.
    Unchanged,
    /// All that was planned was done.
    Done,
    /// Something failed; what was done before it is still there.
    Failed,
    /// Somebody interrupted the run before all was done.
    Interrupted,
}

/// One seat, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpSeat {
    /// The seat's number.
    pub seat: u32,
    /// The number of its group, from 1.
    pub group: u32,
    /// The state that it is in now.
    pub state: SeatState,
    /// What came of it, where the run was about it.
    pub result: Option<UpResult>,
    /// How long after the run's begin the last was done for it, in milliseconds; nothing where
    /// nothing had to be done.
    pub took_ms: Option<u64>,
    /// The address of its workspace on its own network.
    pub address: Option<String>,
    /// The ports that it publishes.
    pub ports: Vec<Port>,
    /// What went wrong, where something did.
    pub failure: Option<Failure>,
}

impl UpReport {
    /// The report of `outcome`, with the seats as they are after it.
    pub fn new(
        environment: &EnvironmentName,
        expires: Option<Timestamp>,
        seats: &[SeatView],
        outcome: &Outcome,
    ) -> Self {
        Self {
            version: Version::default(),
            environment: environment.to_string(),
            expires: expires.map(|moment| moment.to_string()),
            seats: seats
                .iter()
                .map(|seat| UpSeat::new(seat, outcome))
                .collect(),
            shared_failures: outcome.shared.iter().map(Into::into).collect(),
            interrupted: outcome.interrupted,
            took_ms: millis(outcome.took),
        }
    }
}

impl UpSeat {
    fn new(view: &SeatView, outcome: &Outcome) -> Self {
        let of_seat = outcome.seats.get(&view.seat);
        let result = of_seat.map(|seat| match seat.result {
            SeatResult::Unchanged => UpResult::Unchanged,
            SeatResult::Done => UpResult::Done,
            SeatResult::Failed(_) => UpResult::Failed,
            SeatResult::Interrupted => UpResult::Interrupted,
        });
        let took = of_seat
            .filter(|seat| seat.result != SeatResult::Unchanged)
            .map(|seat| seat.took)
            .or(view.took);
        Self {
            seat: view.seat.get(),
            group: view.group,
            state: view.state.into(),
            result,
            took_ms: took.map(millis),
            address: view.address.map(|address| address.to_string()),
            ports: view.ports.iter().map(Into::into).collect(),
            failure: of_seat.and_then(|seat| match &seat.result {
                SeatResult::Failed(failure) => Some(failure.into()),
                _ => None,
            }),
        }
    }
}
