//! What several documents have in common.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine;
use crate::model::{seat, stack};
use crate::report::view;

/// The version of the documents: always 1 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("const" = super::VERSION))]
pub struct Version(u32);

impl Default for Version {
    fn default() -> Self {
        Self(super::VERSION)
    }
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Too many calls: later it may work.
    Throttle,
    /// The connection broke, or the other side failed.
    Connection,
    /// Nobody answers where the other side was: it is being restarted, or gone.
    Unreachable,
    /// There was no answer in time; whether the call worked is unknown.
    Timeout,
    /// Something else holds what is needed.
    Conflict,
    /// There is not enough room at the moment.
    Capacity,
    /// What one is allowed to have is used up.
    Quota,
    /// It is not allowed.
    Denied,
    /// What it is about does not exist.
    NotFound,
    /// What was asked for makes no sense to the other side.
    Invalid,
    /// It was brought up and does not work.
    Broken,
}

impl From<engine::FailureClass> for FailureClass {
    fn from(class: engine::FailureClass) -> Self {
        match class {
            engine::FailureClass::Throttle => Self::Throttle,
            engine::FailureClass::Connection => Self::Connection,
            engine::FailureClass::Unreachable => Self::Unreachable,
            engine::FailureClass::Timeout => Self::Timeout,
            engine::FailureClass::Conflict => Self::Conflict,
            engine::FailureClass::Capacity => Self::Capacity,
            engine::FailureClass::Quota => Self::Quota,
            engine::FailureClass::Denied => Self::Denied,
            engine::FailureClass::NotFound => Self::NotFound,
            engine::FailureClass::Invalid => Self::Invalid,
            engine::FailureClass::Broken => Self::Broken,
        }
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

impl From<&engine::Failure> for Failure {
    fn from(failure: &engine::Failure) -> Self {
        Self {
            class: failure.class.into(),
            call: failure.call.clone(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }
}

/// What state a seat is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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

impl From<seat::SeatState> for SeatState {
    fn from(state: seat::SeatState) -> Self {
        match state {
            seat::SeatState::Ready => Self::Ready,
            seat::SeatState::Starting => Self::Starting,
            seat::SeatState::Degraded => Self::Degraded,
            seat::SeatState::Absent => Self::Absent,
        }
    }
}

/// The transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Port {
    /// The service that answers there.
    pub service: String,
    /// The port inside the seat.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The host address that it is published on.
    pub address: String,
    /// The host port.
    pub host_port: u16,
}

impl From<&view::PortView> for Port {
    fn from(port: &view::PortView) -> Self {
        Self {
            service: port.service.to_string(),
            port: port.port.number,
            protocol: match port.port.protocol {
                stack::Protocol::Tcp => Protocol::Tcp,
                stack::Protocol::Udp => Protocol::Udp,
            },
            address: port.address.to_string(),
            host_port: port.host_port,
        }
    }
}
