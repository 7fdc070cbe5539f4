//! One event's environment, resolved and valid.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EnvironmentName, SeatNumber, SeatSet, Stack};

/// What an environment file says, with every default filled in and every value checked.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// The environment's name; it is in every resource's name and label.
    pub name: EnvironmentName,
    /// The event that the environment is for.
    pub event: Event,
    /// How many seats, and how they are grouped.
    pub seats: Seats,
    /// How long the seats live.
    pub lifetime: Lifetime,
    /// Where the seats live.
    pub provider: ProviderKind,
    /// The services of each seat.
    pub stack: Stack,
    /// Where images come from.
    pub images: ImagePolicy,
    /// The files that each seat's workspace begins with.
    pub workspace: Workspace,
    /// What a service may use at most, where its stack says nothing.
    pub limits: Limits,
    /// What a stack may loosen.
    pub isolation: Isolation,
    /// What only the Docker provider needs.
    pub docker: DockerSettings,
}

impl Environment {
    /// Every seat of the environment: the participants', then the spares.
    pub fn seat_numbers(&self) -> impl Iterator<Item = SeatNumber> + use<> {
        (1..=self.seats.total()).filter_map(SeatNumber::new)
    }

    /// The seats of `selection` that the environment has.
    pub fn selected(&self, selection: &SeatSet) -> Vec<SeatNumber> {
        self.seat_numbers()
            .filter(|seat| selection.contains(*seat))
            .collect()
    }

    /// The number of the group that `seat` belongs to, from 1.
    pub fn group_of(&self, seat: SeatNumber) -> u32 {
        (seat.get() - 1) / self.seats.group_size + 1
    }
}

/// The event itself.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// What the event is called.
    pub title: String,
    /// When it begins, where the file says so.
    pub starts: Option<Timestamp>,
    /// When it ends, where the file says so.
    pub ends: Option<Timestamp>,
    /// The IANA name of its time zone.
    pub time_zone: String,
    /// The BCP 47 tag of its participants' language, `zh-CN` for example.
    pub locale: String,
}

/// How many seats an environment has.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Seats {
    /// Seats for participants.
    pub count: u32,
    /// Participants to one assistant.
    pub group_size: u32,
    /// Further seats, numbered after the participants', for whoever's breaks.
    pub spares: u32,
}

impl Seats {
    /// All seats, spares among them.
    pub fn total(&self) -> u32 {
        self.count + self.spares
    }
}

/// How long seats live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// This long from `up`.
    After(SignedDuration),
    /// Until this moment.
    Until(Timestamp),
}

impl Lifetime {
    /// When seats that are brought up at `now` end.
    pub fn expires(&self, now: Timestamp) -> Timestamp {
        match *self {
            // In whole seconds: it stands in labels, which people read.
            Self::After(duration) => now
                .saturating_add(duration)
                .and_then(|end| Timestamp::from_second(end.as_second()))
                .unwrap_or(Timestamp::MAX),
            Self::Until(moment) => moment,
        }
    }
}

/// Where seats live.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// A Docker engine, here or elsewhere.
    Docker,
    /// AWS, an instance for each seat.
    Ec2,
    /// AWS, a task for each seat.
    Ecs,
}

impl std::fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Docker => "docker",
            Self::Ec2 => "ec2",
            Self::Ecs => "ecs",
        })
    }
}

/// Where images may come from, when the engine does not have them yet.
#[derive(Debug, Clone, Serialize)]
pub struct ImagePolicy {
    /// The sources to try, in order.
    pub sources: Vec<ImageSource>,
    /// Registries to ask instead of an image's own, first to last, as `host[:port][/path]`.
    pub mirrors: Vec<String>,
    /// A directory of further recipes, which come before the built-in ones.
    pub recipes: Option<PathBuf>,
    /// Images that came with the environment in a bundle: these, and nobody is asked for others.
    pub bundled: Vec<BundledImage>,
}

/// An image that came with the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundledImage {
    /// The reference in the stack.
    pub wanted: String,
    /// The reference that containers run, unless another image has it.
    pub reference: String,
    /// The engine's id of it.
    pub id: String,
}

/// One way to come by an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImageSource {
    /// The image's registry, or a mirror of it.
    Registry,
    /// Building a stand-in from Debian packages by one of our recipes.
    Recipe,
}

/// What a workspace begins with.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Workspace {
    /// Where its files come from; nothing where the workspace begins empty.
    pub files: Option<WorkspaceFiles>,
}

/// The source of a workspace's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceFiles {
    /// The content of a directory on this machine.
    Directory(PathBuf),
    /// A git repository.
    Git {
        /// What `git clone` takes.
        url: String,
        /// A branch, a tag or a commit; the repository's default branch where none is given.
        revision: Option<String>,
    },
}

/// What one service may use, where its stack file gives no limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// Memory in bytes, swap included.
    pub memory: u64,
    /// CPU time in billionths of a CPU.
    pub nano_cpus: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// What a stack may loosen. Everything is closed unless the environment file opens it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// Linux capabilities that a stack may add beyond the built-in few (`SYS_PTRACE` for a
    /// debugger, say).
    pub capabilities: Vec<String>,
    /// `security_opt` values that a stack may set.
    pub security_opt: Vec<String>,
    /// Directories of the host that a stack may mount, with all that is below them.
    pub bind_mounts: Vec<PathBuf>,
    /// Whether processes may gain privileges (setuid programs such as sudo).
    pub new_privileges: bool,
    /// Whether seats can reach the world outside the engine's host. Closing it makes every network
    /// of a seat internal, and nothing of it is published then.
    pub internet: bool,
}

/// What only the Docker provider needs.
#[derive(Debug, Clone, Serialize)]
pub struct DockerSettings {
    /// The range that seats' networks are cut from.
    pub subnets: Ipv4Net,
    /// The prefix length of one network.
    pub subnet_prefix: u8,
    /// How ports are published.
    pub ports: PortPlan,
}

/// How published ports are planned: one block a seat.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PortPlan {
    /// The host address to publish on.
    pub address: IpAddr,
    /// The first port of seat 1.
    pub first: u16,
    /// How many ports a seat's block has.
    pub per_seat: u16,
}

impl PortPlan {
    /// The host port of the `index`-th published port of `seat`, or `None` beyond its block or
    /// beyond 65535.
    pub fn port(&self, seat: SeatNumber, index: usize) -> Option<u16> {
        if index >= usize::from(self.per_seat) {
            return None;
        }
        let port = usize::from(self.first) + seat.index() * usize::from(self.per_seat) + index;
        u16::try_from(port).ok()
    }
}
