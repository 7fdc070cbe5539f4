//! `networks`, at the top and of a service; `volumes` at the top; `extra_hosts`.

use std::net::IpAddr;

use indexmap::IndexMap;

use super::reader::{Reader, shorten};
use super::security::labels;
use super::unsupported::Part;
use crate::model::stack::{Attachment, Network, Volume};
use crate::yaml::{Node, Value};

/// The networks of the file.
pub fn networks(r: &Reader<'_>, node: &Node) -> IndexMap<String, Network> {
    let mut all = IndexMap::new();
    for (name, _, value) in r.every_pair(node, "networks") {
        let mut network = Network::default();
        if value.value != Value::Null {
            for (key, place, value) in r.mapping(value, "a network").unwrap_or_default() {
                match key {
                    "internal" => {
                        network.internal = r.boolean(value, "`internal`").unwrap_or(false);
                    }
                    "labels" => network.labels = labels(r, value),
                    _ if harmless(value, key, Some("bridge")) => {}
                    _ => r.refuse_key(
                        place,
                        Part::Network,
                        "a network",
                        key,
                        &["internal", "labels"],
                    ),
                }
            }
        }
        all.insert(name.to_owned(), network);
    }
    all
}

/// The named volumes of the file.
pub fn volumes(r: &Reader<'_>, node: &Node) -> IndexMap<String, Volume> {
    let mut all = IndexMap::new();
    for (name, _, value) in r.every_pair(node, "volumes") {
        let mut volume = Volume::default();
        if value.value != Value::Null {
            for (key, place, value) in r.mapping(value, "a volume").unwrap_or_default() {
                match key {
                    "labels" => volume.labels = labels(r, value),
                    _ if harmless(value, key, Some("local")) => {}
                    _ => r.refuse_key(place, Part::Volume, "a volume", key, &["labels"]),
                }
            }
        }
        all.insert(name.to_owned(), volume);
    }
    all
}

/// Whether an attribute that is not supported says only what holds anyway.
fn harmless(node: &Node, key: &str, driver: Option<&str>) -> bool {
    match (&node.value, key) {
        (Value::Bool(false), "external" | "attachable" | "enable_ipv6") => true,
        (Value::String(text), "driver") => Some(text.as_str()) == driver,
        _ => false,
    }
}

/// The networks of a service; `default` where it names none.
pub fn attachments(r: &Reader<'_>, node: &Node) -> IndexMap<String, Attachment> {
    let mut all = IndexMap::new();
    if let Value::Mapping(_) = &node.value {
        for (name, _, value) in r.every_pair(node, "networks") {
            all.insert(name.to_owned(), attachment(r, value));
        }
    } else {
        for item in r.list(node, "networks") {
            if let Some(name) = r.word(item, "networks") {
                all.insert(name.to_owned(), Attachment::default());
            }
        }
    }
    all
}

fn attachment(r: &Reader<'_>, node: &Node) -> Attachment {
    let mut attachment = Attachment::default();
    if node.value == Value::Null {
        return attachment;
    }
    let what = "a service's network";
    for (key, place, value) in r.mapping(node, what).unwrap_or_default() {
        match key {
            "aliases" => {
                let items = r.list(value, "aliases");
                attachment.aliases = items
                    .iter()
                    .filter_map(|item| r.text(item, "an alias"))
                    .collect();
            }
            _ => r.refuse_key(place, Part::Attachment, what, key, &["aliases"]),
        }
    }
    attachment
}

/// `extra_hosts`, as the engine takes them: `name:address`.
pub fn extra_hosts(r: &Reader<'_>, node: &Node) -> Vec<String> {
    let mut all = Vec::new();
    // A list item is split at `=`, or else at the first colon: what follows may be IPv6.
    let has_equals = |item: &Node| matches!(&item.value, Value::String(text) if text.contains('='));
    let single = |item: &Node| Node::new(Value::Sequence(vec![item.clone()]), item.place.clone());
    let pairs = match &node.value {
        Value::Sequence(items) => items
            .iter()
            .flat_map(|item| {
                let separator = if has_equals(item) { '=' } else { ':' };
                r.pairs(&single(item), "extra_hosts", &[separator])
            })
            .collect(),
        _ => r.pairs(node, "extra_hosts", &['=']),
    };
    for pair in pairs {
        let value = pair.value.unwrap_or_default();
        if !r.same_for_all(&value, &pair.place, "extra_hosts") {
            continue;
        }
        if value == "host-gateway" {
            r.fail_hint(
                &pair.place,
                "`host-gateway` would lead out of the seat, to the engine's host",
                "run what is needed as a service of the stack",
            );
            continue;
        }
        match value
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
        {
            Ok(address) if !pair.key.is_empty() => all.push(format!("{}:{address}", pair.key)),
            _ => r.fail_hint(
                &pair.place,
                format!(
                    "`{}` is no line of /etc/hosts",
                    shorten(&format!("{} {value}", pair.key))
                ),
                "write name=address",
            ),
        }
    }
    all
}
