//! What happens, as typed events. Reporters render them; nobody else prints.

use std::time::Duration;

use serde::Serialize;

use super::Failure;
use crate::model::{SeatNumber, ServiceName};
use crate::plan::{Action, Scheme};

/// A part of the work, for a headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Images are fetched or built.
    Images,
    /// Seats are brought up or put right.
    Up,
    /// Nothing is to be changed; what is not known to be ready is looked at.
    Check,
    /// Seats are made anew.
    Reset,
    /// Things are deleted.
    Down,
    /// A bundle is written.
    Save,
    /// A bundle is checked, and what is missing of it is loaded.
    Load,
}

/// Names an action to reporters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionLabel {
    /// The action's place in its plan.
    pub id: usize,
    /// The seat, where the resource is one's.
    pub seat: Option<SeatNumber>,
    /// The kind of the resource.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The service that it is for.
    pub service: Option<ServiceName>,
    /// What is done.
    pub verb: String,
    /// Why.
    pub cause: String,
}

impl<S: Scheme> From<&Action<S>> for ActionLabel {
    fn from(action: &Action<S>) -> Self {
        Self {
            id: action.id,
            seat: action.owner.seat(),
            kind: action.key.kind.to_string(),
            name: action.key.name.to_string(),
            service: action.service.clone(),
            verb: action.verb(),
            cause: action.cause.to_string(),
        }
    }
}

/// Something that happened. Nothing secret is ever in one.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A plan begins.
    Started {
        /// Which part of the work it is.
        phase: Phase,
        /// How many actions it has.
        actions: usize,
        /// The seats it has actions for, with how many each has.
        seats: Vec<(SeatNumber, usize)>,
    },
    /// An action begins.
    ActionStarted {
        /// Which.
        action: ActionLabel,
    },
    /// An action is under way and has something to say of itself.
    ActionProgress {
        /// Which.
        action: ActionLabel,
        /// What it is doing.
        message: String,
        /// How much is done, in bytes, where that is known.
        done: Option<u64>,
        /// How much there is to do, in bytes, where that is known.
        total: Option<u64>,
    },
    /// An action failed and is tried again.
    ActionRetried {
        /// Which.
        action: ActionLabel,
        /// What went wrong.
        failure: Failure,
        /// How long until the next attempt, in milliseconds.
        pause_ms: u64,
    },
    /// An action succeeded.
    ActionFinished {
        /// Which.
        action: ActionLabel,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// An action failed for good.
    ActionFailed {
        /// Which.
        action: ActionLabel,
        /// What went wrong.
        failure: Failure,
    },
    /// All that was planned for a seat is done.
    SeatFinished {
        /// Which.
        seat: SeatNumber,
        /// How long after the plan's begin, in milliseconds.
        after_ms: u64,
    },
    /// A seat's plan can't be completed.
    SeatFailed {
        /// Which.
        seat: SeatNumber,
        /// What went wrong.
        failure: Failure,
    },
    /// A seat's plan can't be completed, and there will be another one for it.
    SeatDeferred {
        /// Which.
        seat: SeatNumber,
        /// What went wrong.
        failure: Failure,
    },
    /// Something that a person should know.
    Notice {
        /// What.
        message: String,
    },
    /// The plan is done, as far as it could be.
    Finished {
        /// Which part of the work it was.
        phase: Phase,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// How many seats failed, but for those that there will be another plan for.
        failed: usize,
        /// Whether somebody interrupted it.
        interrupted: bool,
    },
}

/// Where events go. Cheap to clone; sending never blocks and never fails.
#[derive(Debug, Clone)]
pub struct Events(tokio::sync::mpsc::UnboundedSender<Event>);

impl Events {
    /// A way for events, and its other end.
    pub fn channel() -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Tells the reporters, if any of them still listens.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
    }

    /// Tells the reporters something that a person should know.
    pub fn notice(&self, message: impl Into<String>) {
        self.send(Event::Notice {
            message: message.into(),
        });
    }
}

/// A duration in whole milliseconds, as events have it.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
