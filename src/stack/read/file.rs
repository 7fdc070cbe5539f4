//! The top of a Compose file.

use indexmap::IndexMap;

use super::files::{Kind, declared};
use super::networks;
use super::reader::Reader;
use super::service::{DeclaredFiles, Draft, service};
use super::unsupported::Part;
use crate::model::stack::{Network, Volume};
use crate::yaml::{Node, Value};

/// A whole file as it was read.
#[derive(Debug, Default)]
pub struct File<'n> {
    /// Its services, whatever their profiles.
    pub services: Vec<Draft<'n>>,
    /// Its networks.
    pub networks: IndexMap<String, Network>,
    /// Its named volumes.
    pub volumes: IndexMap<String, Volume>,
}

/// Reads a file whose variables are interpolated.
///
/// `name` and `version` are accepted: the first because a project is named by environment and seat
/// here, and an exported file must have one for plain Compose; the second because it means nothing
/// any more.
pub fn file<'n>(r: &Reader<'_>, root: &'n Node) -> File<'n> {
    const KNOWN: [&str; 7] = [
        "name", "version", "services", "networks", "volumes", "configs", "secrets",
    ];
    let mut file = File::default();
    if root.value == Value::Null {
        r.fail_hint(
            &root.place,
            "the stack is empty",
            "it needs `services` with one at least",
        );
        return file;
    }
    let mut files = DeclaredFiles::default();
    let entries = r.mapping(root, "a stack").unwrap_or_default();
    for (key, place, value) in &entries {
        match *key {
            "networks" => file.networks = networks::networks(r, value),
            "volumes" => file.volumes = networks::volumes(r, value),
            "configs" => files.configs = declared(r, value, Kind::Config),
            "secrets" => files.secrets = declared(r, value, Kind::Secret),
            // A name with a seat's variable in it is what an export may have.
            "name" | "version" => drop(r.marked(value, key)),
            "services" => {}
            _ => r.refuse_key(place, Part::Top, "a stack", key, &KNOWN),
        }
    }
    let Some((key, services)) = root.entry("services") else {
        if !entries.is_empty() || matches!(root.value, Value::Mapping(_)) {
            r.fail_hint(
                &root.place,
                "the stack has no `services`",
                "it needs one at least",
            );
        }
        return file;
    };
    let pairs = r.every_pair(services, "services");
    if pairs.is_empty() && matches!(services.value, Value::Mapping(_) | Value::Null) {
        r.fail(&key.place, "the stack has no service");
    }
    for (name, place, node) in pairs {
        if let Some(name) = r.service_name(name, place)
            && let Some(draft) = service(r, name, place, node, &files)
        {
            file.services.push(draft);
        }
    }
    file
}
