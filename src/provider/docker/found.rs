//! What exists of an environment, as the planner wants to see it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::layout::Layout;
use super::names;
use super::observe::{ContainerState, Observed, OurContainer};
use super::scheme::{Docker, DockerKind, DockerStep};
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Cause, Found, Key};

/// What exists of the seats that `in_scope` picks, told in the stages that the environment's
/// stack would have. `images` holds the id that each service's image has now.
pub fn found(
    environment: &Environment,
    observed: &Observed,
    images: &HashMap<&str, &str>,
    in_scope: impl Fn(SeatNumber) -> bool,
) -> Vec<Found<Docker>> {
    let in_scope = |owner: Owner| owner.seat().is_some_and(&in_scope);
    let mut found = existing(observed, in_scope);
    let containers: HashMap<&str, &OurContainer> = observed
        .containers
        .iter()
        .map(|container| (container.id.as_str(), container))
        .collect();
    let mut seen: HashSet<Key<DockerKind>> = HashSet::new();
    // The one that has the right name comes first, so that it is the other one that goes.
    found.sort_by_key(|resource| {
        containers
            .get(&*resource.id)
            .is_some_and(|container| *container.name != *resource.key.name)
    });
    for resource in &mut found {
        if let Some(container) = containers.get(&*resource.id) {
            let image_changed = |wanted: &str| !observed.runs(&container.image_id, wanted);
            judge(environment, container, images, image_changed, resource);
        }
        if !seen.insert(resource.key.clone()) {
            let name = format!("{} ({})", resource.key.name, short(&resource.id));
            resource.key = Key::new(resource.key.kind, name);
        }
    }
    found
}

/// Everything of ours among `in_scope`, to be taken away or looked at further.
pub fn existing(observed: &Observed, in_scope: impl Fn(Owner) -> bool) -> Vec<Found<Docker>> {
    let resource =
        |ownership: &crate::provider::labels::Ownership, kind, name: String, id: &str| {
            in_scope(ownership.owner).then(|| Found {
                key: Key::new(kind, name),
                owner: ownership.owner,
                id: id.into(),
                fingerprint: ownership.fingerprint.clone(),
                done: 1,
                lag: None,
                unusable: None,
                repairs: Vec::new(),
            })
        };
    let containers = observed.containers.iter().filter_map(|container| {
        let ownership = &container.ownership;
        let name = match (ownership.owner, &ownership.service) {
            (Owner::Seat(seat), Some(service)) => {
                names::container(&ownership.environment, seat, service)
            }
            _ => container.name.clone(),
        };
        resource(ownership, DockerKind::Container, name, &container.id)
    });
    let networks = observed.networks.iter().filter_map(|network| {
        resource(
            &network.ownership,
            DockerKind::Network,
            network.name.clone(),
            &network.id,
        )
    });
    let volumes = observed.volumes.iter().filter_map(|volume| {
        resource(
            &volume.ownership,
            DockerKind::Volume,
            volume.name.clone(),
            &volume.name,
        )
    });
    let leases = observed.leases.iter().filter_map(|lease| {
        resource(
            &lease.ownership,
            DockerKind::Lease,
            lease.name.clone(),
            &lease.name,
        )
    });
    containers
        .chain(networks)
        .chain(volumes)
        .chain(leases)
        .collect()
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// How far a container is, and what is the matter with it.
fn judge(
    environment: &Environment,
    container: &OurContainer,
    images: &HashMap<&str, &str>,
    image_changed: impl Fn(&str) -> bool,
    resource: &mut Found<Docker>,
) {
    let Some(service) = container.ownership.service.as_deref().and_then(|name| {
        environment
            .stack
            .services
            .values()
            .find(|s| s.name.as_str() == name)
    }) else {
        return;
    };
    let Some(seat) = container.ownership.owner.seat() else {
        return;
    };
    let layout = Layout::of(environment, service);
    let behind = |words: &str| Some(Cause::Behind(Arc::from(words)));
    let broken = |words: String| Some(Cause::Broken(words.into()));
    (resource.done, resource.lag) = match container.state {
        ContainerState::Created => (1, behind("never started")),
        ContainerState::Running => (
            // Of one that has to end, running is not the end.
            layout.exit.unwrap_or(layout.len),
            behind("still running"),
        ),
        ContainerState::Starting => (layout.started(), behind("not known to be ready yet")),
        ContainerState::Unhealthy => (layout.started(), behind("unhealthy")),
        ContainerState::Paused => (layout.started(), behind("paused")),
        ContainerState::Restarting => (layout.start, behind("keeps ending")),
        ContainerState::Exited(Some(0)) if layout.exit.is_some() => (layout.len, None),
        ContainerState::Exited(_) => (layout.start, behind(&lower(&container.status))),
        ContainerState::Dead => {
            resource.unusable = broken(format!("beyond repair ({})", lower(&container.status)));
            return;
        }
    };
    if images
        .get(service.image.as_str())
        .is_some_and(|id| image_changed(id))
    {
        resource.unusable = Some(Cause::ImageChanged);
        return;
    }
    for network in service.networks.keys() {
        let name = names::network(&environment.name, seat, network);
        if !container.networks.contains_key(&name) && container.state != ContainerState::Created {
            resource.unusable = broken(format!("not on network {name} any more"));
            return;
        }
    }
    if *container.name != *resource.key.name {
        let cause = Cause::Behind(format!("renamed to {}", container.name).into());
        let step = DockerStep::Rename(container.id.as_str().into());
        resource.repairs.push((step, cause));
    }
    match container.state {
        ContainerState::Paused => resource
            .repairs
            .push((DockerStep::Unpause, Cause::Behind("paused".into()))),
        ContainerState::Unhealthy => resource
            .repairs
            .push((DockerStep::Restart, Cause::Behind("unhealthy".into()))),
        _ => {}
    }
}

fn lower(status: &str) -> String {
    let mut letters = status.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
