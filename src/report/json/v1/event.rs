//! What `--log-format json` writes to standard error: one document a line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::shared::{Failure, Version};
use crate::engine;

/// One event, on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventLine {
    /// The version of this document.
    pub version: Version,
    /// When it was written, in RFC 3339, UTC.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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

/// An action of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Action {
    /// The action's place in its plan.
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
}

/// How much there is to do for a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeatActions {
    /// The seat's number.
    pub seat: u32,
    /// How many actions the plan has for it.
    pub actions: usize,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A plan begins.
    Started {
        /// Which part of the work it is.
        phase: Phase,
        /// How many actions it has.
        actions: usize,
        /// The seats that it has actions for.
        seats: Vec<SeatActions>,
    },
    /// An action begins.
    ActionStarted {
        /// Which.
        action: Action,
    },
    /// An action is under way and has something to say of itself.
    ActionProgress {
        /// Which.
        action: Action,
        /// What it is doing.
        message: String,
        /// How many bytes are done, where that is known.
        done: Option<u64>,
        /// How many bytes there are, where that is known.
        total: Option<u64>,
    },
    /// An action failed and is tried again.
    ActionRetried {
        /// Which.
        action: Action,
        /// What went wrong.
        failure: Failure,
        /// How long until the next attempt, in milliseconds.
        pause_ms: u64,
    },
    /// An action succeeded.
    ActionFinished {
        /// Which.
        action: Action,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// An action failed for good.
    ActionFailed {
        /// Which.
        action: Action,
        /// What went wrong.
        failure: Failure,
    },
    /// All that was planned for a seat is done.
    SeatFinished {
        /// The seat's number.
        seat: u32,
        /// How long after the plan's begin, in milliseconds.
        after_ms: u64,
    },
    /// A seat's plan can't be completed.
    SeatFailed {
        /// The seat's number.
        seat: u32,
        /// What went wrong.
        failure: Failure,
    },
    /// A seat's plan can't be completed, and there will be another one for it.
    SeatDeferred {
        /// The seat's number.
        seat: u32,
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

impl EventLine {
    /// The line for what happened, written at that moment.
    pub fn new(event: &engine::Event, at: Timestamp) -> Self {
        Self {
            version: Version::default(),
            at: at.to_string(),
            event: event.into(),
        }
    }
}

impl From<engine::Phase> for Phase {
    fn from(phase: engine::Phase) -> Self {
        match phase {
            engine::Phase::Images => Self::Images,
            engine::Phase::Up => Self::Up,
            engine::Phase::Check => Self::Check,
            engine::Phase::Reset => Self::Reset,
            engine::Phase::Down => Self::Down,
            engine::Phase::Save => Self::Save,
            engine::Phase::Load => Self::Load,
        }
    }
}

impl From<&engine::ActionLabel> for Action {
    fn from(action: &engine::ActionLabel) -> Self {
        Self {
            id: action.id,
            seat: action.seat.map(Into::into),
            kind: action.kind.clone(),
            name: action.name.clone(),
            service: action.service.as_ref().map(ToString::to_string),
            verb: action.verb.clone(),
            cause: action.cause.clone(),
        }
    }
}

impl From<&engine::Event> for Event {
    fn from(event: &engine::Event) -> Self {
        match event {
            engine::Event::Started {
                phase,
                actions,
                seats,
            } => Self::Started {
                phase: (*phase).into(),
                actions: *actions,
                seats: seats
                    .iter()
                    .map(|&(seat, actions)| SeatActions {
                        seat: seat.get(),
                        actions,
                    })
                    .collect(),
            },
            engine::Event::ActionStarted { action } => Self::ActionStarted {
                action: action.into(),
            },
            engine::Event::ActionProgress {
                action,
                message,
                done,
                total,
            } => Self::ActionProgress {
                action: action.into(),
                message: message.clone(),
                done: *done,
                total: *total,
            },
            engine::Event::ActionRetried {
                action,
                failure,
                pause_ms,
            } => Self::ActionRetried {
                action: action.into(),
                failure: failure.into(),
                pause_ms: *pause_ms,
            },
            engine::Event::ActionFinished { action, took_ms } => Self::ActionFinished {
                action: action.into(),
                took_ms: *took_ms,
            },
            engine::Event::ActionFailed { action, failure } => Self::ActionFailed {
                action: action.into(),
                failure: failure.into(),
            },
            engine::Event::SeatFinished { seat, after_ms } => Self::SeatFinished {
                seat: seat.get(),
                after_ms: *after_ms,
            },
            engine::Event::SeatFailed { seat, failure } => Self::SeatFailed {
                seat: seat.get(),
                failure: failure.into(),
            },
            engine::Event::SeatDeferred { seat, failure } => Self::SeatDeferred {
                seat: seat.get(),
                failure: failure.into(),
            },
            engine::Event::Notice { message } => Self::Notice {
                message: message.clone(),
            },
            engine::Event::Finished {
                phase,
                took_ms,
                failed,
                interrupted,
            } => Self::Finished {
                phase: (*phase).into(),
                took_ms: *took_ms,
                failed: *failed,
                interrupted: *interrupted,
            },
        }
    }
}
