//! The Docker provider's vocabulary for the planner: kinds of resources, and steps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::snapshot::plan::SnapshotSpec;
use crate::image::Choice;
use crate::model::{SeatNumber, Service, Text};
use crate::plan::{Fingerprint, Kind, Lane, Scheme, Step};

/// The Docker provider's scheme.
#[derive(Debug, Clone)]
pub struct Docker;

impl Scheme for Docker {
    type Kind = DockerKind;
    type Step = DockerStep;
}

/// Kinds of resources on an engine, in the order in which they are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DockerKind {
    /// A lease: an empty volume that says until when an environment goes on. It is no seat's.
    Lease,
    /// An image; shared, and left where it is when seats go.
    Image,
    /// A volume of a seat.
    Volume,
    /// A network of a seat.
    Network,
    /// A container of a seat.
    Container,
}

impl fmt::Display for DockerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lease => "lease",
            Self::Image => "image",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Container => "container",
        })
    }
}

const IMAGES: Lane = Lane::new("images", 2);
/// Engines set up bridges and packet filter rules one after another behind a lock; more at once
/// only wait there (moby/moby#26111).
const NETWORKS: Lane = Lane::new("networks", 4);
const CREATIONS: Lane = Lane::new("creations", 8);
/// Starting degrades when many do it at once (moby/moby#42096).
const STARTS: Lane = Lane::new("starts", 6);
const CHECKS: Lane = Lane::new("checks", 64);
const DELETIONS: Lane = Lane::new("deletions", 8);

impl Kind for DockerKind {
    fn delete_lane(self) -> Lane {
        DELETIONS
    }
}

/// What a network is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// The seat it is for.
    pub seat: SeatNumber,
    /// Its name in the stack file.
    pub name: String,
    /// Its addresses.
    pub subnet: Ipv4Net,
    /// Whether it has no way out.
    pub internal: bool,
    /// Labels that the stack gives it.
    pub labels: IndexMap<String, Text>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// When it may be swept away. No part of the fingerprint.
    pub expires: Timestamp,
}

/// What a volume is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSpec {
    /// The seat it is for.
    pub seat: SeatNumber,
    /// Its name in the stack file.
    pub name: String,
    /// Labels that the stack gives it.
    pub labels: IndexMap<String, Text>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// When it may be swept away. No part of the fingerprint.
    pub expires: Timestamp,
}

/// What a container is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerSpec {
    /// The seat it is for.
    pub seat: SeatNumber,
    /// Its service.
    pub service: Arc<Service>,
    /// The image that it runs, which may stand in for the service's.
    pub image: Arc<str>,
    /// The image to begin with where the engine has it: `image`, with what the service's first start
    /// leaves. No part of the fingerprint.
    pub snapshot: Option<Arc<str>>,
    /// The host port of each of the service's ports, in their order.
    pub host_ports: Vec<u16>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// When it may be swept away. No part of the fingerprint.
    pub expires: Timestamp,
}

/// A step of bringing a resource up.
#[derive(Debug, Clone)]
pub enum DockerStep {
    /// Gets an image from where it was found to be.
    FetchImage(Arc<Choice>),
    /// Makes a service's first start once for all seats.
    MakeSnapshot(Arc<SnapshotSpec>),
    /// Creates a network.
    CreateNetwork(Arc<NetworkSpec>),
    /// Creates a volume.
    CreateVolume(Arc<VolumeSpec>),
    /// Creates a container on its first network.
    CreateContainer(Arc<ContainerSpec>),
    /// Connects a container to a further network of its stack.
    Connect(Arc<ContainerSpec>, Arc<str>),
    /// Puts configs, secrets and the workspace's first files into a container.
    Fill(Arc<ContainerSpec>),
    /// Starts a container.
    Start,
    /// Lets a paused container go on.
    Unpause,
    /// Ends a container and starts it again.
    Restart,
    /// Gives a container back its name; what it is called now.
    Rename(Arc<str>),
    /// Waits until a container's check passes, so long at most.
    AwaitReady(Arc<ContainerSpec>, Duration),
    /// Sees whether a container that has no check stays up.
    AwaitRunning(Arc<ContainerSpec>),
    /// Waits until a container has ended with exit code 0, so long at most.
    AwaitExit(Arc<ContainerSpec>, Duration),
}

impl fmt::Display for DockerStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FetchImage(choice) => f.pad(choice.verb()),
            Self::MakeSnapshot(_) => f.pad("make"),
            Self::CreateNetwork(_) | Self::CreateVolume(_) | Self::CreateContainer(_) => {
                f.pad("create")
            }
            Self::Connect(..) => f.pad("connect"),
            Self::Fill(_) => f.pad("fill"),
            Self::Start => f.pad("start"),
            Self::Unpause => f.pad("unpause"),
            Self::Restart => f.pad("restart"),
            Self::Rename(_) => f.pad("rename"),
            Self::AwaitReady(..) | Self::AwaitRunning(_) => f.pad("check"),
            Self::AwaitExit(..) => f.pad("await"),
        }
    }
}

impl Step for DockerStep {
    fn lane(&self) -> Lane {
        match self {
            Self::FetchImage(_) | Self::MakeSnapshot(_) => IMAGES,
            Self::CreateNetwork(_) => NETWORKS,
            Self::CreateVolume(_)
            | Self::CreateContainer(_)
            | Self::Connect(..)
            | Self::Fill(_)
            | Self::Rename(_) => CREATIONS,
            Self::Start | Self::Unpause | Self::Restart => STARTS,
            Self::AwaitReady(..) | Self::AwaitRunning(_) | Self::AwaitExit(..) => CHECKS,
        }
    }

    fn is_check(&self) -> bool {
        matches!(
            self,
            Self::AwaitReady(..) | Self::AwaitRunning(_) | Self::AwaitExit(..)
        )
    }
}
