//! What an engine shows, made up: a plan is made from it without one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::desired::{Surroundings, Wanted, desired};
use super::found::found;
use super::names;
use super::observe::{ContainerState, Observed, OurContainer, OurNetwork, OurVolume, Published};
use super::ports::Holder;
use super::scheme::{Docker, DockerStep};
use crate::environment::{Overrides, load};
use crate::image::{Choice, Origin};
use crate::model::stack::Protocol;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Mode, Plan, converge};
use crate::provider::labels::Ownership;

/// A workspace, and a service that it waits for.
pub const STACK: &str = "
services:
  app:
    image: app:1
    depends_on:
      cache: {condition: service_healthy}
    volumes: [work:/work]
    ports: ['8080']
    x-seatbox: {workspace: /work}
  cache:
    image: cache:1
    ports: ['6379']
    healthcheck: {test: [CMD, ping]}
volumes:
  work:
";

/// An environment of that stack.
pub fn environment(seats: u32, stack: &str) -> Environment {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("stack.yaml"), stack).unwrap();
    let text = format!(
        "version: 1\nname: lab\nseats: {{count: {seats}}}\nstack: stack.yaml\nlifetime: 1h\n"
    );
    std::fs::write(at("lab.yaml"), text).unwrap();
    load(&at("lab.yaml"), &Overrides::new([], Timestamp::UNIX_EPOCH))
        .unwrap()
        .environment
}

/// All of its images, there already.
pub fn choices(environment: &Environment) -> Vec<Choice> {
    environment
        .stack
        .services
        .values()
        .map(|service| Choice {
            wanted: service.image.clone(),
            reference: service.image.as_str().into(),
            origin: Origin::Present {
                id: format!("id of {}", service.image),
            },
        })
        .collect()
}

/// Everything that a plan is made from, to be changed by a test.
pub struct Scene {
    pub environment: Environment,
    pub observed: Observed,
    pub choices: Vec<Choice>,
    pub listeners: Vec<Holder>,
    pub routes: Vec<Ipv4Net>,
    pub key: &'static str,
}

impl Scene {
    /// An engine that has nothing but the images.
    pub fn empty(seats: u32) -> Self {
        Self::of(environment(seats, STACK))
    }

    /// The same, of another environment.
    pub fn of(environment: Environment) -> Self {
        Self {
            choices: choices(&environment),
            environment,
            observed: Observed::default(),
            listeners: Vec::new(),
            routes: Vec::new(),
            key: "key",
        }
    }

    /// As it is after an `up`.
    pub fn up(seats: u32) -> Self {
        let mut scene = Self::empty(seats);
        let wanted = scene.wanted();
        for resource in wanted.desired {
            let ownership = Ownership {
                environment: scene.environment.name.clone(),
                owner: resource.owner,
                service: resource.service.as_ref().map(ToString::to_string),
                expires: None,
                fingerprint: Some(resource.fingerprint.clone()),
                key: Some(scene.key.to_owned()),
            };
            let name = resource.key.name.to_string();
            match &resource.stages[0].step {
                DockerStep::CreateVolume(_) => {
                    scene.observed.volumes.push(OurVolume { ownership, name })
                }
                DockerStep::CreateNetwork(spec) => {
                    scene.observed.subnets.push(spec.subnet);
                    scene.observed.networks.push(OurNetwork {
                        ownership,
                        id: format!("id of {name}"),
                        name,
                        subnet: Some(spec.subnet),
                    });
                }
                DockerStep::CreateContainer(spec) => {
                    let network = names::network(&scene.environment.name, spec.seat, "default");
                    let ports: Vec<Published> = spec
                        .service
                        .ports
                        .iter()
                        .zip(&spec.host_ports)
                        .map(|(port, host)| Published {
                            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                            port: *host,
                            target: port.target.number,
                            protocol: Protocol::Tcp,
                            container: name.clone(),
                        })
                        .collect();
                    scene.observed.published.extend(ports.iter().cloned());
                    scene.observed.containers.push(OurContainer {
                        ownership,
                        id: format!("id of {name}"),
                        image_id: format!("id of {}", spec.image),
                        name,
                        state: ContainerState::Running,
                        status: "Up 5 minutes".to_owned(),
                        out_of_memory: None,
                        networks: HashMap::from([(network, None)]),
                        ports,
                    });
                }
                step => panic!("{step} creates nothing"),
            }
        }
        scene
    }

    /// All of them.
    pub fn seats(&self) -> Vec<SeatNumber> {
        self.environment.seat_numbers().collect()
    }

    /// What should exist.
    pub fn wanted(&self) -> Wanted {
        let around = Surroundings {
            observed: &self.observed,
            choices: &self.choices,
            routes: &self.routes,
            listeners: &self.listeners,
            key: self.key,
            expires: Timestamp::UNIX_EPOCH,
        };
        desired(&self.environment, &self.seats(), &around)
    }

    /// What `up` would do.
    pub fn plan(&self) -> Plan<Docker> {
        let wanted = self.wanted();
        let images: Vec<(&str, String)> = self
            .choices
            .iter()
            .filter_map(|choice| match &choice.origin {
                Origin::Present { id } => Some((choice.wanted.as_str(), id.clone())),
                _ => None,
            })
            .collect();
        let images: HashMap<&str, &str> = images
            .iter()
            .map(|(name, id)| (*name, id.as_str()))
            .collect();
        let blocked: Vec<SeatNumber> = wanted.blocked.iter().map(|seat| seat.seat).collect();
        let found = found(&self.environment, &self.observed, &images, |seat| {
            !blocked.contains(&seat)
        });
        let mut plan = converge(&wanted.desired, found, &Mode::Repair);
        plan.blocked = wanted.blocked;
        plan
    }

    /// The plan's actions, a line each.
    pub fn lines(&self) -> Vec<String> {
        self.plan()
            .actions
            .iter()
            .map(|action| format!("{} {} ({})", action.verb(), action.key.name, action.cause))
            .collect()
    }

    /// A container of the engine's, to be changed.
    pub fn container(&mut self, name: &str) -> &mut OurContainer {
        let found = self.observed.containers.iter_mut().find(|c| c.name == name);
        found.expect("the container is there")
    }
}
