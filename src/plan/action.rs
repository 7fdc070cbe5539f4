//! Actions, their causes, and the plan that they form.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{Key, Kind, Lane, Scheme, Step};
use crate::model::seat::Owner;
use crate::model::{SeatNumber, ServiceName};

/// An action's place in its plan.
pub type ActionId = usize;

/// Why an action is in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It does not exist.
    Missing,
    /// It exists as something else than what is wanted now.
    Changed,
    /// Its image is another one now.
    ImageChanged,
    /// What it is made of is replaced; the name of that.
    Follows(Arc<str>),
    /// It exists and was not brought up completely, or fell back; what is the matter.
    Behind(Arc<str>),
    /// It can't be used any more; what is the matter.
    Broken(Arc<str>),
    /// Somebody asked for a fresh seat.
    Reset,
    /// Nothing wants it any more.
    Unwanted,
    /// Somebody asked to take it away.
    Down,
    /// Its time is over; when that was, in RFC 3339.
    Expired(Arc<str>),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Changed => f.write_str("its specification changed"),
            Self::ImageChanged => f.write_str("its image changed"),
            Self::Follows(name) => write!(f, "{name} is made anew"),
            Self::Behind(what) | Self::Broken(what) => f.write_str(what),
            Self::Reset => f.write_str("reset"),
            Self::Unwanted => f.write_str("not in the environment any more"),
            Self::Down => f.write_str("down"),
            Self::Expired(when) => write!(f, "expired {when}"),
        }
    }
}

/// What an action does to its resource.
#[derive(Debug, Clone)]
pub enum Operation<S: Scheme> {
    /// One step of bringing it up.
    Bring(S::Step),
    /// Takes it away; what the engine or the cloud calls it.
    Delete(Arc<str>),
}

/// One API call of a plan, or a part of one that serves several resources.
#[derive(Debug, Clone)]
pub struct Action<S: Scheme> {
    /// Its place in the plan.
    pub id: ActionId,
    /// Whose resource it is about.
    pub owner: Owner,
    /// The resource.
    pub key: Key<S::Kind>,
    /// The service that the resource is for.
    pub service: Option<ServiceName>,
    /// What is done.
    pub operation: Operation<S>,
    /// Why.
    pub cause: Cause,
    /// Actions that must have succeeded before; all of them stand earlier in the plan.
    pub after: Vec<ActionId>,
}

impl<S: Scheme> Action<S> {
    /// Where it queues.
    pub fn lane(&self) -> Lane {
        match &self.operation {
            Operation::Bring(step) => step.lane(),
            Operation::Delete(_) => self.key.kind.delete_lane(),
        }
    }

    /// What it has in common with those of its lane that one call may serve together with it.
    pub fn group(&self) -> u64 {
        match &self.operation {
            Operation::Bring(step) => step.group(),
            Operation::Delete(_) => 0,
        }
    }

    /// Whether it only looks and changes nothing.
    pub fn is_check(&self) -> bool {
        matches!(&self.operation, Operation::Bring(step) if step.is_check())
    }

    /// What it does, in a word or two.
    pub fn verb(&self) -> String {
        match &self.operation {
            Operation::Bring(step) => step.to_string(),
            Operation::Delete(_) => "delete".to_owned(),
        }
    }
}

/// A seat that can't be brought up as things are, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The seat.
    pub seat: SeatNumber,
    /// What is in the way.
    pub reason: String,
}

/// What will be done: actions in an order in which they could be done one by one.
#[derive(Debug, Clone)]
pub struct Plan<S: Scheme> {
    /// The actions; an action's `id` is its index.
    pub actions: Vec<Action<S>>,
    /// The seats that the plan is about.
    pub seats: Vec<SeatNumber>,
    /// Seats among them that nothing is planned for, since something is in the way.
    pub blocked: Vec<Blocked>,
    /// What a person should know of: seats beyond the count, an image taken from elsewhere.
    pub notices: Vec<String>,
}

impl<S: Scheme> Plan<S> {
    /// A plan that does nothing.
    pub fn empty() -> Self {
        Self {
            actions: Vec::new(),
            seats: Vec::new(),
            blocked: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Whether nothing would change. Checks may still be in it.
    pub fn changes_nothing(&self) -> bool {
        self.actions.iter().all(Action::is_check)
    }

    /// Whether anything is brought up, and not only looked at or taken away.
    pub fn creates(&self) -> bool {
        let creates = |action: &Action<S>| {
            matches!(action.operation, Operation::Bring(_)) && !action.is_check()
        };
        self.actions.iter().any(creates)
    }

    /// How many actions change something.
    pub fn changes(&self) -> usize {
        self.actions
            .iter()
            .filter(|action| !action.is_check())
            .count()
    }

    pub(super) fn push(
        &mut self,
        owner: Owner,
        key: &Key<S::Kind>,
        service: Option<ServiceName>,
        operation: Operation<S>,
        cause: Cause,
        after: Vec<ActionId>,
    ) -> ActionId {
        let id = self.actions.len();
        self.actions.push(Action {
            id,
            owner,
            key: key.clone(),
            service,
            operation,
            cause,
            after,
        });
        id
    }
}
