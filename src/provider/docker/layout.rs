//! The stages in which a service comes up, and where each of them is.

use std::sync::Arc;
use std::time::Duration;

use super::names;
use super::scheme::{ContainerSpec, Docker, DockerKind, DockerStep};
use crate::model::stack::{Condition, MountSource};
use crate::model::{Environment, Service};
use crate::plan::{Bond, Key, Need, Stage};

/// How long a service may take until its check passes, unless `x-seatbox.ready_timeout` says
/// otherwise. Generous: on two cores 23 databases initialise at once.
const READY_TIMEOUT: Duration = Duration::from_secs(180);

/// How long the service may take until its check passes.
pub fn ready_timeout(service: &Service) -> Duration {
    service.seatbox.ready_timeout.unwrap_or(READY_TIMEOUT)
}

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
        let exit = environment.stack.awaits_end_of(service);
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

/// Whether files are put into the service's container before it starts.
pub fn is_filled(environment: &Environment, service: &Service) -> bool {
    !service.files.is_empty()
        || (service.seatbox.workspace.is_some() && environment.workspace.files.is_some())
}

/// The stages in which a container comes up, with what each needs.
pub fn stages(environment: &Environment, spec: &Arc<ContainerSpec>) -> Vec<Stage<Docker>> {
    let service = &spec.service;
    let holds = |kind, name: String| Need {
        key: Key::new(kind, name),
        stages: 1,
        bond: Bond::Holds,
    };
    let network = |name: &str| names::network(&environment.name, spec.seat, name);
    let mut needs = vec![needed_image(&spec.image)];
    needs.extend(spec.snapshot.as_ref().map(needed_image));
    needs.extend(
        service
            .networks
            .keys()
            .map(|name| holds(DockerKind::Network, network(name))),
    );
    needs.extend(
        service
            .mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                MountSource::Volume { name, .. } => Some(holds(
                    DockerKind::Volume,
                    names::volume(&environment.name, spec.seat, name),
                )),
                _ => None,
            }),
    );
    let mut stages = vec![Stage {
        step: DockerStep::CreateContainer(Arc::clone(spec)),
        needs,
    }];
    for name in service.networks.keys().skip(1) {
        let name: Arc<str> = name.as_str().into();
        stages.push(Stage::new(DockerStep::Connect(Arc::clone(spec), name)));
    }
    if is_filled(environment, service) {
        stages.push(Stage::new(DockerStep::Fill(Arc::clone(spec))));
    }
    stages.push(Stage {
        step: DockerStep::Start,
        needs: service
            .depends_on
            .iter()
            .filter_map(|(name, dependency)| {
                let other = environment.stack.services.get(name)?;
                Some(Need {
                    key: Key::new(
                        DockerKind::Container,
                        names::container(&environment.name, spec.seat, name.as_str()),
                    ),
                    stages: Layout::of(environment, other).until(dependency.condition),
                    bond: Bond::Follows,
                })
            })
            .collect(),
    });
    let timeout = ready_timeout(service);
    if environment.stack.awaits_end_of(service) {
        stages.push(Stage::new(DockerStep::AwaitExit(Arc::clone(spec), timeout)));
    } else if service.check().is_some() {
        stages.push(Stage::new(DockerStep::AwaitReady(
            Arc::clone(spec),
            timeout,
        )));
    } else {
        stages.push(Stage::new(DockerStep::AwaitRunning(Arc::clone(spec))));
    }
    stages
}

/// That an image is there.
pub fn needed_image(image: &Arc<str>) -> Need<DockerKind> {
    Need {
        key: Key::new(DockerKind::Image, Arc::clone(image)),
        stages: 1,
        bond: Bond::Follows,
    }
}
