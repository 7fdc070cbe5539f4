//! How seats are.

use std::collections::HashMap;

use jiff::Timestamp;

use super::ec2::{Instance, InstanceState};
use super::observe::{Observed, Thing};
use crate::model::seat::SeatState;
use crate::model::view::{PortView, SeatView, ServiceView};
use crate::model::{Environment, SeatNumber};

/// How `seats` are.
pub fn seats(
    environment: &Environment,
    observed: &Observed,
    seats: &[SeatNumber],
) -> Vec<SeatView> {
    let mut instances: HashMap<SeatNumber, (&Thing, &Instance)> = HashMap::new();
    for thing in observed.of(&environment.name) {
        let Some(instance) = thing
            .instance()
            .filter(|instance| !instance.state.is_over())
        else {
            continue;
        };
        if let Some(seat) = thing.ownership.owner.seat() {
            let known = instances.entry(seat).or_insert((thing, instance));
            if instance.state == InstanceState::Running {
                *known = (thing, instance);
            }
        }
    }
    let end = observed.end(&environment.name);
    seats
        .iter()
        .map(|seat| view(environment, *seat, instances.get(seat).copied(), end))
        .collect()
}

fn view(
    environment: &Environment,
    seat: SeatNumber,
    instance: Option<(&Thing, &Instance)>,
    end: Option<Timestamp>,
) -> SeatView {
    let state = match instance.map(|(_, instance)| instance.state) {
        None => SeatState::Absent,
        Some(InstanceState::Pending) => SeatState::Starting,
        // The last step of bringing it up says at the instance that its stack is.
        Some(InstanceState::Running) if instance.is_some_and(|(_, i)| i.stack.is_none()) => {
            SeatState::Starting
        }
        Some(InstanceState::Running) => SeatState::Ready,
        Some(_) => SeatState::Degraded,
    };
    let services = environment.stack.services.values();
    let address = instance.and_then(|(_, instance)| instance.address);
    SeatView {
        seat,
        group: environment.group_of(seat),
        state,
        services: services
            .clone()
            .map(|service| ServiceView {
                service: service.name.clone(),
                id: instance.map(|(thing, _)| thing.id.to_string()),
                state: word(state).to_owned(),
                problem: (state == SeatState::Degraded)
                    .then(|| "its instance is stopped".to_owned()),
            })
            .collect(),
        address: address.or(instance.and_then(|(_, instance)| instance.private_address)),
        ports: services
            .flat_map(|service| service.ports.iter().map(move |port| (service, port)))
            .filter_map(|(service, port)| {
                Some(PortView {
                    service: service.name.clone(),
                    port: port.target,
                    address: address?,
                    host_port: port.target.number,
                })
            })
            .collect(),
        expires: end.filter(|_| state != SeatState::Absent),
        took: None,
    }
}

fn word(state: SeatState) -> &'static str {
    match state {
        SeatState::Ready => "running",
        SeatState::Starting => "starting",
        SeatState::Degraded => "stopped",
        SeatState::Absent => "absent",
    }
}
