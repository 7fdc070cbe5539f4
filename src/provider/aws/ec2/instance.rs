//! What is to be known of an instance.

use std::net::IpAddr;

use aws_sdk_ec2::types::{Instance as Described, InstanceStateName};

use crate::provider::aws::network::own_tags;
use crate::provider::aws::tags::{self, STACK, Tag};

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

/// What is to be known of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// How it is.
    pub state: InstanceState,
    /// Why it is so, in AWS's words, where it ended.
    pub reason: Option<String>,
    /// Its address on the internet.
    pub address: Option<IpAddr>,
    /// Its address on its network.
    pub private_address: Option<IpAddr>,
    /// Its place in its launch.
    pub index: usize,
    /// The stack that was brought up in it.
    pub stack: Option<String>,
}

impl Instance {
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
        let reason = described
            .state_reason
            .as_ref()
            .and_then(|reason| reason.message.clone());
        let instance = Self {
            state,
            reason,
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
