//! The stages in which a service comes up, and where each of them is.

use crate::model::stack::Condition;
use crate::model::{Environment, Service, Stack};

/// Where a service's stages are.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The stage that starts it.
    pub start: usize,
    /// The stage that waits until it is ready, where it has a check.
    pub ready: Option<usize>,
    /// The stage that waits until it has ended, where another service waits for that.
    pub exit: Option<usize>,
    /// How many there are.
    pub len: usize,
}

impl Layout {
    /// The stages of a service: create, connect to each further network, fill, start, check, await.
    pub fn of(environment: &Environment, service: &Service) -> Self {
        let start = 1
            + service.networks.len().saturating_sub(1)
            + usize::from(is_filled(environment, service));
        let exit = ends(&environment.stack, service);
        let ready = (!exit && service.check().is_some()).then_some(start + 1);
        let exit = exit.then_some(start + 1);
        Self {
            start,
            ready,
            exit,
            // Whatever it is that is waited for is the last.
            len: start + 2,
        }
    }

    /// How many stages are done when it has been started.
    pub fn started(&self) -> usize {
        self.start + 1
    }

    /// How many stages must be done for that condition.
    pub fn until(&self, condition: Condition) -> usize {
        match condition {
            Condition::ServiceStarted => self.started(),
            Condition::ServiceHealthy => self.ready.map_or(self.started(), |stage| stage + 1),
            Condition::ServiceCompletedSuccessfully => self.len,
        }
    }
}

/// Whether another service waits until this one has ended.
pub fn ends(stack: &Stack, service: &Service) -> bool {
    stack.services.values().any(|other| {
        other
            .depends_on
            .get(&service.name)
            .is_some_and(|d| d.condition == Condition::ServiceCompletedSuccessfully)
    })
}

/// Whether files are put into the service's container before it starts.
pub fn is_filled(environment: &Environment, service: &Service) -> bool {
    !service.files.is_empty()
        || (service.seatbox.workspace.is_some() && environment.workspace.files.is_some())
}
