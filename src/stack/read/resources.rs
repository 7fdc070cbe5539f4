//! What a service may use: `deploy.resources`, the older attributes, ulimits and sysctls.

use indexmap::IndexMap;

use super::reader::{Reader, shorten};
use super::unsupported::Part;
use crate::model::stack::{Resources, Ulimit};
use crate::yaml::{Node, Place, Value};

/// The ulimits that the engine knows (docker/go-units, `ulimit.go`).
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// The least memory that the engine accepts, in bytes (moby, `daemon/daemon_unix.go`:
/// `linuxMinMemory`).
const LEAST_MEMORY: u64 = 6 << 20;

/// The limits of one service, from wherever in it they are said.
#[derive(Debug, Default)]
pub struct Limits {
    /// What was said.
    pub resources: Resources,
    seen: [Option<Place>; 5],
}

/// One of the limits.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// Memory.
    Memory,
    /// Reserved memory.
    MemoryReservation,
    /// CPUs.
    Cpus,
    /// Reserved CPUs.
    CpuReservation,
    /// Processes.
    Pids,
}

impl Limits {
    /// Takes one limit; it is an error where it was given elsewhere with another value.
    pub fn take(&mut self, r: &Reader<'_>, node: &Node, limit: Limit, what: &str) {
        let value = match limit {
            Limit::Memory | Limit::MemoryReservation => r.bytes(node, what),
            Limit::Cpus | Limit::CpuReservation => r.cpus(node, what),
            Limit::Pids => r.number(node, what, "a number from 1"),
        };
        let Some(value) = value else { return };
        if value == 0 {
            return r.fail_hint(
                &node.place,
                format!("{what} must be above 0"),
                "a seat always has limits; leave it out for the environment's",
            );
        }
        if matches!(limit, Limit::Memory | Limit::MemoryReservation) && value < LEAST_MEMORY {
            return r.fail(&node.place, format!("{what} must be 6m at least"));
        }
        let slot = match limit {
            Limit::Memory => &mut self.resources.memory,
            Limit::MemoryReservation => &mut self.resources.memory_reservation,
            Limit::Cpus => &mut self.resources.nano_cpus,
            Limit::CpuReservation => &mut self.resources.nano_cpus_reservation,
            Limit::Pids => &mut self.resources.pids,
        };
        if let Some(other) = *slot
            && other != value
        {
            let hint = "the same limit is given elsewhere in this service with another value";
            r.fail_hint(&node.place, format!("{what} is given twice"), hint);
        }
        *slot = Some(value);
        self.seen[limit as usize] = Some(node.place.clone());
    }

    /// Checks that no reservation is above its limit.
    pub fn check(&self, r: &Reader<'_>) {
        let all = &self.resources;
        for (reserved, limit, which, what) in [
            (
                all.memory_reservation,
                all.memory,
                Limit::MemoryReservation,
                "memory",
            ),
            (
                all.nano_cpus_reservation,
                all.nano_cpus,
                Limit::CpuReservation,
                "cpus",
            ),
        ] {
            if let (Some(reserved), Some(limit), Some(place)) =
                (reserved, limit, &self.seen[which as usize])
                && reserved > limit
            {
                r.fail(
                    place,
                    format!("more {what} is reserved than the limit allows"),
                );
            }
        }
    }
}

/// `deploy`, of which `resources` is supported.
pub fn deploy(r: &Reader<'_>, node: &Node, limits: &mut Limits) {
    for (key, place, value) in r.mapping(node, "deploy").unwrap_or_default() {
        match key {
            "resources" => {
                for (key, place, value) in r.mapping(value, "resources").unwrap_or_default() {
                    match key {
                        "limits" | "reservations" => part(r, value, key, limits),
                        _ => r.unknown_key(place, "resources", key, &["limits", "reservations"]),
                    }
                }
            }
            "replicas" if matches!(&value.value, Value::Number(n) if n == "1") => {}
            "mode" if matches!(&value.value, Value::String(m) if m == "replicated") => {}
            _ => r.refuse_key(place, Part::Deploy, "deploy", key, &["resources"]),
        }
    }
}

fn part(r: &Reader<'_>, node: &Node, name: &str, limits: &mut Limits) {
    let reserved = name == "reservations";
    for (key, place, value) in r.mapping(node, name).unwrap_or_default() {
        let limit = match (key, reserved) {
            ("memory", false) => Limit::Memory,
            ("memory", true) => Limit::MemoryReservation,
            ("cpus", false) => Limit::Cpus,
            ("cpus", true) => Limit::CpuReservation,
            ("pids", false) => Limit::Pids,
            ("devices", true) => {
                r.fail_hint(
                    place,
                    "`devices` is not supported in reservations",
                    "a seat gets no device of the host; leave it out",
                );
                continue;
            }
            _ => {
                let known: &[&str] = if reserved {
                    &["memory", "cpus"]
                } else {
                    &["memory", "cpus", "pids"]
                };
                r.unknown_key(place, name, key, known);
                continue;
            }
        };
        limits.take(r, value, limit, &format!("`{key}` of {name}"));
    }
}

/// `ulimits`: a number for both, or `{soft, hard}`.
pub fn ulimits(r: &Reader<'_>, node: &Node) -> IndexMap<String, Ulimit> {
    const RANGE: &str = "a number from 0, or -1 for no limit";
    let number = |node: &Node, what: &str| {
        let number = r.number::<i64>(node, what, RANGE)?;
        if number < -1 {
            r.fail(&node.place, format!("{what} must be {RANGE}"));
            return None;
        }
        Some(number)
    };
    let mut all = IndexMap::new();
    for (name, place, value) in r.mapping(node, "ulimits").unwrap_or_default() {
        if !ULIMITS.contains(&name) {
            r.unknown_key(place, "ulimits", name, &ULIMITS);
            continue;
        }
        if !matches!(value.value, Value::Mapping(_)) {
            if let Some(both) = number(value, name) {
                all.insert(
                    name.to_owned(),
                    Ulimit {
                        hard: both,
                        soft: both,
                    },
                );
            }
            continue;
        }
        let (mut soft, mut hard) = (None, None);
        for (key, place, value) in r.mapping(value, name).unwrap_or_default() {
            match key {
                "soft" => soft = number(value, "`soft`"),
                "hard" => hard = number(value, "`hard`"),
                _ => r.unknown_key(place, "a ulimit", key, &["soft", "hard"]),
            }
        }
        match (soft, hard) {
            (Some(soft), Some(hard)) if hard == -1 || (soft != -1 && soft <= hard) => {
                all.insert(name.to_owned(), Ulimit { hard, soft });
            }
            (Some(_), Some(_)) => r.fail(
                place,
                format!("the soft limit of {name} is above the hard one"),
            ),
            _ if value.get("soft").is_some() && value.get("hard").is_some() => {}
            _ => r.fail(place, format!("the ulimit {name} needs `soft` and `hard`")),
        }
    }
    all
}

/// `sysctls`: only those that belong to the container's own namespaces.
pub fn sysctls(r: &Reader<'_>, node: &Node) -> IndexMap<String, String> {
    let mut all = IndexMap::new();
    for pair in r.pairs(node, "sysctls", &['=']) {
        let own = ["net.", "kernel.shm", "kernel.msg", "fs.mqueue."]
            .iter()
            .any(|prefix| pair.key.starts_with(prefix))
            || pair.key == "kernel.sem";
        let Some(value) = pair.value else {
            r.fail(
                &pair.place,
                format!("`{}` has no value", shorten(&pair.key)),
            );
            continue;
        };
        if !own {
            r.fail_hint(
                &pair.place,
                format!("`{}` is a kernel parameter of the host", shorten(&pair.key)),
                "a container has its own net.*, kernel.shm*, kernel.msg*, kernel.sem and \
                 fs.mqueue.*",
            );
        } else if r.same_for_all(&value, &pair.place, "sysctls") {
            all.insert(pair.key, value);
        }
    }
    all
}
