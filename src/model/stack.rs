//! The services of a seat: a Compose file, read and checked, for every seat at once.
//!
//! Strings in which a seat's own values may stand are [`Text`]; everything else is final.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use super::{ServiceName, Text};

/// A stack: what each seat runs. In an environment every limit is filled in, and capabilities and
/// privileges are closed as far as the environment leaves them closed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stack {
    /// The services of the active profiles, in the file's order.
    pub services: IndexMap<ServiceName, Service>,
    /// Networks by their name in the file; `default` is there where a service uses it.
    pub networks: IndexMap<String, Network>,
    /// Named volumes by their name in the file.
    pub volumes: IndexMap<String, Volume>,
    /// The file it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// All files that were read for it, itself first; none for a built-in one.
    #[serde(skip)]
    pub sources: Vec<PathBuf>,
}

impl Stack {
    /// The service that participants work in, and the path of the workspace in it.
    pub fn workspace(&self) -> Option<(&Service, &str)> {
        self.services
            .values()
            .find_map(|service| Some((service, service.seatbox.workspace.as_deref()?)))
    }

    /// Whether another service waits until this one has ended.
    pub fn awaits_end_of(&self, service: &Service) -> bool {
        let ends = |other: &Service| {
            let dependency = other.depends_on.get(&service.name);
            dependency.is_some_and(|d| d.condition == Condition::ServiceCompletedSuccessfully)
        };
        self.services.values().any(ends)
    }

    /// The name of the volume that holds the workspace, where it is on a named volume.
    pub fn workspace_volume(&self) -> Option<&str> {
        let (service, path) = self.workspace()?;
        // The innermost: a volume further out holds something else at that place.
        let mount = service
            .mounts
            .iter()
            .filter(|mount| std::path::Path::new(path).starts_with(&mount.target))
            .max_by_key(|mount| mount.target.len())?;
        match &mount.source {
            MountSource::Volume { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The service that `shell` opens unless told otherwise: the workspace, or else the first.
    pub fn shell_service(&self) -> Option<&Service> {
        self.workspace()
            .map(|(service, _)| service)
            .or_else(|| self.services.values().next())
    }
}

/// One container of a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// The image reference, as the file has it.
    pub image: String,
    /// Replaces the image's command.
    pub command: Option<Vec<Text>>,
    /// Replaces the image's entry point.
    pub entrypoint: Option<Vec<Text>>,
    /// Environment variables, those of `env_file` among them.
    pub environment: IndexMap<String, Text>,
    /// Ports to publish.
    pub ports: Vec<Port>,
    /// Ports that are documented and not published.
    pub expose: Vec<ContainerPort>,
    /// Volumes, binds and tmpfs mounts.
    pub mounts: Vec<Mount>,
    /// Files from `configs` and `secrets`, put into the container before it starts.
    pub files: Vec<InjectedFile>,
    /// How the engine sees whether it is healthy.
    pub healthcheck: Option<Healthcheck>,
    /// What must be there before it starts.
    pub depends_on: IndexMap<ServiceName, Dependency>,
    /// The networks it is on, with its settings there; the first is its first interface.
    pub networks: IndexMap<String, Attachment>,
    /// What it may use; where empty, the environment's limits hold.
    pub resources: Resources,
    /// Capabilities to add, without `CAP_`, in capitals.
    pub cap_add: Vec<String>,
    /// Capabilities to drop, likewise; `ALL` among them is possible.
    pub cap_drop: Vec<String>,
    /// Security options, as the engine takes them.
    pub security_opt: Vec<String>,
    /// Whether its root file system is read-only.
    pub read_only: bool,
    /// The user (and group) it runs as.
    pub user: Option<Text>,
    /// Its working directory.
    pub working_dir: Option<String>,
    /// Its host name.
    pub hostname: Option<Text>,
    /// Whether the engine's init is its first process.
    pub init: bool,
    /// Resource limits of its processes.
    pub ulimits: IndexMap<String, Ulimit>,
    /// Kernel parameters of its namespaces.
    pub sysctls: IndexMap<String, String>,
    /// The size of `/dev/shm` in bytes.
    pub shm_size: Option<u64>,
    /// The signal that stops it.
    pub stop_signal: Option<String>,
    /// How long it has to stop.
    pub stop_grace_period: Option<Duration>,
    /// When the engine starts it again.
    pub restart: Restart,
    /// Labels of its container.
    pub labels: IndexMap<String, Text>,
    /// Further lines of `/etc/hosts`, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// The platform its image must be for.
    pub platform: Option<String>,
    /// Seatbox's own settings (`x-seatbox`).
    pub seatbox: ServiceSettings,
}

impl Service {
    /// The named volumes that a snapshot of it fills, with their places in the container: those
    /// that take an image's files when they are new. The workspace's is none of them.
    pub fn snapshot_volumes(&self) -> impl Iterator<Item = (&str, &str)> {
        let workspace = self.seatbox.workspace.as_deref();
        self.mounts
            .iter()
            .filter_map(move |mount| match &mount.source {
                MountSource::Volume {
                    name,
                    nocopy: false,
                } if !mount.read_only
                    && !workspace.is_some_and(|path| {
                        std::path::Path::new(path).starts_with(&mount.target)
                    }) =>
                {
                    Some((name.as_str(), mount.target.as_str()))
                }
                _ => None,
            })
    }

    /// Every text that its first start can see: what it runs, as whom, with which variables and
    /// files.
    pub fn first_start_texts(&self) -> impl Iterator<Item = &Text> {
        let files = self.files.iter().filter_map(|file| match &file.content {
            FileContent::Text(text) => Some(text),
            FileContent::Bytes(_) => None,
        });
        self.command
            .iter()
            .chain(&self.entrypoint)
            .flatten()
            .chain(self.environment.values())
            .chain(&self.user)
            .chain(&self.hostname)
            .chain(files)
    }

    /// Its health check, where it has one that says anything: `NONE` turns the image's off, and
    /// without a test the image's own holds, which only the container tells.
    pub fn check(&self) -> Option<&Healthcheck> {
        self.healthcheck.as_ref().filter(|check| {
            let form = check.test.first().and_then(Text::as_literal);
            check.test.is_empty() || form != Some("NONE")
        })
    }
}

/// What `x-seatbox` says of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ServiceSettings {
    /// The directory that participants work in. At most one service has it.
    pub workspace: Option<String>,
    /// The command that `shell` runs.
    pub shell: Option<Vec<String>>,
    /// How long its check may take to pass when it is brought up.
    #[serde(skip)]
    pub ready_timeout: Option<Duration>,
    /// That its first start is made once for all seats. No part of what a container is made from:
    /// it only says how its volumes get their first content.
    #[serde(skip)]
    pub snapshot: Option<Snapshot>,
}

/// How every seat gets a copy of what a service's first start makes in its volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The command that turns the copy into the seat's own, run in the started container, in the
    /// form of a health check (`["CMD", …]` or `["CMD-SHELL", "…"]`). It can be run again.
    pub personalize: Vec<Text>,
}

/// The transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As the engine writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A port of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct ContainerPort {
    /// Its number, 1 to 65535.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

impl std::fmt::Display for ContainerPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol.as_str())
    }
}

/// A port to publish; which host port it gets is planned, one block a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// The container's port.
    pub target: ContainerPort,
    /// The host port that the file fixes, which only an environment of one seat may do.
    pub published: Option<u16>,
    /// The host address that the file fixes.
    pub host_ip: Option<std::net::IpAddr>,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Where in the container; absolute.
    pub target: String,
    /// What is mounted.
    pub source: MountSource,
    /// Whether it can't be written to.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountSource {
    /// A named volume of the seat.
    Volume {
        /// Its name in the file.
        name: String,
        /// Whether the image's files at that place are not copied into it.
        nocopy: bool,
    },
    /// A volume without a name, which goes with its container.
    Anonymous,
    /// A file or directory of the engine's host.
    Bind {
        /// Absolute path on the host.
        path: PathBuf,
        /// Whether it is made where it is missing.
        create: bool,
    },
    /// Memory.
    Tmpfs {
        /// The most it may hold, in bytes.
        size: Option<u64>,
        /// Its permission bits.
        mode: Option<u32>,
        /// Mount options as `tmpfs:` has them after the colon, kept as they are.
        options: Option<String>,
    },
}

/// A file put into a container before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InjectedFile {
    /// Absolute path in the container.
    pub target: String,
    /// What is in it.
    pub content: FileContent,
    /// Its owner's number.
    pub uid: u64,
    /// Its group's number.
    pub gid: u64,
    /// Its permission bits.
    pub mode: u32,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileContent {
    /// Text, in which a seat's values may stand.
    Text(Text),
    /// Bytes as they were read from a file.
    Bytes(#[serde(serialize_with = "digest_only")] Vec<u8>),
}

/// A file's bytes may be secret, and are many: what is hashed and shown is their digest.
fn digest_only<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    serializer.collect_str(&format_args!("sha256:{}", crate::hex(&digest)))
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Healthcheck {
    /// The command, as the engine takes it: `["CMD", …]` or `["CMD-SHELL", "…"]`.
    pub test: Vec<Text>,
    /// Time between two checks.
    pub interval: Option<Duration>,
    /// How long one check may take.
    pub timeout: Option<Duration>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
    /// How long after the start failures don't count.
    pub start_period: Option<Duration>,
}

/// When a service may start after one it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It was started.
    ServiceStarted,
    /// It is ready.
    ServiceHealthy,
    /// It ended with exit code 0.
    ServiceCompletedSuccessfully,
}

/// A dependency on another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// What must be true of it.
    pub condition: Condition,
}

/// A service's place on a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Further names it has there.
    pub aliases: Vec<Text>,
}

/// A network of a seat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Whether it has no way out.
    pub internal: bool,
    /// Labels it carries besides ours.
    pub labels: IndexMap<String, Text>,
}

/// A named volume of a seat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Labels it carries besides ours.
    pub labels: IndexMap<String, Text>,
}

/// What a service may use, as far as its file says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Memory in bytes, swap included.
    pub memory: Option<u64>,
    /// Memory in bytes that it should keep under pressure.
    pub memory_reservation: Option<u64>,
    /// CPU time in billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// CPU time in billionths of a CPU that it gets when others want it too.
    pub nano_cpus_reservation: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// A process's resource limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    /// What it may raise itself to; -1 is no limit.
    pub hard: i64,
    /// What holds at first; -1 is no limit.
    pub soft: i64,
}

/// When the engine starts a container again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    #[default]
    No,
    /// Whenever it ends.
    Always,
    /// Whenever it ends with an error, so many times at most (0 is without end).
    OnFailure {
        /// The most attempts.
        attempts: u32,
    },
    /// Whenever it ends, unless somebody stopped it.
    UnlessStopped,
}
