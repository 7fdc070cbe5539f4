//! What `plan` and every `--dry-run` print with `--output json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::KeptThing;
use super::shared::Version;
use crate::model::EnvironmentName;
use crate::plan::{Plan, Scheme};
use crate::removal::Thing;

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanReport {
    /// The version of this document.
    pub version: Version,
    /// The environment's name; nothing where the plan is about several.
    pub environment: Option<String>,
    /// How many actions change something.
    pub changes: usize,
    /// The numbers of the seats that the plan is about.
    pub seats: Vec<u32>,
    /// The actions, in an order in which they could be done one by one.
    pub actions: Vec<PlannedAction>,
    /// Seats that nothing is planned for, since something is in the way.
    pub blocked: Vec<BlockedSeat>,
    /// What would stay, of a plan that takes things away, with the reason.
    pub kept: Vec<KeptThing>,
    /// What a person should know of.
    pub notices: Vec<String>,
}

/// One API call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedAction {
    /// Its place in the plan.
    pub id: usize,
    /// The number of the seat, where the resource is one's.
    pub seat: Option<u32>,
    /// The kind of the resource.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The service that it is for.
    pub service: Option<String>,
    /// What is done.
    pub verb: String,
    /// Why.
    pub cause: String,
    /// Whether it only looks and changes nothing.
    pub check: bool,
    /// The places of the actions that must have succeeded before.
    pub after: Vec<usize>,
}

/// A seat that can't be brought up as things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlockedSeat {
    /// The seat's number.
    pub seat: u32,
    /// What is in the way.
    pub reason: String,
}

impl PlanReport {
    /// The report of that plan.
    pub fn new<S: Scheme>(
        environment: Option<&EnvironmentName>,
        plan: &Plan<S>,
        kept: &[(Thing, String)],
    ) -> Self {
        let action = |action: &crate::plan::Action<S>| PlannedAction {
            id: action.id,
            seat: action.owner.seat().map(Into::into),
            kind: action.key.kind.to_string(),
            name: action.key.name.to_string(),
            service: action.service.as_ref().map(ToString::to_string),
            verb: action.verb(),
            cause: action.cause.to_string(),
            check: action.is_check(),
            after: action.after.clone(),
        };
        let blocked = |blocked: &crate::plan::Blocked| BlockedSeat {
            seat: blocked.seat.get(),
            reason: blocked.reason.clone(),
        };
        Self {
            version: Version::default(),
            environment: environment.map(ToString::to_string),
            changes: plan.changes(),
            seats: plan.seats.iter().map(|seat| seat.get()).collect(),
            actions: plan.actions.iter().map(action).collect(),
            blocked: plan.blocked.iter().map(blocked).collect(),
            kept: kept.iter().map(Into::into).collect(),
            notices: plan.notices.clone(),
        }
    }
}
