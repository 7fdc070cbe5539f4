//! What a Compose file can say and a seat can't do, and what to do instead.

use crate::stack::interpolate::Problem;

/// Attributes of a service.
const SERVICE: &[(&[&str], &str)] = &[
    (
        &["build"],
        "name an image; Seatbox builds none from a stack (its own come from recipes, see `seatbox images`)",
    ),
    (
        &["privileged"],
        "a privileged container is root on the host; add the capabilities it needs to `isolation.capabilities` of the environment file and to `cap_add`",
    ),
    (
        &["network_mode"],
        "every seat has networks of its own; use `networks`",
    ),
    (
        &[
            "pid",
            "ipc",
            "uts",
            "userns_mode",
            "cgroup",
            "cgroup_parent",
        ],
        "a seat shares no namespace with the host or with another container; leave it out",
    ),
    (
        &["devices", "device_cgroup_rules", "gpus", "runtime"],
        "a seat gets no device of the host; leave it out",
    ),
    (
        &["extends"],
        "use an anchor and `<<: *anchor`, or write it out",
    ),
    (
        &["container_name"],
        "containers are named by environment, seat and service; leave it out",
    ),
    (
        &["scale"],
        "each seat has one container of a service; write two services",
    ),
    (
        &["logging"],
        "`seatbox logs` needs the engine's own log driver; leave it out",
    ),
    (
        &["links", "external_links"],
        "services of a seat reach each other by name; leave it out",
    ),
    (
        &["volumes_from"],
        "mount the same named volume in both services",
    ),
    (
        &["mac_address"],
        "the engine chooses addresses; leave it out",
    ),
    (
        &["dns", "dns_search", "dns_opt", "domainname"],
        "names are resolved by the engine; use `extra_hosts` or network aliases",
    ),
    (
        &[
            "mem_swappiness",
            "memswap_limit",
            "oom_kill_disable",
            "oom_score_adj",
            "cpu_count",
            "cpu_percent",
            "cpu_shares",
            "cpu_period",
            "cpu_quota",
            "cpu_rt_runtime",
            "cpu_rt_period",
            "cpuset",
            "blkio_config",
        ],
        "use mem_limit, cpus and pids_limit; `memory` has swap included",
    ),
    (
        &[
            "group_add",
            "storage_opt",
            "isolation",
            "credential_spec",
            "use_api_socket",
        ],
        "Seatbox does not support it; leave it out",
    ),
    (&["annotations"], "use `labels`"),
    (&["label_file"], "write them under `labels`"),
    (
        &["develop", "provider", "models"],
        "it is for development with Compose itself; leave it out",
    ),
    (
        &["pull_policy", "pull_refresh_after"],
        "where images come from is said under `images` of the environment file",
    ),
    (
        &["attach", "stdin_open", "tty"],
        "`seatbox shell` and `seatbox exec` ask for a terminal themselves; leave it out",
    ),
    (
        &["post_start", "pre_stop"],
        "hooks are not supported; do it in the command, or in a service that others depend on with service_completed_successfully",
    ),
];

/// Attributes at the top of the file.
const TOP: &[(&[&str], &str)] = &[
    (&["include"], "put everything in one file"),
    (&["models"], "Seatbox runs no models; leave it out"),
];

/// Attributes of a network.
const NETWORK: &[(&[&str], &str)] = &[
    (
        &["external"],
        "a seat's networks are its own; an external one would be shared between seats",
    ),
    (
        &["name"],
        "networks are named by environment and seat; leave it out",
    ),
    (
        &["ipam", "enable_ipv4", "enable_ipv6"],
        "subnets are planned, see `docker.subnets` of the environment file; leave it out",
    ),
    (
        &["driver", "driver_opts"],
        "every network is a bridge of its own; leave it out",
    ),
    (
        &["attachable"],
        "nothing else may join a seat's network; leave it out",
    ),
];

/// Attributes of a service's place on a network.
const ATTACHMENT: &[(&[&str], &str)] = &[
    (
        &[
            "ipv4_address",
            "ipv6_address",
            "link_local_ips",
            "mac_address",
        ],
        "addresses are planned for each seat; use the service's name or `aliases`",
    ),
    (
        &["priority", "gw_priority", "interface_name", "driver_opts"],
        "the first network in the list is the first interface; leave it out",
    ),
];

/// Attributes of a volume.
const VOLUME: &[(&[&str], &str)] = &[
    (
        &["external"],
        "a seat's volumes are its own; an external one would be shared between seats",
    ),
    (
        &["name"],
        "volumes are named by environment and seat; leave it out",
    ),
    (
        &["driver", "driver_opts"],
        "a volume's options can mount directories of the host; leave it out",
    ),
];

/// Attributes of a config or secret.
const FILE: &[(&[&str], &str)] = &[
    (
        &["external", "name"],
        "give it by `file`, `content` or `environment`",
    ),
    (
        &["driver", "driver_opts", "template_driver", "labels"],
        "Seatbox puts the file into the container itself; leave it out",
    ),
];

/// Attributes of `deploy`.
const DEPLOY: &[(&[&str], &str)] = &[
    (
        &["replicas", "mode"],
        "each seat has one container of a service; write two services",
    ),
    (&["restart_policy"], "use `restart`"),
    (
        &[
            "placement",
            "update_config",
            "rollback_config",
            "endpoint_mode",
            "labels",
        ],
        "it is for a swarm; leave it out",
    ),
];

/// Which part of the file an attribute stands in.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// The top.
    Top,
    /// A service.
    Service,
    /// A network at the top.
    Network,
    /// A service's network.
    Attachment,
    /// A volume at the top.
    Volume,
    /// A config or secret at the top.
    File,
    /// `deploy`.
    Deploy,
}

/// What to do instead of `key`, where Compose knows it and Seatbox does not support it.
pub fn instead(part: Part, key: &str) -> Option<&'static str> {
    let table = match part {
        Part::Top => TOP,
        Part::Service => SERVICE,
        Part::Network => NETWORK,
        Part::Attachment => ATTACHMENT,
        Part::Volume => VOLUME,
        Part::File => FILE,
        Part::Deploy => DEPLOY,
    };
    table
        .iter()
        .find(|(keys, _)| keys.contains(&key))
        .map(|(_, hint)| *hint)
}

impl super::reader::Reader<'_> {
    /// Notes that `key` can't stand in `part`: with what to do instead where Compose knows it,
    /// or else with the key that was probably meant.
    pub fn refuse_key(
        &self,
        place: &crate::yaml::Place,
        part: Part,
        what: &str,
        key: &str,
        known: &[&str],
    ) {
        match instead(part, key) {
            Some(hint) => {
                let message = format!("`{key}` is not supported in {what}");
                self.report_as(
                    "stack::unsupported",
                    place,
                    Problem::new(message).hint(hint),
                );
            }
            None => self.unknown_key(place, what, key, known),
        }
    }
}
