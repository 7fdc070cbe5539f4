//! Defaults, file, process environment and options, laid upon each other.

use std::sync::Arc;

use super::load::Overrides;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Key, Node, Place, Value, parse_inline};

/// What every variable of the process environment that sets a value begins with.
const VARIABLE_PREFIX: &str = "SEATBOX__";

/// The tree of all layers, and what was wrong with the layers themselves.
pub(super) fn merge(file: Node, overrides: &Overrides) -> (Node, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let defaults = parse_inline(include_str!("defaults.yaml"), &Place::Default)
        .expect("the built-in defaults are read in every test run");
    let mut tree = lay(defaults, file);
    for (name, value) in &overrides.variables {
        let Some(path) = strip_prefix_ignoring_case(name, VARIABLE_PREFIX) else {
            continue;
        };
        let place = Place::Variable(Arc::from(name.as_str()));
        let parts: Vec<&str> = path.split("__").collect();
        let parts = lower_case_fields(&parts);
        add(&mut tree, parts, value, place, &mut problems);
    }
    for setting in &overrides.set {
        let (path, value) = setting.split_once('=').unwrap_or((setting, ""));
        let place = Place::Option(Arc::from(format!("--set {path}")));
        if !setting.contains('=') {
            problems.push(
                Diagnostic::new("option::set", "a value is missing", place)
                    .with_hint(format!("write --set {path}=VALUE")),
            );
            continue;
        }
        let parts = match path.strip_prefix("stack.variables.") {
            Some(name) => vec!["stack".to_owned(), "variables".to_owned(), name.to_owned()],
            None => path.split('.').map(str::to_owned).collect(),
        };
        add(&mut tree, parts, value, place, &mut problems);
    }
    if let Some(provider) = overrides.provider {
        let place = Place::Option("--provider".into());
        let parts = vec!["provider".to_owned()];
        add(
            &mut tree,
            parts,
            &provider.to_string(),
            place,
            &mut problems,
        );
    }
    (tree, problems)
}

fn lay(below: Node, above: Node) -> Node {
    match without_nulls(expand_short_forms(above)) {
        Some(above) => below.merge(above),
        None => below,
    }
}

fn add(
    tree: &mut Node,
    parts: Vec<String>,
    text: &str,
    place: Place,
    problems: &mut Vec<Diagnostic>,
) {
    if parts.iter().any(String::is_empty) {
        problems.push(
            Diagnostic::new("option::path", "a part of the path is empty", place)
                .with_hint("a path looks like seats.count, and like SEATS__COUNT in a variable"),
        );
        return;
    }
    let leaf = match value(text, &place) {
        Ok(leaf) => leaf,
        Err(problem) => {
            problems.push(problem);
            return;
        }
    };
    let layer = parts.into_iter().rev().fold(leaf, |node, name| {
        let place = place.clone();
        let key = Key {
            name,
            place: place.clone(),
        };
        Node::new(Value::Mapping(vec![(key, node)]), place)
    });
    let below = std::mem::replace(tree, Node::empty(Place::Default));
    *tree = lay(below, layer);
}

/// A value as it is given outside a file: a list or a mapping in brackets, or a scalar. Other text
/// is taken as it stands, for nobody quotes a colon twice in a shell.
fn value(text: &str, place: &Place) -> Result<Node, Diagnostic> {
    let structured = text.trim_start().starts_with(['[', '{', '"', '\'']);
    match parse_inline(text, place) {
        Ok(node) if structured => Ok(node),
        Ok(node) if !matches!(node.value, Value::Mapping(_) | Value::Sequence(_)) => Ok(node),
        Err(problems) if structured => {
            let message = problems
                .iter()
                .map(|problem| problem.message.as_str())
                .next();
            let message = message.unwrap_or("the value can't be read").to_owned();
            Err(Diagnostic::new("option::value", message, place.clone()))
        }
        _ => Ok(Node::new(Value::String(text.to_owned()), place.clone())),
    }
}

/// Variables are upper case by custom and fields are lower case; the names of a stack's own
/// variables stay as they are.
fn lower_case_fields(parts: &[&str]) -> Vec<String> {
    let mut lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    if let [stack, variables, ..] = lower.as_slice()
        && stack == "stack"
        && variables == "variables"
        && parts.len() > 2
    {
        lower.truncate(2);
        lower.push(parts[2..].join("__"));
    }
    lower
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `stack: path` means `stack: {file: path}`, and `files: path` means `files: {directory: path}`.
/// Expanded before merging, so that a layer above can add to either form.
fn expand_short_forms(mut tree: Node) -> Node {
    expand(&mut tree, &["stack"], "file");
    expand(&mut tree, &["workspace", "files"], "directory");
    tree
}

fn expand(node: &mut Node, path: &[&str], field: &str) {
    let Some((first, rest)) = path.split_first() else {
        if matches!(node.value, Value::String(_) | Value::Number(_)) {
            let place = node.place.clone();
            let text = std::mem::replace(node, Node::empty(place.clone()));
            let key = Key {
                name: field.to_owned(),
                place,
            };
            node.value = Value::Mapping(vec![(key, text)]);
        }
        return;
    };
    if let Value::Mapping(entries) = &mut node.value
        && let Some((_, child)) = entries.iter_mut().find(|(key, _)| key.name == *first)
    {
        expand(child, rest, field);
    }
}

/// A key without a value says nothing: what is below it holds.
fn without_nulls(node: Node) -> Option<Node> {
    let Node { value, place } = node;
    let value = match value {
        Value::Null => return None,
        Value::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .filter_map(|(key, node)| Some((key, without_nulls(node)?)))
                .collect(),
        ),
        other => other,
    };
    Some(Node { value, place })
}
