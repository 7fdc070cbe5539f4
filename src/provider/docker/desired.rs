//! What should exist of an environment on an engine, seat by seat.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::Serialize;

use super::container::SPECIFICATION_VERSION;
use super::layout::{self, needed_image};
use super::names;
use super::observe::Observed;
use super::ports::{self, Holder};
use super::scheme::{ContainerSpec, Docker, DockerKind, DockerStep, NetworkSpec, VolumeSpec};
use super::snapshot::plan as snapshot;
use super::subnets::Subnets;
use crate::image::{Choice, Origin};
use crate::model::seat::Owner;
use crate::model::{Environment, EnvironmentName, SeatNumber, Service, ServiceName};
use crate::plan::{Blocked, Desired, Fingerprint, Key, OnReset, Stage};

/// What is wanted, and which seats can't have it.
#[derive(Debug)]
pub struct Wanted {
    /// The resources of the seats that can be planned, each after all that it is made of.
    pub desired: Vec<Desired<Docker>>,
    /// The other seats.
    pub blocked: Vec<Blocked>,
}

/// What the plan is made with, besides the environment.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// What exists on the engine.
    pub observed: &'a Observed,
    /// Where each image comes from.
    pub choices: &'a [Choice],
    /// The routes of the engine's host, where they can be seen.
    pub routes: &'a [Ipv4Net],
    /// Who listens on the engine's host, where that can be seen.
    pub listeners: &'a [Holder],
    /// The fingerprint of the event key.
    pub key: &'a str,
    /// When what is created now may be swept away.
    pub expires: Timestamp,
}

/// What should exist of `seats`.
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    around: &Surroundings<'_>,
) -> Wanted {
    Planner::new(environment, around).plan(seats)
}

struct Planner<'a> {
    environment: &'a Environment,
    around: &'a Surroundings<'a>,
    services: Vec<Arc<Service>>,
    /// The image that each service runs, and why it can't where it can't.
    images: HashMap<&'a str, &'a Choice>,
    /// The services' snapshots that are there, or that are made in this plan.
    snapshots: HashMap<ServiceName, Arc<str>>,
    /// The volumes that these fill, by their names in the stack.
    filled: HashMap<String, Arc<str>>,
    subnets: Subnets,
    known_subnets: HashMap<&'a str, Ipv4Net>,
    foreign: HashSet<(DockerKind, &'a str)>,
    /// What other environments have, with theirs.
    others: HashMap<(DockerKind, &'a str), &'a EnvironmentName>,
    holders: HashMap<u16, Vec<Holder>>,
    /// The environment's containers, with their seats.
    own_containers: HashMap<&'a str, SeatNumber>,
    desired: Vec<Desired<Docker>>,
}

impl<'a> Planner<'a> {
    fn new(environment: &'a Environment, around: &'a Surroundings<'a>) -> Self {
        let observed = around.observed;
        let foreign = &observed.foreign;
        let names = |kind, names: &'a [String]| names.iter().map(move |name| (kind, name.as_str()));
        let mut holders: HashMap<u16, Vec<Holder>> = HashMap::new();
        // Containers first: they are a better answer than the engine's proxy process.
        for holder in observed
            .published
            .iter()
            .map(Holder::from)
            .chain(around.listeners.iter().cloned())
        {
            holders.entry(holder.port).or_default().push(holder);
        }
        Self {
            environment,
            around,
            services: environment
                .stack
                .services
                .values()
                .cloned()
                .map(Arc::new)
                .collect(),
            images: around
                .choices
                .iter()
                .map(|choice| (choice.wanted.as_str(), choice))
                .collect(),
            snapshots: HashMap::new(),
            filled: HashMap::new(),
            subnets: Subnets::new(
                environment.docker.subnets,
                environment.docker.subnet_prefix,
                observed.subnets.iter().chain(around.routes).copied(),
            ),
            known_subnets: observed
                .networks
                .iter()
                .filter_map(|network| Some((network.name.as_str(), network.subnet?)))
                .collect(),
            others: observed
                .named()
                .filter(|(.., ownership)| ownership.environment != environment.name)
                .map(|(kind, name, ownership)| ((kind, name), &ownership.environment))
                .collect(),
            foreign: names(DockerKind::Container, &foreign.containers)
                .chain(names(DockerKind::Network, &foreign.networks))
                .chain(names(DockerKind::Volume, &foreign.volumes))
                .collect(),
            holders,
            own_containers: observed
                .containers
                .iter()
                .filter(|container| container.ownership.environment == environment.name)
                .filter_map(|container| {
                    Some((container.name.as_str(), container.ownership.owner.seat()?))
                })
                .collect(),
            desired: Vec::new(),
        }
    }

    fn plan(mut self, seats: &[SeatNumber]) -> Wanted {
        let mut blocked = Vec::new();
        self.add_images();
        self.add_snapshots(seats);
        for &seat in seats {
            let before = self.desired.len();
            if let Err(reason) = self.add_seat(seat) {
                self.desired.truncate(before);
                blocked.push(Blocked { seat, reason });
            }
        }
        Wanted {
            desired: self.desired,
            blocked,
        }
    }

    fn add_images(&mut self) {
        let mut named = BTreeMap::new();
        for choice in self.around.choices {
            if matches!(
                choice.origin,
                Origin::Registry { .. } | Origin::Recipe { .. } | Origin::Bundle { .. }
            ) {
                named.insert(&choice.reference, choice);
            }
        }
        for choice in named.into_values() {
            self.desired.push(Desired {
                key: Key::new(DockerKind::Image, Arc::clone(&choice.reference)),
                owner: Owner::Shared,
                service: None,
                fingerprint: Fingerprint::of(choice),
                stages: vec![Stage::new(DockerStep::FetchImage(Arc::new(choice.clone())))],
                on_reset: OnReset::Kept,
            });
        }
    }

    /// Of the services' snapshots those that are there are used; others are made where that is worth
    /// while.
    fn add_snapshots(&mut self, seats: &[SeatNumber]) {
        let observed = self.around.observed;
        let planned = snapshot::snapshots(
            &self.services,
            &self.images,
            &observed.snapshots,
            self.around.expires,
        );
        for snapshot in planned {
            let spec = &snapshot.spec;
            let new = snapshot::new_volumes(self.environment, &spec.service, seats, observed);
            if !snapshot.present && new < snapshot::FEWEST {
                continue;
            }
            let service = spec.service.name.clone();
            for (volume, _) in spec.service.snapshot_volumes() {
                self.filled
                    .insert(volume.to_owned(), Arc::clone(&spec.reference));
            }
            self.snapshots.insert(service, Arc::clone(&spec.reference));
            if !snapshot.present {
                self.desired.push(snapshot.made());
            }
        }
    }

    fn add_seat(&mut self, seat: SeatNumber) -> Result<(), String> {
        self.check_key()?;
        for (index, name) in self.environment.stack.volumes.keys().enumerate() {
            self.add_volume(seat, index, name)?;
        }
        for index in 0..self.environment.stack.networks.len() {
            self.add_network(seat, index)?;
        }
        let plan = &self.environment.docker.ports;
        let ports = ports::plan(&self.environment.stack, plan, seat).ok_or_else(|| {
            format!(
                "its ports do not fit: docker.ports.per_seat is {}, and {} is the first",
                plan.per_seat, plan.first
            )
        })?;
        for (index, host_ports) in ports.into_iter().enumerate() {
            self.add_container(seat, index, host_ports)?;
        }
        Ok(())
    }

    /// An event has one key: with another one the passwords of its seats would not be those that
    /// they were made with.
    fn check_key(&self) -> Result<(), String> {
        let other = self
            .around
            .observed
            .ownerships()
            .filter(|ownership| ownership.environment == self.environment.name)
            .filter_map(|ownership| ownership.key.as_deref())
            .find(|key| *key != self.around.key);
        match other {
            Some(key) => Err(format!(
                "seats of {} were made with event key {key}, which is not the one on this \
                 machine: bring it here with `seatbox key import`, or take the seats down first",
                self.environment.name
            )),
            None => Ok(()),
        }
    }

    fn check_name(&self, kind: DockerKind, name: &str) -> Result<(), String> {
        if let Some(other) = self.others.get(&(kind, name)) {
            return Err(format!(
                "{kind} {name} belongs to environment {other}: take that down, or choose \
                 another environment name"
            ));
        }
        if self.foreign.contains(&(kind, name)) {
            return Err(format!(
                "{kind} {name} exists and is not ours (it has no label {}): rename it or remove \
                 it, or choose another environment name",
                crate::provider::labels::ENVIRONMENT
            ));
        }
        Ok(())
    }

    fn add_volume(&mut self, seat: SeatNumber, index: usize, volume: &str) -> Result<(), String> {
        let name = names::volume(&self.environment.name, seat, volume);
        self.check_name(DockerKind::Volume, &name)?;
        // Its name and nothing else: what is in it must not go for a label's sake.
        let fingerprint = Fingerprint::of(&("volume", volume));
        let mut create = Stage::new(DockerStep::CreateVolume(Arc::new(VolumeSpec {
            seat,
            name: volume.to_owned(),
            labels: self.environment.stack.volumes[index].labels.clone(),
            fingerprint: fingerprint.clone(),
            expires: self.around.expires,
        })));
        // One that is there while its snapshot is not would have to do without for good.
        create
            .needs
            .extend(self.filled.get(volume).map(needed_image));
        self.desired.push(Desired {
            key: Key::new(DockerKind::Volume, name),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint,
            stages: vec![create],
            on_reset: match self.environment.stack.workspace_volume() == Some(volume) {
                true => OnReset::KeptWithWorkspace,
                false => OnReset::Renewed,
            },
        });
        Ok(())
    }

    fn add_network(&mut self, seat: SeatNumber, index: usize) -> Result<(), String> {
        let networks = &self.environment.stack.networks;
        let (network, settings) = networks.get_index(index).expect("the index is in range");
        let name = names::network(&self.environment.name, seat, network);
        self.check_name(DockerKind::Network, &name)?;
        let subnet = match self.known_subnets.get(name.as_str()) {
            Some(subnet) => *subnet,
            None => self
                .subnets
                .take(seat.index() * networks.len() + index)
                .ok_or_else(|| {
                    format!(
                        "no subnet is free for network {name}: /{} out of {}; give \
                         docker.subnets another range",
                        self.environment.docker.subnet_prefix, self.environment.docker.subnets
                    )
                })?,
        };
        // The subnet is not part of it: whatever it is, it is good enough to stay.
        let fingerprint = Fingerprint::of(&(SPECIFICATION_VERSION, "network", network, settings));
        self.desired.push(Desired {
            key: Key::new(DockerKind::Network, name),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint: fingerprint.clone(),
            stages: vec![Stage::new(DockerStep::CreateNetwork(Arc::new(
                NetworkSpec {
                    seat,
                    name: network.clone(),
                    subnet,
                    internal: settings.internal,
                    labels: settings.labels.clone(),
                    fingerprint,
                    expires: self.around.expires,
                },
            )))],
            on_reset: OnReset::KeptWithWorkspace,
        });
        Ok(())
    }

    fn add_container(
        &mut self,
        seat: SeatNumber,
        index: usize,
        host_ports: Vec<u16>,
    ) -> Result<(), String> {
        let environment = self.environment;
        let service = Arc::clone(&self.services[index]);
        let name = names::container(&environment.name, seat, service.name.as_str());
        self.check_name(DockerKind::Container, &name)?;
        self.check_ports(seat, &name, &service, &host_ports)?;
        let choice = self
            .images
            .get(service.image.as_str())
            .ok_or_else(|| format!("nobody looked for image {}", service.image))?;
        if let Origin::Nowhere { reasons } = &choice.origin {
            return Err(format!(
                "image {} is nowhere to be had: {}",
                service.image,
                reasons.join("; ")
            ));
        }
        let image = Arc::clone(&choice.reference);
        let spec = Arc::new(ContainerSpec {
            seat,
            fingerprint: self.fingerprint(&service, &image, &host_ports),
            service: Arc::clone(&service),
            image: Arc::clone(&image),
            snapshot: self.snapshots.get(&service.name).cloned(),
            host_ports,
            expires: self.around.expires,
        });
        self.desired.push(Desired {
            key: Key::new(DockerKind::Container, name),
            owner: Owner::Seat(seat),
            service: Some(service.name.clone()),
            fingerprint: spec.fingerprint.clone(),
            stages: layout::stages(self.environment, &spec),
            on_reset: OnReset::Renewed,
        });
        Ok(())
    }

    fn check_ports(
        &self,
        seat: SeatNumber,
        name: &str,
        service: &Service,
        ports: &[u16],
    ) -> Result<(), String> {
        for (port, &host_port) in service.ports.iter().zip(ports) {
            let address = ports::address(port, &self.environment.docker.ports);
            let Some(holders) = self.holders.get(&host_port) else {
                continue;
            };
            // The seat's own container may hold it: this very one, or one that goes before this
            // one comes. Its engine's proxy then shows up as a listener too.
            let own = holders.iter().any(|holder| {
                holder
                    .name
                    .strip_prefix("container ")
                    .is_some_and(|holder| self.own_containers.get(holder) == Some(&seat))
            });
            if own {
                continue;
            }
            if let Some(holder) = ports::holder(holders, address, host_port, port.target.protocol) {
                return Err(format!(
                    "port {host_port} for {name} is taken by {}: free it, or choose other ports \
                     with docker.ports.first",
                    holder.name
                ));
            }
        }
        Ok(())
    }

    /// Over everything that makes a container what it is. Secrets are in it by their names, and by
    /// the key's fingerprint.
    fn fingerprint(&self, service: &Service, image: &str, host_ports: &[u16]) -> Fingerprint {
        #[derive(Serialize)]
        struct Specification<'a> {
            version: u32,
            service: &'a Service,
            image: &'a str,
            host_ports: &'a [u16],
            address: std::net::IpAddr,
            key: &'a str,
        }
        Fingerprint::of(&Specification {
            version: SPECIFICATION_VERSION,
            service,
            image,
            host_ports,
            address: self.environment.docker.ports.address,
            key: self.around.key,
        })
    }
}
