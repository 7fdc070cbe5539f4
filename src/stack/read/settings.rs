//! `x-seatbox`: Seatbox's own settings of a service.

use super::process;
use super::reader::Reader;
use super::service::{absolute, words};
use crate::model::stack::{ServiceSettings, Snapshot};
use crate::yaml::{Node, Value};

/// `x-seatbox` of a service.
pub fn settings(r: &Reader<'_>, node: &Node) -> ServiceSettings {
    let mut settings = ServiceSettings::default();
    for (key, place, value) in r.every_pair(node, "x-seatbox") {
        match key {
            "workspace" => settings.workspace = absolute(r, value, "`workspace`"),
            "shell" => {
                let words = match &value.value {
                    Value::Sequence(_) => Some(words(r, value, "`shell`")),
                    _ => r
                        .word(value, "`shell`")
                        .and_then(|text| shell_words::split(text).ok()),
                };
                match words {
                    Some(words) if !words.is_empty() => settings.shell = Some(words),
                    _ => r.fail(&value.place, "`shell` must be a command"),
                }
            }
            "ready_timeout" => {
                settings.ready_timeout = r.duration(value, "`ready_timeout`");
            }
            "snapshot" => settings.snapshot = snapshot(r, value),
            _ => {
                let known = ["workspace", "shell", "ready_timeout", "snapshot"];
                r.unknown_key(place, "x-seatbox", key, &known);
            }
        }
    }
    settings
}

fn snapshot(r: &Reader<'_>, node: &Node) -> Option<Snapshot> {
    let mut personalize = None;
    for (key, place, value) in r.mapping(node, "`snapshot`")? {
        match key {
            "personalize" => {
                personalize = Some(process::shell_or_list(r, value, "`personalize`"));
            }
            _ => r.unknown_key(place, "a snapshot", key, &["personalize"]),
        }
    }
    let Some(personalize) = personalize else {
        r.fail_hint(
            &node.place,
            "this snapshot has no `personalize`",
            "give the command that puts a seat's own password into what was copied; `true` where \
             there is none",
        );
        return None;
    };
    Some(Snapshot { personalize })
}
