//! What is to be known of a task.

use std::net::IpAddr;
use std::sync::Arc;

use aws_sdk_ecs::types::{HealthStatus, Task as Described};
use indexmap::IndexMap;

use crate::model::Stack;
use crate::provider::aws::tags::Tag;

/// How a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It begins.
    Starting,
    /// All its containers run, or have ended as they must.
    Running,
    /// It ends, or has.
    Over,
}

/// What is to be known of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// How it is.
    pub state: TaskState,
    /// Whether its containers say that they are healthy; nothing where none of them has a check.
    pub healthy: Option<bool>,
    /// Why it ended, in AWS's words.
    pub reason: Option<String>,
    /// Its address on its network.
    pub private_address: Option<IpAddr>,
    /// Its network interface.
    pub interface: Option<Arc<str>>,
    /// Its address on the internet.
    pub address: Option<IpAddr>,
    /// How each container is, in AWS's words.
    pub containers: IndexMap<String, String>,
}

impl Task {
    /// What AWS tells of it, with its tags.
    pub fn read(described: &Described) -> (Self, Vec<Tag>) {
        let state = match described.last_status() {
            Some("RUNNING") => TaskState::Running,
            Some("PROVISIONING" | "PENDING" | "ACTIVATING") => TaskState::Starting,
            _ => TaskState::Over,
        };
        // One that is asked to stop does not come back.
        let is_asked = described.desired_status() == Some("STOPPED");
        let attachments = described.attachments().iter();
        let details = attachments.flat_map(|attachment| attachment.details());
        let detail = |name: &str| {
            let mut details = details.clone();
            details.find(|detail| detail.name() == Some(name))?.value()
        };
        let containers = described.containers().iter().filter_map(|container| {
            let health = match container.health_status() {
                Some(HealthStatus::Unhealthy) => Some("unhealthy"),
                _ => container.last_status(),
            };
            Some((container.name()?.to_owned(), health?.to_ascii_lowercase()))
        });
        let task = Self {
            state: if is_asked { TaskState::Over } else { state },
            healthy: match described.health_status() {
                Some(HealthStatus::Healthy) => Some(true),
                Some(HealthStatus::Unhealthy) => Some(false),
                _ => None,
            },
            reason: described.stopped_reason().map(str::to_owned),
            private_address: detail("privateIPv4Address").and_then(|text| text.parse().ok()),
            interface: detail("networkInterfaceId").map(Arc::from),
            address: None,
            containers: containers.collect(),
        };
        let tags = described.tags().iter();
        let tags = tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
        (task, tags.collect())
    }
}

impl Task {
    /// Whether all its containers run and, where the stack has checks, these pass. A task without
    /// checks is never known to be healthy, and one with checks only once they pass.
    pub fn is_ready(&self, stack: &Stack) -> bool {
        let has_checks = stack
            .services
            .values()
            .any(|service| service.check().is_some());
        self.state == TaskState::Running && (self.healthy == Some(true) || !has_checks)
    }
}
