//! Every value of an environment with where it comes from.

use serde::Serialize;

use crate::yaml::{Node, PathPart, Value, path_text};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its path: `seats.count`.
    pub path: String,
    /// What it is, as YAML.
    pub value: String,
    /// Where it comes from: `gopher.yaml:12:10`, `default`, `SEATBOX__SEATS__COUNT`,
    /// `--set seats.count`.
    pub origin: String,
}

/// The parts of an environment in the order in which one reads them.
const ORDER: [&str; 12] = [
    "version",
    "name",
    "event",
    "seats",
    "lifetime",
    "provider",
    "stack",
    "images",
    "workspace",
    "limits",
    "isolation",
    "docker",
];

/// Every value of `tree`, part by part. What looks like a secret by its name is not shown.
pub fn settings(tree: &Node) -> Vec<Setting> {
    let mut leaves = tree.leaves();
    leaves.sort_by_key(|(path, _)| match path.first() {
        Some(PathPart::Key(part)) => ORDER.iter().position(|known| *known == part.as_str()),
        _ => None,
    });
    leaves
        .into_iter()
        .map(|(path, node)| Setting {
            value: if is_secret(&path) {
                "(hidden)".to_owned()
            } else {
                text(&node.value)
            },
            path: path_text(&path),
            origin: node.place.to_string(),
        })
        .collect()
}

/// A stack's variables have names of their users' choice, and may hold passwords.
fn is_secret(path: &[PathPart]) -> bool {
    let [
        PathPart::Key(stack),
        PathPart::Key(variables),
        PathPart::Key(name),
    ] = path
    else {
        return false;
    };
    let name = name.to_ascii_uppercase();
    let words = ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"];
    stack == "stack" && variables == "variables" && words.iter().any(|word| name.contains(word))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(raw) => raw.clone(),
        // JSON's strings are YAML's too, and have no control characters left in them.
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Sequence(_) => "[]".to_owned(),
        Value::Mapping(_) => "{}".to_owned(),
    }
}
