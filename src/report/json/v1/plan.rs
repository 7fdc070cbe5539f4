//! What `plan` and every `--dry-run` print with `--output json`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::KeptThing;
use super::shared::Version;
use crate::model::EnvironmentName;
use crate::plan::{Plan, Scheme};
use crate::provider::preflight::{Check, Preflight, QuotaView, Verdict};
use crate::removal::Thing;

/// What would be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// What was looked at before anything is created; nothing where nothing has to be.
    pub preflight: Vec<PreflightCheck>,
    /// How long the calls are expected to take where the place takes only so many in a time, in
    /// milliseconds. What they start and wait for comes on top.
    pub expected_ms: Option<u64>,
}

/// One thing that was looked at before anything is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreflightCheck {
    /// What it is about: `identity`, `quota`, `type`, `image`, `zone`.
    pub check: String,
    /// What it came to.
    pub result: PreflightResult,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The quota that it is about.
    pub quota: Option<QuotaReport>,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreflightResult {
    /// All is well.
    Passed,
    /// What is planned can't be done: `up` would create nothing.
    Failed,
    /// It could not be found out, which keeps nobody from trying.
    Unknown,
}

/// A quota of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotaReport {
    /// The service that has it, by its code.
    pub service: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it counts.
    pub unit: String,
    /// How much the account may have.
    pub value: u64,
    /// How much of that is in use, without what the plan takes away.
    pub used: u64,
    /// How much the plan needs.
    pub need: u64,
    /// The least quota that the plan fits in.
    pub enough: u64,
}

/// The same as what was looked at.
pub fn checks(preflight: &Preflight) -> Vec<PreflightCheck> {
    let quota = |quota: &QuotaView| QuotaReport {
        service: quota.service.clone(),
        code: quota.code.clone(),
        name: quota.name.clone(),
        unit: quota.unit.clone(),
        value: quota.value,
        used: quota.used,
        need: quota.need,
        enough: quota.enough(),
    };
    let check = |check: &Check| PreflightCheck {
        check: check.name.to_owned(),
        result: match check.verdict {
            Verdict::Passed => PreflightResult::Passed,
            Verdict::Failed => PreflightResult::Failed,
            Verdict::Unknown => PreflightResult::Unknown,
        },
        message: check.message.clone(),
        hint: check.hint.clone(),
        quota: check.quota.as_ref().map(quota),
    };
    preflight.checks.iter().map(check).collect()
}

/// One API call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedAction {
    /// Its place in the plan.
    pub id: usize,
    /// The number of the seat, where the resource is one's.
    pub seat: Option<u32>,
    /// The region of AWS, where several were looked at.
    pub region: Option<String>,
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
            region: None,
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
            preflight: Vec::new(),
            expected_ms: None,
        }
    }

    /// The same with what was looked at.
    #[must_use]
    pub fn after(self, preflight: &Preflight) -> Self {
        Self {
            preflight: checks(preflight),
            ..self
        }
    }

    /// The same with the region of AWS that it is about.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        let named = || Some(region.to_owned());
        for action in &mut self.actions {
            action.region = named();
        }
        for kept in &mut self.kept {
            kept.thing.region = named();
        }
        self
    }

    /// In place of the plan of a region that was not looked at, with what is said of that.
    pub fn unseen(notice: String) -> Self {
        Self {
            notices: vec![notice],
            ..Self::default()
        }
    }

    /// The same and the plan of another region as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let first = self.actions.len();
        let moved = other.actions.into_iter().map(|action| PlannedAction {
            id: action.id + first,
            after: action.after.iter().map(|id| id + first).collect(),
            ..action
        });
        self.changes += other.changes;
        self.actions.extend(moved);
        self.kept.extend(other.kept);
        self.notices.extend(other.notices);
        self
    }

    /// The same with how long its calls are expected to take.
    #[must_use]
    pub fn expected(self, expected: Option<Duration>) -> Self {
        let milliseconds = |expected: Duration| u64::try_from(expected.as_millis()).ok();
        Self {
            expected_ms: expected.and_then(milliseconds),
            ..self
        }
    }
}
