//! One look at an engine: what is ours, by its labels, and what is in our way.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::Docker as Client;
use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, ImageSummary, Network, PortSummaryTypeEnum, Volume,
};
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions,
};
use ipnet::Ipv4Net;

use super::errors::failure;
use super::lease::Lease;
use super::scheme::DockerKind;
use crate::engine::Failure;
use crate::engine::retry::part_of_look;
use crate::expiry::Ends;
use crate::image::reference::familiar;
use crate::model::EnvironmentName;
use crate::model::stack::Protocol;
use crate::provider::labels::{self, Ownership};

/// What exists on an engine.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Containers that carry our labels, whatever their environment.
    pub containers: Vec<OurContainer>,
    /// Networks that carry our labels.
    pub networks: Vec<OurNetwork>,
    /// Volumes that carry our labels, but for leases.
    pub volumes: Vec<OurVolume>,
    /// Leases, which are volumes too, and no seat's.
    pub leases: Vec<Lease>,
    /// Names of containers, networks and volumes that are not ours.
    pub foreign: Foreign,
    /// Ports that containers publish.
    pub published: Vec<Published>,
    /// Address ranges of the engine's networks.
    pub subnets: Vec<Ipv4Net>,
    /// The engine's images: their ids by every reference they have.
    pub images: HashMap<String, String>,
    /// Those of them that are snapshots, with or without a reference.
    pub snapshots: Vec<SnapshotImage>,
}

/// An image that holds what a service's first start leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotImage {
    /// The engine's id.
    pub id: String,
    /// Its reference; nothing where a later one has it now.
    pub reference: String,
    /// The id of the image that the service began with.
    pub base: String,
}

/// The label of an image that is a snapshot: the reference that it has, or was to have.
pub const SNAPSHOT: &str = "dev.seatbox.snapshot";
/// The label of a snapshot with the id of the image that it was made from.
pub const SNAPSHOT_BASE: &str = "dev.seatbox.snapshot-base";

/// Names that are taken by things that are not ours.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// Containers' names.
    pub containers: Vec<String>,
    /// Networks' names.
    pub networks: Vec<String>,
    /// Volumes' names.
    pub volumes: Vec<String>,
}

/// A container of ours.
#[derive(Debug, Clone)]
pub struct OurContainer {
    /// What its labels say.
    pub ownership: Ownership,
    /// The engine's id.
    pub id: String,
    /// Its name now.
    pub name: String,
    /// The id of its image.
    pub image_id: String,
    /// Its state.
    pub state: ContainerState,
    /// The engine's own words on its state (`Exited (137) 3 minutes ago`).
    pub status: String,
    /// Whether it ended because it wanted more memory than it may have, as far as somebody asked:
    /// lists don't tell.
    pub out_of_memory: Option<bool>,
    /// The networks it is on, with its address there.
    pub networks: HashMap<String, Option<IpAddr>>,
    /// The ports it publishes.
    pub ports: Vec<Published>,
}

/// A container's state, health included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerState {
    /// Never started.
    Created,
    /// Running, without a check or with a passing one.
    Running,
    /// Running, its check has not said anything yet.
    Starting,
    /// Running, its check fails.
    Unhealthy,
    /// Paused.
    Paused,
    /// Ended and being started again by the engine.
    Restarting,
    /// Ended; with that exit code.
    Exited(Option<i64>),
    /// On its way out, or beyond repair.
    Dead,
}

/// The exit code of what was killed, by the kernel for want of memory or by somebody: 128 + SIGKILL.
pub const KILLED: i64 = 137;

/// A network of ours.
#[derive(Debug, Clone)]
pub struct OurNetwork {
    /// What its labels say.
    pub ownership: Ownership,
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address range.
    pub subnet: Option<Ipv4Net>,
}

/// A volume of ours.
#[derive(Debug, Clone)]
pub struct OurVolume {
    /// What its labels say.
    pub ownership: Ownership,
    /// Its name.
    pub name: String,
}

/// A host port that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The host address.
    pub address: IpAddr,
    /// The host port.
    pub port: u16,
    /// The container's port.
    pub target: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The container that holds it.
    pub container: String,
}

/// Looks at the engine: four list calls, however many seats there are.
pub async fn observe(client: &Client) -> Result<Observed, Failure> {
    let containers = part_of_look(async || {
        let options = ListContainersOptions {
            all: true,
            ..Default::default()
        };
        let list = client.list_containers(Some(options)).await;
        list.map_err(|e| failure("list containers", &e))
    });
    let networks = part_of_look(async || {
        let list = client.list_networks(None::<ListNetworksOptions>).await;
        list.map_err(|e| failure("list networks", &e))
    });
    let volumes = part_of_look(async || {
        let list = client.list_volumes(None::<ListVolumesOptions>).await;
        list.map_err(|e| failure("list volumes", &e))
    });
    let images = part_of_look(async || {
        let list = client.list_images(None::<ListImagesOptions>).await;
        list.map_err(|e| failure("list images", &e))
    });
    let (containers, networks, volumes, images) =
        tokio::try_join!(containers, networks, volumes, images)?;
    let mut observed = Observed::default();
    for summary in containers {
        observed.add_container(summary);
    }
    for network in networks {
        observed.add_network(network);
    }
    for volume in volumes.volumes.unwrap_or_default() {
        observed.add_volume(volume);
    }
    for image in images {
        observed.add_image(image);
    }
    Ok(observed)
}

impl Observed {
    /// Only what is of that environment, of what is ours.
    #[must_use]
    pub fn of(mut self, environment: &EnvironmentName) -> Self {
        self.containers
            .retain(|c| c.ownership.environment == *environment);
        self.networks
            .retain(|n| n.ownership.environment == *environment);
        self.volumes
            .retain(|v| v.ownership.environment == *environment);
        self.leases
            .retain(|l| l.ownership.environment == *environment);
        self
    }

    /// Whether a container of the image `actual` runs what `wanted` is: that image, or a snapshot that
    /// was made from it.
    pub fn runs(&self, actual: &str, wanted: &str) -> bool {
        actual == wanted
            || self
                .snapshots
                .iter()
                .any(|snapshot| snapshot.id == actual && snapshot.base == wanted)
    }

    /// Whether nothing of ours is there.
    pub fn is_empty(&self) -> bool {
        self.ownerships().next().is_none()
    }

    /// Everything of ours by its name, with what its labels say.
    pub fn named(&self) -> impl Iterator<Item = (DockerKind, &str, &Ownership)> {
        let containers = self.containers.iter();
        let networks = self.networks.iter();
        let volumes = self.volumes.iter();
        containers
            .map(|c| (DockerKind::Container, c.name.as_str(), &c.ownership))
            .chain(networks.map(|n| (DockerKind::Network, n.name.as_str(), &n.ownership)))
            .chain(volumes.map(|v| (DockerKind::Volume, v.name.as_str(), &v.ownership)))
    }

    /// What the labels say of everything of ours.
    pub fn ownerships(&self) -> impl Iterator<Item = &Ownership> {
        self.seat_ownerships()
            .chain(self.leases.iter().map(|l| &l.ownership))
    }

    /// The same, of what makes up seats.
    pub fn seat_ownerships(&self) -> impl Iterator<Item = &Ownership> {
        self.named().map(|(.., ownership)| ownership)
    }

    /// When each environment ends, by the labels of all that is its own.
    pub fn ends(&self) -> Ends {
        Ends::of(
            self.ownerships()
                .map(|ownership| (&ownership.environment, ownership.expires.as_ref())),
        )
    }

    fn add_container(&mut self, summary: ContainerSummary) {
        let name = summary
            .names
            .iter()
            .flatten()
            // A name with a second slash is an alias from a link.
            .find(|name| !name.trim_start_matches('/').contains('/'))
            .map(|name| name.trim_start_matches('/').to_owned())
            .unwrap_or_default();
        let ports: Vec<Published> = summary
            .ports
            .iter()
            .flatten()
            .filter_map(|port| {
                Some(Published {
                    address: port.ip.as_deref()?.parse().ok()?,
                    port: port.public_port?,
                    target: port.private_port,
                    protocol: match port.typ {
                        Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
                        _ => Protocol::Tcp,
                    },
                    container: name.clone(),
                })
            })
            .collect();
        self.published.extend(ports.iter().cloned());
        let Some(ownership) = read_labels(summary.labels.as_ref()) else {
            self.foreign.containers.push(name);
            return;
        };
        let status = summary.status.clone().unwrap_or_default();
        let networks = summary
            .network_settings
            .and_then(|settings| settings.networks)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, endpoint)| (name, endpoint.ip_address.and_then(|text| text.parse().ok())))
            .collect();
        self.containers.push(OurContainer {
            ownership,
            id: summary.id.unwrap_or_default(),
            name,
            image_id: summary.image_id.unwrap_or_default(),
            state: state(summary.state, &status),
            status,
            out_of_memory: None,
            networks,
            ports,
        });
    }

    fn add_network(&mut self, network: Network) {
        let name = network.name.unwrap_or_default();
        let subnets: Vec<Ipv4Net> = network
            .ipam
            .and_then(|ipam| ipam.config)
            .into_iter()
            .flatten()
            .filter_map(|config| config.subnet?.parse().ok())
            .collect();
        self.subnets.extend(&subnets);
        match read_labels(network.labels.as_ref()) {
            Some(ownership) => self.networks.push(OurNetwork {
                ownership,
                id: network.id.unwrap_or_default(),
                name,
                subnet: subnets.first().copied(),
            }),
            None => self.foreign.networks.push(name),
        }
    }

    fn add_volume(&mut self, volume: Volume) {
        match read_labels(Some(&volume.labels)) {
            Some(ownership) if Lease::is_one(&volume.labels) => self.leases.push(Lease {
                ownership,
                name: volume.name,
            }),
            Some(ownership) => self.volumes.push(OurVolume {
                ownership,
                name: volume.name,
            }),
            None => self.foreign.volumes.push(volume.name),
        }
    }

    fn add_image(&mut self, image: ImageSummary) {
        if let Some(base) = image.labels.get(SNAPSHOT_BASE) {
            self.snapshots.push(SnapshotImage {
                id: image.id.clone(),
                reference: image.repo_tags.first().cloned().unwrap_or_default(),
                base: base.clone(),
            });
        }
        for reference in image.repo_tags.into_iter().chain(image.repo_digests) {
            if !reference.starts_with("<none>") {
                // Podman lists full names.
                self.images.insert(familiar(&reference), image.id.clone());
            }
        }
    }
}

fn read_labels(labels: Option<&HashMap<String, String>>) -> Option<Ownership> {
    let labels = labels?;
    labels.get(labels::ENVIRONMENT)?;
    Ownership::read(|name| labels.get(name).map(String::as_str))
}

/// Lists carry a container's health only in their words on its state.
fn state(state: Option<ContainerSummaryStateEnum>, status: &str) -> ContainerState {
    use ContainerSummaryStateEnum as Engine;
    match state {
        Some(Engine::CREATED) => ContainerState::Created,
        Some(Engine::RUNNING) if status.ends_with("(unhealthy)") => ContainerState::Unhealthy,
        Some(Engine::RUNNING) if status.ends_with("(health: starting)") => ContainerState::Starting,
        Some(Engine::RUNNING) => ContainerState::Running,
        Some(Engine::PAUSED) => ContainerState::Paused,
        Some(Engine::RESTARTING) => ContainerState::Restarting,
        Some(Engine::EXITED) => ContainerState::Exited(
            status
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once(')'))
                .and_then(|(code, _)| code.parse().ok()),
        ),
        _ => ContainerState::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_exit_codes_are_read_from_the_engines_words() {
        use ContainerSummaryStateEnum as Engine;
        let read = |engine, words| state(Some(engine), words);
        assert_eq!(
            read(Engine::RUNNING, "Up 2 minutes (healthy)"),
            ContainerState::Running
        );
        assert_eq!(
            read(Engine::RUNNING, "Up 2 minutes"),
            ContainerState::Running
        );
        assert_eq!(
            read(Engine::RUNNING, "Up 1 second (health: starting)"),
            ContainerState::Starting
        );
        assert_eq!(
            read(Engine::RUNNING, "Up 2 hours (unhealthy)"),
            ContainerState::Unhealthy
        );
        assert_eq!(
            read(Engine::EXITED, "Exited (137) 3 minutes ago"),
            ContainerState::Exited(Some(137))
        );
    }

    #[test]
    fn what_has_our_name_and_no_label_is_foreign() {
        let mut observed = Observed::default();
        observed.add_container(ContainerSummary {
            names: Some(vec!["/gopher-01-redis-1".to_owned()]),
            ..Default::default()
        });
        assert!(observed.is_empty());
        assert_eq!(observed.foreign.containers, ["gopher-01-redis-1"]);
    }
}
