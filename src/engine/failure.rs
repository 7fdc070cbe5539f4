//! What went wrong with a call, in the classes that decide what happens next.

use serde::{Deserialize, Serialize};

/// What kind of failure it is, whatever the provider calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Too many calls: later it may work.
    Throttle,
    /// The connection broke, or the other side failed: it may work at once, and it may have worked.
    Connection,
    /// Nobody answers where the other side was, or it is on its way out: it is being restarted, or
    /// gone.
    Unreachable,
    /// There was no answer in time: whether it worked is unknown.
    Timeout,
    /// Something else holds what is needed (a port, a name, a range of addresses).
    Conflict,
    /// There is not enough room at the moment, here; elsewhere there may be.
    Capacity,
    /// What one is allowed to have is used up.
    Quota,
    /// It is not allowed.
    Denied,
    /// What it is about does not exist.
    NotFound,
    /// What was asked for makes no sense to the other side.
    Invalid,
    /// It was brought up and does not work (a service that ends, a check that never passes).
    Broken,
}

impl FailureClass {
    /// Whether the same call may be made again at once.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Throttle | Self::Connection | Self::Unreachable | Self::Timeout
        )
    }

    /// Whether another look at how things are now, and a plan made from it, may find a way around:
    /// what was in the way may have been another run's, or what was to be there may have gone.
    /// What does not work is left to the person who wrote it, unless the other side was gone for a
    /// while (`lost_touch`): a restart ends what runs there.
    pub fn may_be_replanned(self, lost_touch: bool) -> bool {
        self.is_retryable()
            || matches!(self, Self::Conflict | Self::NotFound)
            || (lost_touch && self == Self::Broken)
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{call}: {message}")]
pub struct Failure {
    /// Its kind.
    pub class: FailureClass,
    /// The call that failed (`start container`).
    pub call: String,
    /// What the other side said, or what was seen.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of that class, in that call.
    pub fn new(class: FailureClass, call: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            call: call.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a word on what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
