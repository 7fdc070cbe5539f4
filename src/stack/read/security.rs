//! Capabilities, security options and labels.

use indexmap::IndexMap;

use super::reader::{Reader, shorten};
use crate::model::Text;
use crate::stack::isolation::{BASELINE_CAPABILITIES, CAPABILITIES};
use crate::stack::variables::closest;
use crate::yaml::Node;

fn capability_list(
    r: &Reader<'_>,
    node: &Node,
    what: &str,
    check: impl Fn(&Node, &str),
) -> Vec<String> {
    let mut all = Vec::new();
    for item in r.list(node, what) {
        let Some(text) = r.word(item, what) else {
            continue;
        };
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if name != "ALL" && !CAPABILITIES.contains(&name) {
            let hint = match closest(name, CAPABILITIES) {
                Some(right) => format!("did you mean `{right}`?"),
                None => "see capabilities(7)".to_owned(),
            };
            r.fail_hint(
                &item.place,
                format!("Linux has no capability `{}`", shorten(text)),
                hint,
            );
            continue;
        }
        check(item, name);
        if !all.iter().any(|other| other == name) {
            all.push(name.to_owned());
        }
    }
    all
}

/// `cap_add`: the baseline, and what the environment file opens.
pub fn cap_add(r: &Reader<'_>, node: &Node) -> Vec<String> {
    capability_list(r, node, "cap_add", |item, name| {
        let opened = r.isolation.capabilities.iter().any(|open| {
            let open = open.to_ascii_uppercase();
            open.strip_prefix("CAP_").unwrap_or(&open) == name
        });
        if !opened && !BASELINE_CAPABILITIES.contains(&name) {
            r.isolated(
                &item.place,
                format!("the capability {name} is not open to this stack"),
                format!(
                    "add {name} to `isolation.capabilities` of the environment file; without \
                     that there are {}",
                    BASELINE_CAPABILITIES.join(", ")
                ),
            );
        }
    })
}

/// `cap_drop`.
pub fn cap_drop(r: &Reader<'_>, node: &Node) -> Vec<String> {
    capability_list(r, node, "cap_drop", |_, _| {})
}

/// A security option in its newer form: `name=value` is the older way to write `name:value`, and
/// `no-new-privileges` alone is true.
fn security_option(text: &str) -> String {
    match text.find([':', '=']) {
        Some(at) => format!("{}:{}", &text[..at], &text[at + 1..]),
        None if text == "no-new-privileges" => format!("{text}:true"),
        None => text.to_owned(),
    }
}

/// `security_opt`: `no-new-privileges`, and what the environment file opens.
pub fn security_opt(r: &Reader<'_>, node: &Node) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for item in r.list(node, "security_opt") {
        let Some(text) = r.word(item, "security_opt") else {
            continue;
        };
        let option = security_option(text);
        let open = &r.isolation.security_opt;
        let listed = open.iter().any(|open| security_option(open) == option);
        match option.as_str() {
            "no-new-privileges:true" => {}
            "no-new-privileges:false" if r.isolation.new_privileges => {}
            "no-new-privileges:false" => {
                let hint = "set `isolation.new_privileges` in the environment file";
                let message = "new privileges are not open to this stack";
                r.isolated(&item.place, message, hint);
            }
            _ if !listed => {
                let hint = "add it to `isolation.security_opt` of the environment file";
                let message = format!("`{}` is not open to this stack", shorten(text));
                r.isolated(&item.place, message, hint);
            }
            _ => {}
        }
        if !all.contains(&option) {
            all.push(option);
        }
    }
    all
}

/// `labels`, without those that say whose a resource is.
pub fn labels(r: &Reader<'_>, node: &Node) -> IndexMap<String, Text> {
    let mut all = IndexMap::new();
    for pair in r.pairs(node, "labels", &['=']) {
        let reserved = ["dev.seatbox.", "com.docker.compose."]
            .iter()
            .find(|prefix| pair.key.starts_with(**prefix));
        if let Some(prefix) = reserved {
            let hint = "use a prefix of your own";
            r.fail_hint(
                &pair.place,
                format!("labels of `{prefix}` are Seatbox's to set"),
                hint,
            );
        } else if pair.key.is_empty() {
            r.fail(&pair.place, "a label has no name");
        } else {
            let text = Text::from_marked(&pair.value.unwrap_or_default());
            if r.open(&text, &pair.place, "a label") {
                all.insert(pair.key, text);
            }
        }
    }
    all
}
