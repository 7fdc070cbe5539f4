//! How seats are.

use std::collections::HashMap;
use std::net::IpAddr;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::ec2::InstanceState;
use super::ecs::TaskState;
use super::observe::{Detail, Observed, Thing};
use crate::model::seat::SeatState;
use crate::model::view::{PortView, SeatView, ServiceView};
use crate::model::{Environment, SeatNumber, Service};

/// How `seats` are.
pub fn seats(
    environment: &Environment,
    observed: &Observed,
    seats: &[SeatNumber],
) -> Vec<SeatView> {
    let mut known: HashMap<SeatNumber, Seen<'_>> = HashMap::new();
    for thing in observed.of(&environment.name) {
        let (Some(seen), Some(seat)) = (Seen::of(environment, thing), thing.ownership.owner.seat())
        else {
            continue;
        };
        let is_better = known
            .get(&seat)
            .is_none_or(|known| known.state != SeatState::Ready);
        if is_better {
            known.insert(seat, seen);
        }
    }
    let end = observed.end(&environment.name);
    seats
        .iter()
        .map(|seat| view(environment, *seat, known.remove(seat), end))
        .collect()
}

/// What a seat lives in.
struct Seen<'a> {
    id: &'a str,
    state: SeatState,
    problem: Option<String>,
    address: Option<IpAddr>,
    private_address: Option<IpAddr>,
    /// How each service is, where that is known.
    services: Option<&'a IndexMap<String, String>>,
}

impl<'a> Seen<'a> {
    /// An instance or a task that is not over.
    fn of(environment: &Environment, thing: &'a Thing) -> Option<Self> {
        match &thing.detail {
            Detail::Instance(instance) if !instance.state.is_over() => Some(Self {
                id: &thing.id,
                state: match instance.state {
                    // The last step of bringing it up says at the instance that its stack is.
                    InstanceState::Running if instance.has_stack() => SeatState::Ready,
                    InstanceState::Running | InstanceState::Pending => SeatState::Starting,
                    _ => SeatState::Degraded,
                },
                problem: (instance.state == InstanceState::Stopped)
                    .then(|| "its instance is stopped".to_owned()),
                address: instance.address,
                private_address: instance.private_address,
                services: None,
            }),
            Detail::Task(task) if task.state != TaskState::Over => Some(Self {
                id: &thing.id,
                state: match task.healthy {
                    Some(false) => SeatState::Degraded,
                    _ if task.is_ready(&environment.stack) => SeatState::Ready,
                    _ => SeatState::Starting,
                },
                problem: (task.healthy == Some(false)).then(|| "its check fails".to_owned()),
                address: task.address,
                private_address: task.private_address,
                services: Some(&task.containers),
            }),
            _ => None,
        }
    }

    fn service(&self, service: &Service) -> ServiceView {
        let name = service.name.as_str();
        let own = self.services.and_then(|services| services.get(name));
        let word = own.map_or_else(|| word(self.state).to_owned(), Clone::clone);
        let is_sick = own.is_none_or(|state| state == "unhealthy");
        ServiceView {
            service: service.name.clone(),
            id: Some(self.id.to_owned()),
            state: word,
            problem: self.problem.clone().filter(|_| is_sick),
        }
    }
}

fn view(
    environment: &Environment,
    seat: SeatNumber,
    seen: Option<Seen<'_>>,
    end: Option<Timestamp>,
) -> SeatView {
    let state = seen.as_ref().map_or(SeatState::Absent, |seen| seen.state);
    let services = environment.stack.services.values();
    let address = seen.as_ref().and_then(|seen| seen.address);
    let absent = |service: &Service| ServiceView {
        service: service.name.clone(),
        id: None,
        state: word(SeatState::Absent).to_owned(),
        problem: None,
    };
    SeatView {
        seat,
        group: environment.group_of(seat),
        state,
        services: services
            .clone()
            .map(|service| match &seen {
                Some(seen) => seen.service(service),
                None => absent(service),
            })
            .collect(),
        address: address.or(seen.as_ref().and_then(|seen| seen.private_address)),
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
