//! From a service of a stack to a container of a task.

use std::time::Duration;

use indexmap::IndexMap;

use super::definition::{
    Capabilities, ContainerDefinition, Dependency, HealthCheck, LinuxParameters, MountPoint,
    PortMapping, RestartPolicy, Secret, SystemControl, Tmpfs, Ulimit, Variable,
};
use super::parameters::{self, Account, Purposes};
use super::size::{cpu_units, mebibytes};
use super::unsupported::TMPFS_MODE;
use crate::model::environment::Limits;
use crate::model::stack::{Condition, Healthcheck, MountSource, Restart};
use crate::model::{Service, Stack, Text};

/// The capabilities that a container has unless it is said otherwise (Docker's default, which ECS
/// begins with; API_KernelCapabilities).
pub const DEFAULT_CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// How long a container must have run before ECS starts it again, in seconds: the least there is.
/// One that ends sooner stays ended, and ends the task where it is essential.
const RESTART_PERIOD: u32 = 60;

/// A container whose texts are still open.
#[derive(Debug, Clone)]
pub struct Container {
    /// Everything that is the same for every seat.
    fixed: ContainerDefinition,
    command: Option<Vec<Text>>,
    entry_point: Option<Vec<Text>>,
    user: Option<Text>,
    labels: IndexMap<String, Text>,
    test: Vec<Text>,
    /// Variables without a secret.
    environment: Vec<(String, Text)>,
    /// Variables with a secret, and the purposes of the parameters that hold them.
    secrets: Vec<(String, String)>,
}

/// How the texts of a container are written.
pub struct Writing<'a> {
    /// Writes a text. It is never given a secret.
    pub text: &'a dyn Fn(&Text) -> String,
    /// The ARN of the parameter for a purpose.
    pub parameter: &'a dyn Fn(&str) -> String,
    /// Whether variables that differ from seat to seat are left out, for RunTask to add them.
    pub shared: bool,
}

impl Container {
    /// The container of a service. The parameters that it needs are added to `purposes`.
    pub fn of(
        service: &Service,
        stack: &Stack,
        limits: &Limits,
        image: &str,
        volumes: &Volumes,
        purposes: &mut Purposes,
    ) -> Self {
        let mut environment = Vec::new();
        let mut secrets = Vec::new();
        for (name, text) in &service.environment {
            if parameters::is_secret(text) {
                secrets.push((name.clone(), purposes.take(&service.name, name, text)));
            } else {
                environment.push((name.clone(), text.clone()));
            }
        }
        let check = service.check().filter(|check| !check.test.is_empty());
        Self {
            fixed: fixed(service, stack, limits, image, volumes),
            command: service.command.clone(),
            entry_point: service.entrypoint.clone(),
            user: service.user.clone(),
            labels: service.labels.clone(),
            test: check.map(|check| check.test.clone()).unwrap_or_default(),
            environment,
            secrets,
        }
    }

    /// The container's name.
    pub fn name(&self) -> &str {
        &self.fixed.name
    }

    /// CPU units that it asks for.
    pub fn cpu(&self) -> u64 {
        u64::from(self.fixed.cpu)
    }

    /// MiB that it may have.
    pub fn memory(&self) -> u64 {
        self.fixed.memory.unwrap_or_default()
    }

    /// Gives it `part` of `whole` of the CPU units that it asked for.
    pub fn scale_cpu(&mut self, part: u64, whole: u64) {
        let scaled = self.cpu() * part / whole.max(1);
        self.fixed.cpu = u32::try_from(scaled).unwrap_or(u32::MAX);
    }

    /// Whether a definition of it can be no other seat's: it refers to a seat's own parameters, or a
    /// seat's own value is somewhere else than in a variable.
    pub fn is_one_seats(&self) -> bool {
        let texts = self
            .command
            .iter()
            .chain(&self.entry_point)
            .flatten()
            .chain(&self.user)
            .chain(self.labels.values())
            .chain(&self.test);
        !self.secrets.is_empty() || texts.into_iter().any(parameters::is_per_seat)
    }

    /// Its variables that differ from seat to seat and are not secret.
    pub fn seat_variables(&self) -> impl Iterator<Item = &(String, Text)> {
        let each = self.environment.iter();
        each.filter(|(_, text)| parameters::is_per_seat(text))
    }

    /// The definition of it.
    pub fn definition(&self, writing: &Writing<'_>) -> ContainerDefinition {
        let text = writing.text;
        let texts = |texts: &Vec<Text>| texts.iter().map(text).collect::<Vec<_>>();
        let mut out = self.fixed.clone();
        out.command = self.command.as_ref().map(texts);
        out.entry_point = self.entry_point.as_ref().map(texts);
        out.user = self.user.as_ref().map(text);
        let labels = self.labels.iter();
        out.docker_labels = labels
            .map(|(key, value)| (key.clone(), text(value)))
            .collect();
        if let Some(check) = &mut out.health_check {
            check.command = texts(&self.test);
        }
        out.environment = self
            .environment
            .iter()
            .filter(|(_, value)| !(writing.shared && parameters::is_per_seat(value)))
            .map(|(name, value)| Variable {
                name: name.clone(),
                value: text(value),
            })
            .collect();
        out.secrets = self
            .secrets
            .iter()
            .map(|(name, purpose)| Secret {
                name: name.clone(),
                value_from: (writing.parameter)(purpose),
            })
            .collect();
        out
    }
}

/// The ARN of a seat's parameter.
pub fn parameter(account: &Account, prefix: &str, seat: &str, purpose: &str) -> String {
    parameters::arn(account, &format!("{prefix}{seat}/{purpose}"))
}

fn fixed(
    service: &Service,
    stack: &Stack,
    limits: &Limits,
    image: &str,
    volumes: &Volumes,
) -> ContainerDefinition {
    let resources = &service.resources;
    let memory = mebibytes(resources.memory.unwrap_or(limits.memory));
    let ends = must_end(service, stack);
    ContainerDefinition {
        name: service.name.to_string(),
        image: image.to_owned(),
        essential: !ends,
        cpu: u32::try_from(cpu_units(
            resources
                .nano_cpus_reservation
                .or(resources.nano_cpus)
                .unwrap_or(limits.nano_cpus),
        ))
        .unwrap_or(u32::MAX),
        memory: Some(memory),
        memory_reservation: resources
            .memory_reservation
            .map(mebibytes)
            .filter(|reserved| *reserved < memory),
        port_mappings: ports(service),
        health_check: service.check().and_then(health),
        depends_on: service
            .depends_on
            .iter()
            .map(|(name, dependency)| Dependency {
                container_name: name.to_string(),
                condition: condition(dependency.condition).to_owned(),
            })
            .collect(),
        restart_policy: restart(service.restart, ends),
        mount_points: volumes.mount_points(service),
        working_directory: service.working_dir.clone(),
        readonly_root_filesystem: service.read_only.then_some(true),
        linux_parameters: Some(linux_parameters(service)),
        ulimits: service
            .ulimits
            .iter()
            .map(|(name, limit)| Ulimit {
                name: name.clone(),
                soft_limit: limit.soft,
                hard_limit: limit.hard,
            })
            .collect(),
        system_controls: service
            .sysctls
            .iter()
            .map(|(namespace, value)| SystemControl {
                namespace: namespace.clone(),
                value: value.clone(),
            })
            .collect(),
        stop_timeout: service
            .stop_grace_period
            .and_then(|period| u32::try_from(seconds(period)).ok()),
        ..ContainerDefinition::default()
    }
}

/// Whether another service waits for the end of this one: then its end is not the task's.
pub fn must_end(service: &Service, stack: &Stack) -> bool {
    let waits = |other: &Service| {
        other
            .depends_on
            .get(&service.name)
            .is_some_and(|on| on.condition == Condition::ServiceCompletedSuccessfully)
    };
    stack.services.values().any(waits)
}

/// The capabilities that a service has.
pub fn wanted_capabilities(service: &Service) -> Vec<&str> {
    let dropped = |name: &str| {
        let mut those = service.cap_drop.iter();
        those.any(|drop| drop == name || drop == "ALL")
    };
    let default = DEFAULT_CAPABILITIES.iter().copied();
    let mut wanted: Vec<&str> = default.filter(|name| !dropped(name)).collect();
    for name in &service.cap_add {
        if !wanted.contains(&name.as_str()) {
            wanted.push(name);
        }
    }
    wanted
}

fn linux_parameters(service: &Service) -> LinuxParameters {
    let wanted = wanted_capabilities(service);
    let owned = |name: &&str| (*name).to_owned();
    let add = wanted
        .iter()
        .filter(|name| !DEFAULT_CAPABILITIES.contains(name));
    let drop = DEFAULT_CAPABILITIES
        .iter()
        .filter(|name| !wanted.contains(name));
    LinuxParameters {
        capabilities: Some(Capabilities {
            add: add.map(owned).collect(),
            drop: drop.map(owned).collect(),
        }),
        init_process_enabled: service.init.then_some(true),
        tmpfs: service
            .mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                MountSource::Tmpfs {
                    size: Some(size),
                    mode: None | Some(TMPFS_MODE),
                    options: None,
                } => Some(Tmpfs {
                    container_path: mount.target.clone(),
                    size: mebibytes(*size),
                    mount_options: mount
                        .read_only
                        .then(|| "ro".to_owned())
                        .into_iter()
                        .collect(),
                }),
                _ => None,
            })
            .collect(),
    }
}

fn ports(service: &Service) -> Vec<PortMapping> {
    let ports = service.ports.iter().map(|port| PortMapping {
        container_port: port.target.number,
        protocol: port.target.protocol.as_str().to_owned(),
    });
    ports.collect()
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::ServiceStarted => "START",
        Condition::ServiceHealthy => "HEALTHY",
        Condition::ServiceCompletedSuccessfully => "SUCCESS",
    }
}

/// One that others wait for the end of is started again only after an error: else it would never
/// have ended.
fn restart(restart: Restart, must_end: bool) -> Option<RestartPolicy> {
    let ignored = match restart {
        Restart::No => return None,
        Restart::Always | Restart::UnlessStopped if must_end => return None,
        Restart::Always | Restart::UnlessStopped => vec![],
        Restart::OnFailure { .. } => vec![0],
    };
    Some(RestartPolicy {
        enabled: true,
        ignored_exit_codes: ignored,
        restart_attempt_period: Some(RESTART_PERIOD),
    })
}

/// Whole seconds, a part of one counted as one.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The times of a check. What a file leaves out is Docker's default, which it was written for, and
/// not ECS's: that allows a check 5 seconds and not 30. Zero is the default in Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Seconds between two checks.
    pub interval: u64,
    /// Seconds that one may take.
    pub timeout: u64,
    /// Failures in a row.
    pub retries: u64,
    /// Seconds in which failures don't count.
    pub start_period: u64,
}

impl Times {
    /// Those of a check.
    pub fn of(check: &Healthcheck) -> Self {
        let given = |duration: Option<Duration>, default| match duration.map(seconds) {
            None | Some(0) => default,
            Some(seconds) => seconds,
        };
        Self {
            interval: given(check.interval, 30),
            timeout: given(check.timeout, 30),
            retries: check.retries.filter(|n| *n > 0).map_or(3, u64::from),
            start_period: given(check.start_period, 0),
        }
    }
}

/// Without its command, which is still open. An image's own check is nothing that ECS looks at.
fn health(check: &Healthcheck) -> Option<HealthCheck> {
    if check.test.is_empty() {
        return None;
    }
    let times = Times::of(check);
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Some(HealthCheck {
        command: Vec::new(),
        interval: number(times.interval),
        timeout: number(times.timeout),
        retries: number(times.retries),
        start_period: Some(number(times.start_period)).filter(|seconds| *seconds > 0),
    })
}

/// The volumes of a task: the stack's named ones, and one for each that has no name.
#[derive(Debug, Default)]
pub struct Volumes {
    named: IndexMap<String, String>,
    anonymous: IndexMap<(String, String), String>,
}

impl Volumes {
    /// Those that a stack's services mount.
    pub fn of(stack: &Stack) -> Self {
        let mut volumes = Self::default();
        for service in stack.services.values() {
            for mount in &service.mounts {
                match &mount.source {
                    MountSource::Volume { name, .. } if !volumes.named.contains_key(name) => {
                        let own = volumes.free(name);
                        volumes.named.insert(name.clone(), own);
                    }
                    MountSource::Anonymous => {
                        let place = (service.name.to_string(), mount.target.clone());
                        let own = volumes.free(&format!("{}-anonymous", service.name));
                        volumes.anonymous.insert(place, own);
                    }
                    _ => {}
                }
            }
        }
        volumes
    }

    /// A name that none has yet, of letters, digits, `_` and `-`.
    fn free(&self, name: &str) -> String {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name = name.replace(|c| !letter(c), "_");
        let taken = |name: &String| self.names().any(|other| other == name);
        let mut names = (2..).map(|number: u32| format!("{name}-{number}"));
        let first = Some(name.clone()).filter(|name| !taken(name));
        first
            .or_else(|| names.find(|name| !taken(name)))
            .unwrap_or(name)
    }

    /// Their names in the task.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.named.values().chain(self.anonymous.values())
    }

    fn mount_points(&self, service: &Service) -> Vec<MountPoint> {
        let volume = |target: &str, source: &MountSource| match source {
            MountSource::Volume { name, .. } => self.named.get(name),
            MountSource::Anonymous => self
                .anonymous
                .get(&(service.name.to_string(), target.to_owned())),
            MountSource::Bind { .. } | MountSource::Tmpfs { .. } => None,
        };
        let mounts = service.mounts.iter().filter_map(|mount| {
            Some(MountPoint {
                source_volume: volume(&mount.target, &mount.source)?.clone(),
                container_path: mount.target.clone(),
                read_only: mount.read_only,
            })
        });
        mounts.collect()
    }
}
