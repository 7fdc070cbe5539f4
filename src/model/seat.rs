//! A seat, and what can be said of it from outside.

use serde::{Deserialize, Serialize};

/// Whom a resource belongs to: one seat, or all of an environment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Shared by every seat of the environment (an image, a VPC).
    Shared,
    /// One seat's.
    Seat(super::SeatNumber),
}

impl Owner {
    /// The seat, where it is one's.
    pub fn seat(self) -> Option<super::SeatNumber> {
        match self {
            Self::Shared => None,
            Self::Seat(seat) => Some(seat),
        }
    }
}

/// What state a seat is in.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SeatState {
    /// Every service runs, and those with a check passed it.
    Ready,
    /// Everything runs, but some check has not passed yet.
    Starting,
    /// Something of the seat is missing, stopped, changed or unhealthy.
    Degraded,
    /// Nothing of the seat exists.
    Absent,
}

impl std::fmt::Display for SeatState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Degraded => "degraded",
            Self::Absent => "absent",
        })
    }
}
