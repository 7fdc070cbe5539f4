//! One service: every attribute that a seat supports.

use indexmap::IndexMap;

use super::files::{self, Declared, Kind};
use super::reader::{Reader, shorten};
use super::resources::{self, Limit, Limits};
use super::unsupported::Part;
use super::{depends, mounts, networks, ports, process, security, settings};
use crate::model::stack::{InjectedFile, Mount, Resources, Restart, ServiceSettings};
use crate::model::{Service, ServiceName, Text};
use crate::yaml::{Node, Place, Value};

/// The attributes that a service can have.
const KNOWN: [&str; 38] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "ports",
    "expose",
    "volumes",
    "healthcheck",
    "depends_on",
    "networks",
    "deploy",
    "mem_limit",
    "mem_reservation",
    "cpus",
    "pids_limit",
    "cap_add",
    "cap_drop",
    "security_opt",
    "read_only",
    "user",
    "working_dir",
    "hostname",
    "init",
    "ulimits",
    "sysctls",
    "shm_size",
    "tmpfs",
    "stop_signal",
    "stop_grace_period",
    "restart",
    "labels",
    "configs",
    "secrets",
    "profiles",
    "extra_hosts",
    "platform",
    "x-seatbox",
];

/// A service as it was read, with what the checks of the whole file need.
#[derive(Debug)]
pub struct Draft<'n> {
    /// The service.
    pub service: Service,
    /// The profiles that it is part of; where none, it always runs.
    pub profiles: Vec<String>,
    /// Its mounts, with the place of each.
    pub mounts: Vec<(Mount, Place)>,
    /// Its configs and secrets, with the place of each.
    pub files: Vec<(InjectedFile, Place)>,
    /// The service in the file.
    pub node: &'n Node,
}

/// The configs and secrets that the file declares.
#[derive(Debug, Default)]
pub struct DeclaredFiles {
    /// `configs`.
    pub configs: Declared,
    /// `secrets`.
    pub secrets: Declared,
}

/// A service of that name about which nothing is said yet.
fn blank(name: ServiceName) -> Service {
    Service {
        name,
        image: String::new(),
        command: None,
        entrypoint: None,
        environment: IndexMap::new(),
        ports: Vec::new(),
        expose: Vec::new(),
        mounts: Vec::new(),
        files: Vec::new(),
        healthcheck: None,
        depends_on: IndexMap::new(),
        networks: IndexMap::new(),
        resources: Resources::default(),
        cap_add: Vec::new(),
        cap_drop: Vec::new(),
        security_opt: Vec::new(),
        read_only: false,
        user: None,
        working_dir: None,
        hostname: None,
        init: false,
        ulimits: IndexMap::new(),
        sysctls: IndexMap::new(),
        shm_size: None,
        stop_signal: None,
        stop_grace_period: None,
        restart: Restart::default(),
        labels: IndexMap::new(),
        extra_hosts: Vec::new(),
        platform: None,
        seatbox: ServiceSettings::default(),
    }
}

/// Reads one service.
pub fn service<'n>(
    r: &Reader<'_>,
    name: ServiceName,
    place: &Place,
    node: &'n Node,
    declared: &DeclaredFiles,
) -> Option<Draft<'n>> {
    let entries = r.mapping(node, "a service")?;
    let mut draft = Draft {
        service: blank(name),
        profiles: Vec::new(),
        mounts: Vec::new(),
        files: Vec::new(),
        node,
    };
    let mut limits = Limits::default();
    let mut from_files = IndexMap::new();
    for (key, place, value) in entries {
        let s = &mut draft.service;
        match key {
            "image" => s.image = image(r, value).unwrap_or_default(),
            "command" => s.command = process::command(r, value, "command"),
            "entrypoint" => s.entrypoint = process::command(r, value, "entrypoint"),
            "environment" => s.environment = process::environment(r, value),
            "env_file" => from_files = process::env_files(r, value),
            "ports" => s.ports = ports::ports(r, value),
            "expose" => s.expose = ports::expose(r, value),
            "volumes" => draft.mounts.extend(mounts::volumes(r, value)),
            "tmpfs" => draft.mounts.extend(mounts::tmpfs(r, value)),
            "configs" => {
                let files = files::used(r, value, Kind::Config, &declared.configs);
                draft.files.extend(files);
            }
            "secrets" => {
                let files = files::used(r, value, Kind::Secret, &declared.secrets);
                draft.files.extend(files);
            }
            "healthcheck" => s.healthcheck = process::healthcheck(r, value),
            "depends_on" => s.depends_on = depends::depends_on(r, value),
            "networks" => s.networks = networks::attachments(r, value),
            "deploy" => resources::deploy(r, value, &mut limits),
            "mem_limit" => limits.take(r, value, Limit::Memory, "mem_limit"),
            "mem_reservation" => {
                limits.take(r, value, Limit::MemoryReservation, "mem_reservation");
            }
            "cpus" => limits.take(r, value, Limit::Cpus, "cpus"),
            "pids_limit" => limits.take(r, value, Limit::Pids, "pids_limit"),
            "cap_add" => s.cap_add = security::cap_add(r, value),
            "cap_drop" => s.cap_drop = security::cap_drop(r, value),
            "security_opt" => s.security_opt = security::security_opt(r, value),
            "read_only" => s.read_only = r.boolean(value, "read_only").unwrap_or(false),
            "user" => s.user = r.text(value, "user"),
            "working_dir" => s.working_dir = absolute(r, value, "working_dir"),
            "hostname" => s.hostname = hostname(r, value),
            "init" => s.init = r.boolean(value, "init").unwrap_or(false),
            "ulimits" => s.ulimits = resources::ulimits(r, value),
            "sysctls" => s.sysctls = resources::sysctls(r, value),
            "shm_size" => s.shm_size = r.bytes(value, "shm_size"),
            "stop_signal" => s.stop_signal = signal(r, value),
            "stop_grace_period" => s.stop_grace_period = r.duration(value, "stop_grace_period"),
            "restart" => s.restart = restart(r, value).unwrap_or_default(),
            "labels" => s.labels = security::labels(r, value),
            "profiles" => draft.profiles = words(r, value, "profiles"),
            "extra_hosts" => s.extra_hosts = networks::extra_hosts(r, value),
            "platform" => s.platform = platform(r, value),
            "x-seatbox" => s.seatbox = settings::settings(r, value),
            // What says only what holds anyway is no reason to refuse a file.
            "privileged" | "tty" | "stdin_open" if value.value == Value::Bool(false) => {}
            _ => r.refuse_key(place, Part::Service, "a service", key, &KNOWN),
        }
    }
    limits.check(r);
    let service = &mut draft.service;
    service.resources = limits.resources;
    from_files.extend(std::mem::take(&mut service.environment));
    service.environment = from_files;
    if service.networks.is_empty() {
        service
            .networks
            .insert("default".to_owned(), Default::default());
    }
    if node.get("image").is_none() && node.get("build").is_none() {
        let message = format!("the service `{}` has no image", service.name);
        r.fail_hint(place, message, "name one: `image: redis:7-bookworm`");
    }
    Some(draft)
}

/// The words of a list.
pub fn words(r: &Reader<'_>, node: &Node, what: &str) -> Vec<String> {
    r.list(node, what)
        .iter()
        .filter_map(|item| r.word(item, what).map(str::to_owned))
        .collect()
}

/// An absolute path in a container.
pub fn absolute(r: &Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = r.word(node, what)?;
    r.container_path(text, &node.place, what)
}

fn image(r: &Reader<'_>, node: &Node) -> Option<String> {
    let text = r.word(node, "image")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    let repository = text.split(['@', ':']).next().unwrap_or_default();
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !text.chars().all(allowed) || !begins || text.ends_with(['/', ':', '@', '.', '-']) {
        let message = format!("`{}` is not the name of an image", shorten(text));
        r.fail_hint(&node.place, message, "write for example redis:7-bookworm");
        return None;
    }
    // Only a registry's host may have capitals.
    let path = repository
        .split_once('/')
        .map_or(repository, |(_, path)| path);
    if !text.contains('/') && path.chars().any(|c| c.is_ascii_uppercase()) {
        r.fail(&node.place, "an image's name has no capital letters");
        return None;
    }
    Some(text.to_owned())
}

fn hostname(r: &Reader<'_>, node: &Node) -> Option<Text> {
    let text = r.text(node, "hostname")?;
    // What a seat's values are made of is fine in a host name.
    if let Some(name) = text.as_literal() {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if name.len() > 63 || !name.split('.').all(label) {
            let message = format!("`{}` is not a host name", shorten(name));
            r.fail_hint(
                &node.place,
                message,
                "letters, digits and hyphens, 63 at most (RFC 1123)",
            );
            return None;
        }
    }
    Some(text)
}

fn signal(r: &Reader<'_>, node: &Node) -> Option<String> {
    const NAMES: [&str; 31] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
        "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STOP", "SYS", "TERM", "TRAP", "TSTP",
        "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    ];
    let text = r.word(node, "stop_signal")?;
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |name: &str| {
        name.strip_prefix("RTMIN+")
            .or_else(|| name.strip_prefix("RTMAX-"))
            .is_some_and(|number| number.parse::<u8>().is_ok_and(|number| number <= 30))
    };
    let number = |name: &str| {
        name.parse::<u8>()
            .is_ok_and(|number| (1..=64).contains(&number))
    };
    if !NAMES.contains(&name)
        && !matches!(name, "RTMIN" | "RTMAX")
        && !offset(name)
        && !number(name)
    {
        let message = format!("`{}` is not a signal", shorten(text));
        r.fail_hint(&node.place, message, "write for example SIGTERM");
        return None;
    }
    Some(text.to_owned())
}

fn restart(r: &Reader<'_>, node: &Node) -> Option<Restart> {
    // `restart: no` without quotes is a string or a boolean, as the YAML's version has it.
    if node.value == Value::Bool(false) {
        return Some(Restart::No);
    }
    let text = r.word(node, "restart")?;
    let attempts = |text: &str| {
        text.parse()
            .ok()
            .map(|attempts| Restart::OnFailure { attempts })
    };
    let restart = match text.split_once(':') {
        None if text == "no" => Some(Restart::No),
        None if text == "always" => Some(Restart::Always),
        None if text == "unless-stopped" => Some(Restart::UnlessStopped),
        None if text == "on-failure" => Some(Restart::OnFailure { attempts: 0 }),
        Some(("on-failure", number)) => attempts(number),
        _ => None,
    };
    if restart.is_none() {
        let message = format!("`{}` is not a way to restart", shorten(text));
        let hint = "there are \"no\", always, on-failure, on-failure:3 and unless-stopped";
        r.fail_hint(&node.place, message, hint);
    }
    restart
}

fn platform(r: &Reader<'_>, node: &Node) -> Option<String> {
    let text = r.word(node, "platform")?;
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    if text.split('/').count() > 3 || !text.split('/').all(part) {
        let message = format!("`{}` is not a platform", shorten(text));
        r.fail_hint(&node.place, message, "write for example linux/amd64");
        return None;
    }
    Some(text.to_owned())
}
