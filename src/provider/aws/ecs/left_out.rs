//! What a stack says and a task does without, because nothing breaks by it. It is for whoever plans to
//! read; an error is only what is in [`super::unsupported`].

use super::container::must_end;
use crate::model::stack::Restart;
use crate::model::{Service, Stack};
use crate::provider::aws::unsupported::{Collected, Unsupported};

/// All that is otherwise in a task, with what holds instead.
pub fn left_out(stack: &Stack) -> Vec<Unsupported> {
    let mut found = Collected::default();
    for volume in stack.volumes.keys() {
        found.of_all(
            format!("volume {volume} goes with its task"),
            match stack.workspace_volume() == Some(volume) {
                true => "a reset begins the workspace anew, too",
                false => "a reset begins it anew",
            },
        );
    }
    let mut services = stack.services.values();
    if services
        .clone()
        .any(|service| service.resources.pids.is_some())
    {
        found.of_all(
            "no service has a limit of processes",
            "the memory of its container limits it",
        );
    }
    if services.any(|service| !service.security_opt.is_empty()) {
        found.of_all(
            "processes may gain privileges by setuid programs",
            "within the container's capabilities",
        );
    }
    for service in stack.services.values() {
        of_service(stack, service, &mut found);
    }
    found.done()
}

fn of_service(stack: &Stack, service: &Service, found: &mut Collected) {
    if service.hostname.is_some() {
        found.of(
            &service.name,
            "its host name is not set",
            "it is that of the task's address",
        );
    }
    if service.stop_signal.is_some() {
        found.of(
            &service.name,
            "its stop signal is not set",
            "it is the image's",
        );
    }
    match service.restart {
        Restart::OnFailure { attempts } if attempts > 0 => found.of(
            &service.name,
            "attempts to restart it are not counted",
            "it is started again whenever it ran for a minute",
        ),
        Restart::No if !must_end(service, stack) => found.of(
            &service.name,
            "when it ends, its seat ends",
            "say `restart: unless-stopped`, or let another service wait for its end",
        ),
        Restart::Always | Restart::UnlessStopped if must_end(service, stack) => found.of(
            &service.name,
            "it is not started again",
            "another service waits for its end",
        ),
        _ => {}
    }
}
