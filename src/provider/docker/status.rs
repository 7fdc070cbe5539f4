//! How seats are: what one look says of each service.

use std::collections::HashMap;

use jiff::Timestamp;

use super::names;
use super::observe::{ContainerState, KILLED, Observed, OurContainer};
use crate::model::seat::{Owner, SeatState};
use crate::model::stack::ContainerPort;
use crate::model::view::{PortView, SeatView, ServiceView};
use crate::model::{Environment, SeatNumber, Service};

/// How `seats` are.
pub fn seats(
    environment: &Environment,
    observed: &Observed,
    seats: &[SeatNumber],
) -> Vec<SeatView> {
    let mut containers: HashMap<(SeatNumber, &str), &OurContainer> = HashMap::new();
    for container in &observed.containers {
        if let (Owner::Seat(seat), Some(service), true) = (
            container.ownership.owner,
            &container.ownership.service,
            container.ownership.environment == environment.name,
        ) {
            containers.insert((seat, service), container);
        }
    }
    // With the last of all that is the environment's own, which may be a lease.
    let end = observed.ends().get(&environment.name).latest;
    let networks: Vec<&str> = observed
        .networks
        .iter()
        .map(|network| network.name.as_str())
        .collect();
    seats
        .iter()
        .map(|&seat| view(environment, &containers, &networks, end, seat))
        .collect()
}

fn view(
    environment: &Environment,
    containers: &HashMap<(SeatNumber, &str), &OurContainer>,
    networks: &[&str],
    end: Option<Timestamp>,
    seat: SeatNumber,
) -> SeatView {
    let find = |service: &Service| containers.get(&(seat, service.name.as_str())).copied();
    let services: Vec<(&Service, Option<&OurContainer>)> = environment
        .stack
        .services
        .values()
        .map(|service| (service, find(service)))
        .collect();
    let mut views: Vec<ServiceView> = services
        .iter()
        .map(|(service, container)| service_view(environment, networks, seat, service, *container))
        .collect();
    let state = state(&services, &views);
    if state == SeatState::Absent {
        // That each service is missing too goes without saying.
        for view in &mut views {
            view.problem = None;
        }
    }
    let shown = environment.stack.shell_service().and_then(find);
    SeatView {
        seat,
        group: environment.group_of(seat),
        state,
        address: shown.and_then(|container| container.networks.values().flatten().next().copied()),
        ports: services
            .iter()
            .filter_map(|(service, container)| Some((service, (*container)?)))
            .flat_map(|(service, container)| ports(service, container))
            .collect(),
        expires: end.filter(|_| state != SeatState::Absent),
        services: views,
        took: None,
    }
}

fn state(services: &[(&Service, Option<&OurContainer>)], views: &[ServiceView]) -> SeatState {
    if services.iter().all(|(_, container)| container.is_none()) {
        SeatState::Absent
    } else if views.iter().any(|view| view.problem.is_some()) {
        SeatState::Degraded
    } else if services
        .iter()
        .any(|(_, container)| container.is_some_and(|c| c.state == ContainerState::Starting))
    {
        SeatState::Starting
    } else {
        SeatState::Ready
    }
}

fn ports(service: &Service, container: &OurContainer) -> Vec<PortView> {
    let mut ports: Vec<PortView> = container
        .ports
        .iter()
        .map(|published| PortView {
            service: service.name.clone(),
            port: ContainerPort {
                number: published.target,
                protocol: published.protocol,
            },
            address: published.address,
            host_port: published.port,
        })
        .collect();
    ports.sort_by_key(|port| (port.host_port, port.address));
    ports
}

fn service_view(
    environment: &Environment,
    networks: &[&str],
    seat: SeatNumber,
    service: &Service,
    container: Option<&OurContainer>,
) -> ServiceView {
    let Some(container) = container else {
        return ServiceView {
            service: service.name.clone(),
            id: None,
            state: "absent".to_owned(),
            problem: Some("its container is missing".to_owned()),
        };
    };
    let ends = super::layout::Layout::of(environment, service)
        .exit
        .is_some();
    let (word, problem) = match container.state {
        ContainerState::Running => ("running", None),
        ContainerState::Starting => ("starting", None),
        ContainerState::Created => ("created", Some("never started".to_owned())),
        ContainerState::Unhealthy => ("unhealthy", Some("its check fails".to_owned())),
        ContainerState::Paused => ("paused", Some("somebody paused it".to_owned())),
        ContainerState::Restarting => ("restarting", Some("it keeps ending".to_owned())),
        ContainerState::Exited(Some(0)) if ends => ("completed", None),
        ContainerState::Exited(Some(KILLED)) => {
            let why = match container.out_of_memory {
                Some(true) => "killed for want of memory",
                Some(false) => "killed",
                None => "killed, perhaps for want of memory",
            };
            ("exited", Some(format!("{}: {why}", container.status)))
        }
        ContainerState::Exited(_) => ("exited", Some(container.status.clone())),
        ContainerState::Dead => ("dead", Some(container.status.clone())),
    };
    let expected = names::container(&environment.name, seat, service.name.as_str());
    let renamed = (container.name != expected).then(|| format!("renamed to {}", container.name));
    let cut_off = service.networks.keys().find_map(|network| {
        let name = names::network(&environment.name, seat, network);
        if !networks.contains(&name.as_str()) {
            Some(format!("its network {name} is missing"))
        } else if !container.networks.contains_key(&name) {
            Some(format!("it is not on its network {name} any more"))
        } else {
            None
        }
    });
    ServiceView {
        service: service.name.clone(),
        id: Some(container.name.clone()),
        state: word.to_owned(),
        problem: problem.or(cut_off).or(renamed),
    }
}
