//! What a task can't do, all of it, before anything is created.
//!
//! From the ECS API reference and the developer guide's "Task definition parameters for Fargate".

use std::collections::{BTreeMap, BTreeSet};

use super::container::{DEFAULT_CAPABILITIES, Times, seconds, wanted_capabilities};
use super::parameters::{self, LONGEST_VALUE};
use super::template::DEADLINE;
use super::{hosts, size};
use crate::model::aws::Capacity;
use crate::model::stack::{Condition, ContainerPort, Healthcheck, MountSource};
use crate::model::{Environment, Service, Stack};
use crate::provider::aws::unsupported::{self, Collected, Unsupported};

/// The one capability that a task on Fargate can have beyond the default (API_KernelCapabilities).
const ADDABLE_CAPABILITY: &str = "SYS_PTRACE";

/// The most containers of a task definition (Amazon ECS service quotas), one of which ends the task.
const MOST_SERVICES: usize = 9;

/// The one limit of processes that can be set on Fargate, where the operating system's own hold for all
/// others (API_Ulimit).
const SETTABLE_LIMIT: &str = "nofile";

/// The size of `/dev/shm`, which can't be changed on Fargate (API_LinuxParameters), in bytes.
const SHM_SIZE: u64 = 64 << 20;

/// The mode that a tmpfs has unless told otherwise.
pub const TMPFS_MODE: u32 = 0o1777;

/// How long a container may take to stop, in seconds (API_ContainerDefinition).
const STOP_TIMEOUT: std::ops::RangeInclusive<u64> = 2..=120;

/// The images that are run instead of those that the stack names.
pub type Images = BTreeMap<String, String>;

/// The image that runs for the one that the stack names.
pub fn image_of<'a>(images: &'a Images, wanted: &'a str) -> &'a str {
    images.get(wanted).map_or(wanted, String::as_str)
}

/// All that the environment uses and a task can't do.
pub fn unsupported(environment: &Environment, images: &Images) -> Vec<Unsupported> {
    let mut found = Collected::default();
    let stack = &environment.stack;
    of_environment(environment, &mut found);
    unsupported::images(environment, |image| image_of(images, image), &mut found);
    networks(stack, &mut found);
    for service in stack.services.values() {
        name(service, &mut found);
        secrets(service, &mut found);
        files(service, &mut found);
        mounts(service, &mut found);
        rights(service, &mut found);
        limits(service, environment.ecs.capacity, &mut found);
        published(service, &mut found);
        if let Some(check) = service.check() {
            times(service, check, &mut found);
        }
        dependencies(stack, service, &mut found);
        rest(service, &mut found);
    }
    shell(stack, &mut found);
    listeners(stack, &mut found);
    kernel(stack, &mut found);
    platforms(stack, &mut found);
    hosts::find(stack, &mut found);
    found.done()
}

fn of_environment(environment: &Environment, found: &mut Collected) {
    if environment.workspace.files.is_some() {
        found.of_all(
            "`workspace.files` can't be copied into a task",
            "put the files into the workspace's image, or let its command fetch them",
        );
    }
    if !environment.isolation.internet {
        found.of_all(
            "`isolation.internet: false` can't be kept: a task needs its network to pull images",
            "leave it out, or use another provider",
        );
    }
    let services = environment.stack.services.len();
    if services > MOST_SERVICES {
        found.of_all(
            format!("{services} services are more than a task can have"),
            format!("{MOST_SERVICES} at most"),
        );
    }
}

fn networks(stack: &Stack, found: &mut Collected) {
    if stack.networks.len() > 1 {
        let names: Vec<_> = stack.networks.keys().map(String::as_str).collect();
        found.of_all(
            format!("the networks {} would be one", names.join(", ")),
            "the containers of a task share one network: leave `networks` out",
        );
    }
    for (name, _) in stack
        .networks
        .iter()
        .filter(|(_, network)| network.internal)
    {
        found.of_all(
            format!("network {name} can't be internal"),
            "a task needs its network to pull images: leave `internal` out",
        );
    }
    for service in stack.services.values() {
        for (network, attachment) in &service.networks {
            if !attachment.aliases.is_empty() {
                found.of(
                    &service.name,
                    format!("its aliases on network {network} lead nowhere"),
                    format!(
                        "leave them out, and write ${{{}}} where it is reached",
                        crate::stack::host_variable(service.name.as_str())
                    ),
                );
            }
        }
    }
}

fn name(service: &Service, found: &mut Collected) {
    let name = service.name.as_str();
    if name.contains('.') {
        let other = name.replace('.', "-");
        found.of(
            &service.name,
            "a container's name can have no full stop",
            format!("call it {other}"),
        );
    }
    if name == DEADLINE {
        let hint = "give it another name";
        found.of(
            &service.name,
            "this name is that of Seatbox's own container",
            hint,
        );
    }
}

/// Elsewhere than in a variable there is no secret: the reader of stacks refuses that.
fn secrets(service: &Service, found: &mut Collected) {
    for (variable, text) in &service.environment {
        let length = parameters::longest(text);
        if parameters::is_secret(text) && length > LONGEST_VALUE {
            found.of(
                &service.name,
                format!("the variable {variable} has a secret in it and {length} bytes"),
                format!(
                    "a parameter holds {LONGEST_VALUE} at most: take the secret out of the rest"
                ),
            );
        }
    }
}

fn files(service: &Service, found: &mut Collected) {
    for file in &service.files {
        found.of(
            &service.name,
            format!("there is no way to put the file {} into it", file.target),
            "put it into the image, or pass what is in it by `environment`",
        );
    }
}

fn mounts(service: &Service, found: &mut Collected) {
    for mount in &service.mounts {
        let target = &mount.target;
        match &mount.source {
            MountSource::Bind { path, .. } => found.of(
                &service.name,
                format!("it mounts {} of this machine", path.display()),
                "a task has no directory of yours: put the files into the image",
            ),
            MountSource::Tmpfs {
                options: Some(_), ..
            } => found.of(
                &service.name,
                format!("the tmpfs {target} has options in the engine's words"),
                format!(
                    "write it under `volumes`: {{type: tmpfs, target: {target}, tmpfs: {{size: 64m}}}}"
                ),
            ),
            MountSource::Tmpfs { size: None, .. } => found.of(
                &service.name,
                format!("the tmpfs {target} has no size"),
                format!(
                    "write it under `volumes`: {{type: tmpfs, target: {target}, tmpfs: {{size: 64m}}}}"
                ),
            ),
            MountSource::Tmpfs {
                mode: Some(mode), ..
            } if *mode != TMPFS_MODE => found.of(
                &service.name,
                format!("the tmpfs {target} has the mode {mode:o}"),
                "leave `mode` out, and let the command change it",
            ),
            MountSource::Volume { .. } | MountSource::Anonymous | MountSource::Tmpfs { .. } => {}
        }
    }
}

fn rights(service: &Service, found: &mut Collected) {
    for capability in wanted_capabilities(service) {
        if !DEFAULT_CAPABILITIES.contains(&capability) && capability != ADDABLE_CAPABILITY {
            found.of(
                &service.name,
                format!("capability {capability} can't be added"),
                format!("Fargate adds {ADDABLE_CAPABILITY} alone"),
            );
        }
    }
    for option in &service.security_opt {
        // Every service has this one; see what is left out.
        if !option.starts_with("no-new-privileges") {
            found.of(
                &service.name,
                format!("security option `{option}` can't be set"),
                "Fargate takes none: leave it out",
            );
        }
    }
}

fn limits(service: &Service, capacity: Capacity, found: &mut Collected) {
    if capacity == Capacity::Ec2 {
        return;
    }
    for name in service
        .ulimits
        .keys()
        .filter(|name| *name != SETTABLE_LIMIT)
    {
        found.of(
            &service.name,
            format!("ulimit {name} can't be set"),
            format!(
                "Fargate sets `{SETTABLE_LIMIT}` alone: leave it out, or have `ecs.capacity: ec2`"
            ),
        );
    }
}

fn published(service: &Service, found: &mut Collected) {
    for port in &service.ports {
        let target = port.target;
        if let Some(published) = port.published
            && published != target.number
        {
            found.of(
                &service.name,
                format!("port {target} can't be published as {published}"),
                "a task has an address of its own, with the containers' ports: write the \
                 container's port alone",
            );
        }
        if let Some(address) = port.host_ip
            && !address.is_unspecified()
        {
            found.of(
                &service.name,
                format!("port {target} can't be published on {address}"),
                "who reaches the seats is said by `aws.venue`: write the container's port alone",
            );
        }
    }
}

fn times(service: &Service, check: &Healthcheck, found: &mut Collected) {
    // The image's own check, with other times: nothing that ECS looks at.
    if check.test.is_empty() {
        found.of(
            &service.name,
            "its healthcheck is the image's own, which ECS does not look at",
            "write its `test`, or leave the healthcheck out",
        );
        return;
    }
    let times = Times::of(check);
    for (what, number, range, unit) in [
        ("interval", times.interval, 5..=300, "s"),
        ("timeout", times.timeout, 2..=60, "s"),
        ("retries", times.retries, 1..=10, ""),
        ("start_period", times.start_period, 0..=300, "s"),
    ] {
        if !range.contains(&number) {
            found.of(
                &service.name,
                format!("its healthcheck's {what} is {number}{unit}"),
                format!(
                    "ECS allows {}{unit} to {}{unit}",
                    range.start(),
                    range.end()
                ),
            );
        }
    }
}

fn dependencies(stack: &Stack, service: &Service, found: &mut Collected) {
    for (other, dependency) in &service.depends_on {
        let Some(other) = stack.services.get(other) else {
            continue;
        };
        if dependency.condition == Condition::ServiceHealthy && other.check().is_none() {
            found.of(
                &service.name,
                format!(
                    "it waits for {} to be healthy, which has no check of its own",
                    other.name
                ),
                format!(
                    "give {} a healthcheck, or depend on service_started",
                    other.name
                ),
            );
        }
        let workspace = other.seatbox.workspace.is_some();
        if dependency.condition == Condition::ServiceCompletedSuccessfully && workspace {
            found.of(
                &service.name,
                format!(
                    "it waits for the end of {}, which participants work in",
                    other.name
                ),
                "a seat ends with its workspace: depend on another service",
            );
        }
    }
}

fn rest(service: &Service, found: &mut Collected) {
    if !service.extra_hosts.is_empty() {
        found.of(
            &service.name,
            "`extra_hosts` can't be set where a task has a network of its own",
            "write addresses where the names stand",
        );
    }
    if service.shm_size.is_some_and(|size| size > SHM_SIZE) {
        found.of(
            &service.name,
            "`shm_size` can't be changed on Fargate",
            "it is 64m there: leave it out, or mount a tmpfs on another path",
        );
    }
    let stop = service.stop_grace_period.map(seconds);
    if stop.is_some_and(|stop| !STOP_TIMEOUT.contains(&stop)) {
        found.of(
            &service.name,
            "`stop_grace_period` is out of bounds",
            format!(
                "ECS allows {}s to {}s",
                STOP_TIMEOUT.start(),
                STOP_TIMEOUT.end()
            ),
        );
    }
    let memory = service.resources.memory.map(size::mebibytes);
    if memory.is_some_and(|mebibytes| mebibytes < 6) {
        let hint = "a container needs 6 MiB at least";
        found.of(&service.name, "its memory is too little", hint);
    }
}

/// ECS Exec puts its agent into the container and writes beside it.
fn shell(stack: &Stack, found: &mut Collected) {
    if let Some(service) = stack.shell_service().filter(|service| service.read_only) {
        found.of(
            &service.name,
            "nobody can get a shell in it: ECS Exec needs a file system that it can write to",
            "leave `read_only` out",
        );
    }
}

/// Services share their network, and so their ports.
fn listeners(stack: &Stack, found: &mut Collected) {
    let mut taken: BTreeMap<(u16, &str), &Service> = BTreeMap::new();
    for service in stack.services.values() {
        let published = service.ports.iter().map(|port| port.target);
        let ports = published.chain(service.expose.iter().copied());
        let ports: BTreeSet<_> = ports
            .map(|ContainerPort { number, protocol }| (number, protocol.as_str()))
            .collect();
        for port in ports {
            if let Some(other) = taken.get(&port) {
                found.of(
                    &service.name,
                    format!(
                        "it listens on {}/{}, as {} does",
                        port.0, port.1, other.name
                    ),
                    "the containers of a task share their ports: let one listen on another",
                );
            } else {
                taken.insert(port, service);
            }
        }
    }
}

/// Network parameters hold for the whole task: which of two values does is chance.
fn kernel(stack: &Stack, found: &mut Collected) {
    let mut set: BTreeMap<&str, (&Service, &str)> = BTreeMap::new();
    for service in stack.services.values() {
        let own = service.sysctls.iter();
        for (name, value) in own.filter(|(name, _)| name.starts_with("net.")) {
            match set.get(name.as_str()) {
                Some((other, theirs)) if theirs != value => found.of(
                    &service.name,
                    format!("sysctl {name} is {value}, and {theirs} in {}", other.name),
                    "the containers of a task share their network: give both the same",
                ),
                _ => {
                    set.insert(name, (service, value));
                }
            }
        }
    }
}

/// The processor that ECS calls so.
pub fn architecture(platform: &str) -> Option<&'static str> {
    match platform {
        "linux/amd64" | "linux/x86_64" => Some("X86_64"),
        "linux/arm64" | "linux/arm64/v8" | "linux/aarch64" => Some("ARM64"),
        _ => None,
    }
}

fn platforms(stack: &Stack, found: &mut Collected) {
    let mut first: Option<(&Service, &str)> = None;
    for service in stack.services.values() {
        let Some(platform) = &service.platform else {
            continue;
        };
        match (architecture(platform), first) {
            (None, _) => found.of(
                &service.name,
                format!("a task can't be for {platform}"),
                "there are linux/amd64 and linux/arm64",
            ),
            (Some(own), Some((other, theirs))) if own != theirs => found.of(
                &service.name,
                format!("it is for {platform}, and {} is not", other.name),
                "the containers of a task run on one kind of processor",
            ),
            (Some(own), _) => first = first.or(Some((service, own))),
        }
    }
}
