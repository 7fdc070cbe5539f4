//! What is to be known of an instance.

use std::net::IpAddr;
use std::sync::Arc;

use aws_sdk_ec2::types::{Instance as Described, InstanceStateName, InstanceType};

use crate::engine::FailureClass;
use crate::provider::aws::network::own_tags;
use crate::provider::aws::tags::{self, GOING, STACK, Tag};

/// How an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// It begins.
    Pending,
    /// It runs.
    Running,
    /// It is stopped, or about to be.
    Stopped,
    /// It ends.
    ShuttingDown,
    /// It is gone, and AWS remembers it for an hour.
    Terminated,
}

impl InstanceState {
    /// Whether there is anything of it.
    pub fn is_alive(self) -> bool {
        self != Self::Terminated
    }

    /// Whether it is of no use any more, whatever happens.
    pub fn is_over(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// Where an instance is, as far as there may be room there or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its type.
    pub kind: Arc<str>,
    /// Its subnet, which is in one zone.
    pub subnet: Arc<str>,
}

/// Why an instance is in its state, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// For programs: `Server.InsufficientInstanceCapacity`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Reason {
    /// What kind of failure it is where it ended an instance that had just begun ("StateReason" in the
    /// Amazon EC2 API reference). A launch for which there was no room after all conflicts with others:
    /// it is made once more, and elsewhere.
    pub fn class(&self) -> FailureClass {
        match &*self.code {
            "Server.InsufficientInstanceCapacity"
            | "Server.SpotInstanceTermination"
            | "Server.InternalError" => FailureClass::Conflict,
            "Client.VolumeLimitExceeded" => FailureClass::Quota,
            _ => FailureClass::Broken,
        }
    }
}

/// What is to be known of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// How it is.
    pub state: InstanceState,
    /// Why it is so, where it ended.
    pub reason: Option<Reason>,
    /// Where it is, or was.
    pub place: Place,
    /// Its address on the internet.
    pub address: Option<IpAddr>,
    /// Its address on its network.
    pub private_address: Option<IpAddr>,
    /// Its place in its launch.
    pub index: usize,
    /// The stack that was brought up in it, or [`GOING`].
    pub stack: Option<String>,
}

impl Instance {
    /// Whether it has a stack, and one that is not to go.
    pub fn has_stack(&self) -> bool {
        self.stack.as_deref().is_some_and(|stack| stack != GOING)
    }

    /// What AWS tells of it, with its tags.
    pub fn read(described: &Described) -> (Self, Vec<Tag>) {
        let tags = own_tags(described.tags.clone());
        let state = described
            .state
            .as_ref()
            .and_then(|state| state.name.as_ref());
        let state = match state {
            Some(InstanceStateName::Pending) => InstanceState::Pending,
            Some(InstanceStateName::Running) => InstanceState::Running,
            Some(InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
            Some(InstanceStateName::Terminated) => InstanceState::Terminated,
            _ => InstanceState::Stopped,
        };
        let address = |text: Option<&String>| text?.parse().ok();
        let reason = described.state_reason.as_ref().map(|reason| Reason {
            code: reason.code().unwrap_or_default().to_owned(),
            message: reason.message().unwrap_or_default().to_owned(),
        });
        let kind = described.instance_type.as_ref();
        let place = Place {
            kind: kind.map_or("", InstanceType::as_str).into(),
            subnet: described.subnet_id().unwrap_or_default().into(),
        };
        let instance = Self {
            state,
            reason,
            place,
            address: address(described.public_ip_address.as_ref()),
            private_address: address(described.private_ip_address.as_ref()),
            index: described
                .ami_launch_index
                .and_then(|index| index.try_into().ok())
                .unwrap_or(0),
            stack: tags::find(&tags, STACK).map(str::to_owned),
        };
        (instance, tags)
    }
}
