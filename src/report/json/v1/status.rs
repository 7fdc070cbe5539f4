//! What `status` prints with `--output json`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::shared::{Port, SeatState, Version};
use crate::model::{EnvironmentName, seat};
use crate::report::view::{SeatView, ServiceView};

/// How an environment's seats are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusReport {
    /// The version of this document.
    pub version: Version,
    /// The environment's name.
    pub environment: String,
    /// When its seats may be swept away, in RFC 3339, UTC.
    pub expires: Option<String>,
    /// How many seats are in each state.
    pub counts: Counts,
    /// Each seat, in ascending order.
    pub seats: Vec<StatusSeat>,
    /// What a person should know of.
    pub notices: Vec<String>,
}

/// How many seats are in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// Every service runs, and those with a check passed it.
    pub ready: usize,
    /// Everything runs, but some check has not passed yet.
    pub starting: usize,
    /// Something is missing, stopped, changed or unhealthy.
    pub degraded: usize,
    /// Nothing exists.
    pub absent: usize,
}

/// One seat as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusSeat {
    /// The seat's number.
    pub seat: u32,
    /// The number of its group, from 1.
    pub group: u32,
    /// Its state.
    pub state: SeatState,
    /// The address of its workspace on its own network.
    pub address: Option<String>,
    /// When it may be swept away, in RFC 3339, UTC.
    pub expires: Option<String>,
    /// The ports that it publishes.
    pub ports: Vec<Port>,
    /// Its services, in the stack's order.
    pub services: Vec<StatusService>,
}

/// One service of a seat as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusService {
    /// The service's name.
    pub service: String,
    /// What the provider calls what runs it, where there is such a thing.
    pub container: Option<String>,
    /// Its state in the provider's words.
    pub state: String,
    /// What is the matter with it, where something is.
    pub problem: Option<String>,
}

impl StatusReport {
    /// The report of those seats.
    pub fn new(environment: &EnvironmentName, seats: &[SeatView], notices: &[String]) -> Self {
        let text = |moment: Timestamp| moment.to_string();
        Self {
            version: Version::default(),
            environment: environment.to_string(),
            expires: seats.iter().filter_map(|seat| seat.expires).min().map(text),
            counts: Counts::of(seats),
            seats: seats.iter().map(Into::into).collect(),
            notices: notices.to_vec(),
        }
    }
}

impl Counts {
    /// Counts those seats.
    pub fn of(seats: &[SeatView]) -> Self {
        let count = |state| seats.iter().filter(|seat| seat.state == state).count();
        Self {
            total: seats.len(),
            ready: count(seat::SeatState::Ready),
            starting: count(seat::SeatState::Starting),
            degraded: count(seat::SeatState::Degraded),
            absent: count(seat::SeatState::Absent),
        }
    }
}

impl From<&SeatView> for StatusSeat {
    fn from(view: &SeatView) -> Self {
        Self {
            seat: view.seat.get(),
            group: view.group,
            state: view.state.into(),
            address: view.address.map(|address| address.to_string()),
            expires: view.expires.map(|moment| moment.to_string()),
            ports: view.ports.iter().map(Into::into).collect(),
            services: view.services.iter().map(Into::into).collect(),
        }
    }
}

impl From<&ServiceView> for StatusService {
    fn from(view: &ServiceView) -> Self {
        Self {
            service: view.service.to_string(),
            container: view.id.clone(),
            state: view.state.clone(),
            problem: view.problem.clone(),
        }
    }
}
