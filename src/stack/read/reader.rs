//! What every attribute is read with: typed access to nodes, and a place for each error.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::model::environment::Isolation;
use crate::model::text::{Segment, VARIABLE_BEGIN};
use crate::model::{SeatVariable, ServiceName, Text};
use crate::stack::interpolate::Problem;
use crate::stack::units;
use crate::stack::variables::{Variables, closest};
use crate::yaml::{Node, Place, Value};

/// Reads nodes, and keeps what is wrong with them.
pub struct Reader<'a> {
    /// What variables are.
    pub variables: Variables<'a>,
    /// What the stack may loosen.
    pub isolation: &'a Isolation,
    /// How many seats run the stack.
    pub seats: u32,
    /// The directory that relative paths start from; an embedded stack has none.
    pub directory: Option<&'a Path>,
    /// The user's home directory and the like.
    pub process: &'a BTreeMap<String, String>,
    /// The files that were read for what the stack names.
    pub files: RefCell<Vec<PathBuf>>,
    findings: RefCell<Vec<Diagnostic>>,
}

/// A pair of a map, or an item of a list such as `KEY=value`.
pub struct Pair {
    /// What stands before the separator.
    pub key: String,
    /// What stands behind it, seat variables still marked; nothing for a null or a key alone.
    pub value: Option<String>,
    /// Where it is.
    pub place: Place,
}

impl<'a> Reader<'a> {
    /// A reader without findings.
    pub fn new(
        variables: Variables<'a>,
        isolation: &'a Isolation,
        seats: u32,
        directory: Option<&'a Path>,
    ) -> Self {
        Self {
            process: variables.process,
            variables,
            isolation,
            seats,
            directory,
            files: RefCell::default(),
            findings: RefCell::default(),
        }
    }

    /// Everything that was found to be wrong.
    pub fn into_findings(self) -> Vec<Diagnostic> {
        self.findings.into_inner()
    }

    /// Notes an error.
    pub fn fail(&self, place: &Place, message: impl Into<String>) {
        self.report(place, Problem::new(message));
    }

    /// Notes an error with what to do about it.
    pub fn fail_hint(&self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.report(place, Problem::new(message).hint(hint));
    }

    /// Notes a problem.
    pub fn report(&self, place: &Place, problem: Problem) {
        self.report_as("stack::value", place, problem);
    }

    /// Notes a problem of that kind.
    pub fn report_as(&self, code: &'static str, place: &Place, problem: Problem) {
        let mut diagnostic = Diagnostic::new(code, problem.message, place.clone());
        if let Some(hint) = problem.hint {
            diagnostic = diagnostic.with_hint(hint);
        }
        self.findings.borrow_mut().push(diagnostic);
    }

    /// Notes that `key` is none of `known`.
    pub fn unknown_key(&self, place: &Place, what: &str, key: &str, known: &[&str]) {
        let hint = match closest(key, known.iter().copied()) {
            Some(right) => format!("did you mean `{right}`?"),
            None => format!("it can have {}", known.join(", ")),
        };
        let problem = Problem::new(format!("{what} has no `{key}`")).hint(hint);
        self.report_as("stack::unknown-key", place, problem);
    }

    /// Notes that a service uses what the file does not declare.
    pub fn undeclared(&self, place: &Place, what: &str, part: &str, name: &str, known: &[&str]) {
        let hint = match closest(name, known.iter().copied()) {
            Some(right) => format!("did you mean `{right}`?"),
            None => format!("declare it under `{part}` at the top of the file"),
        };
        let message = format!("`{}` is not {what} of this file", shorten(name));
        self.fail_hint(place, message, hint);
    }

    fn wrong_kind(&self, node: &Node, what: &str, expected: &str) {
        let found = match &node.value {
            Value::Null => "empty",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        };
        let message = format!("{what} must be {expected}, and is {found}");
        match &node.value {
            Value::Bool(_) if expected.contains("string") => {
                self.fail_hint(&node.place, message, "put it in quotes");
            }
            Value::Null => self.fail_hint(&node.place, message, "give it a value, or leave it out"),
            _ => self.fail(&node.place, message),
        }
    }

    /// The pairs of a mapping, without `x-…` extensions (but with `x-seatbox`).
    pub fn mapping<'n>(
        &self,
        node: &'n Node,
        what: &str,
    ) -> Option<Vec<(&'n str, &'n Place, &'n Node)>> {
        let Value::Mapping(entries) = &node.value else {
            self.wrong_kind(node, what, "a mapping");
            return None;
        };
        Some(
            entries
                .iter()
                .map(|(key, value)| (key.name.as_str(), &key.place, value))
                .filter(|(key, ..)| !key.starts_with("x-") || *key == "x-seatbox")
                .collect(),
        )
    }

    /// The pairs of a mapping in which every key counts, `x-…` too; nothing where it is null.
    pub fn every_pair<'n>(
        &self,
        node: &'n Node,
        what: &str,
    ) -> Vec<(&'n str, &'n Place, &'n Node)> {
        match &node.value {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| (key.name.as_str(), &key.place, value))
                .collect(),
            _ => {
                self.wrong_kind(node, what, "a mapping");
                Vec::new()
            }
        }
    }

    /// The items of a list.
    pub fn list<'n>(&self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            _ => {
                self.wrong_kind(node, what, "a list");
                &[]
            }
        }
    }

    /// The items of a list, or the one scalar that stands for a list of one.
    pub fn list_or_one<'n>(&self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            Value::Null | Value::Mapping(_) => {
                self.wrong_kind(node, what, "a string or a list");
                &[]
            }
            _ => std::slice::from_ref(node),
        }
    }

    /// A string, seat variables still marked. Numbers are taken as they are written.
    pub fn marked<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.value {
            Value::String(text) | Value::Number(text) => Some(text),
            _ => {
                self.wrong_kind(node, what, "a string");
                None
            }
        }
    }

    /// A string in which a seat's values may stand.
    pub fn text(&self, node: &Node, what: &str) -> Option<Text> {
        let text = self.secret_text(node, what)?;
        self.open(&text, &node.place, what).then_some(text)
    }

    /// A string in which a seat's values may stand, secrets among them.
    pub fn secret_text(&self, node: &Node, what: &str) -> Option<Text> {
        self.marked(node, what).map(Text::from_marked)
    }

    /// Whether `text` has no secret in it; an error where it has. Labels, names and the arguments
    /// of processes are there for everybody to read.
    pub fn open(&self, text: &Text, place: &Place, what: &str) -> bool {
        let open = !text
            .segments()
            .iter()
            .any(|segment| matches!(segment, Segment::Variable(SeatVariable::Secret(_))));
        if !open {
            self.fail_hint(
                place,
                format!("a secret can't stand in {what}, which others can read"),
                "put it into `environment`, or into a config or a secret with `content`",
            );
        }
        open
    }

    /// A string that is the same for every seat.
    pub fn plain<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.marked(node, what)?;
        self.same_for_all(text, &node.place, what).then_some(text)
    }

    /// Whether `text` is the same for every seat; an error where it is not.
    pub fn same_for_all(&self, text: &str, place: &Place, what: &str) -> bool {
        let same = !text.contains(VARIABLE_BEGIN);
        if !same {
            self.fail_hint(
                place,
                format!("a value of a seat can't stand in {what}"),
                "it is the same for all seats; seat variables can stand in commands, \
                 environment, labels, health checks, configs, user and host names",
            );
        }
        same
    }

    /// A string that is the same for every seat and not empty.
    pub fn word<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.plain(node, what)?;
        if text.is_empty() {
            self.fail(&node.place, format!("{what} is empty"));
            return None;
        }
        Some(text)
    }

    /// An absolute path in a container, without `.`, `..` and doubled slashes.
    pub fn container_path(&self, text: &str, place: &Place, what: &str) -> Option<String> {
        if !text.starts_with('/') || text.contains('\0') {
            self.fail_hint(
                place,
                format!("{what} must be an absolute path"),
                "begin it with `/`",
            );
            return None;
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        Some(format!("/{}", parts.join("/")))
    }

    /// A boolean; `"true"` and `"false"` too, since a variable's value is a string.
    pub fn boolean(&self, node: &Node, what: &str) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => {
                self.wrong_kind(node, what, "true or false");
                None
            }
        }
    }

    /// A number, as a number or as digits in a string.
    pub fn number<T: FromStr>(&self, node: &Node, what: &str, range: &str) -> Option<T> {
        let text = match &node.value {
            Value::String(_) | Value::Number(_) => self.plain(node, what)?,
            _ => {
                self.wrong_kind(node, what, "a number");
                return None;
            }
        };
        let number = text.parse().ok();
        if number.is_none() {
            self.fail(
                &node.place,
                format!("{what} must be {range}, and is `{}`", shorten(text)),
            );
        }
        number
    }

    /// A byte size.
    pub fn bytes(&self, node: &Node, what: &str) -> Option<u64> {
        self.unit(
            node,
            what,
            units::bytes,
            "a size",
            "write for example 512m or 1.5g",
        )
    }

    /// A duration.
    pub fn duration(&self, node: &Node, what: &str) -> Option<Duration> {
        let hint = "write for example 10s, 1m30s or 500ms";
        self.unit(node, what, units::duration, "a duration", hint)
    }

    /// CPUs, in billionths.
    pub fn cpus(&self, node: &Node, what: &str) -> Option<u64> {
        let positive = |text: &str| units::nano_cpus(text).filter(|nano| *nano > 0);
        let hint = "write for example 0.5 or 2";
        self.unit(node, what, positive, "a number of CPUs above 0", hint)
    }

    fn unit<T>(
        &self,
        node: &Node,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
        kind: &str,
        hint: &str,
    ) -> Option<T> {
        let text = self.plain(node, what)?;
        let value = parse(text);
        if value.is_none() {
            let message = format!("{what} must be {kind}, and is `{}`", shorten(text));
            self.fail_hint(&node.place, message, hint);
        }
        value
    }

    /// Permission bits: octal with a leading zero, or a string of octal digits.
    pub fn mode(&self, node: &Node, what: &str) -> Option<u32> {
        let text = self.plain(node, what)?;
        let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix('0'));
        let mode = match digits {
            Some("") => Some(0),
            Some(digits) => u32::from_str_radix(digits, 8).ok(),
            None => None,
        };
        if mode.is_none_or(|mode| mode > 0o7777) {
            let message = format!("{what} must be permission bits, and is `{}`", shorten(text));
            self.fail_hint(
                &node.place,
                message,
                "write them as octal digits behind a zero: 0444",
            );
            return None;
        }
        mode
    }

    /// The pairs of a map or of a list of `KEY=value`, the last of equal keys. Booleans are taken
    /// as they are written.
    pub fn pairs(&self, node: &Node, what: &str, separators: &[char]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        match &node.value {
            Value::Sequence(items) => {
                for item in items {
                    let Some(text) = self.marked(item, what) else {
                        continue;
                    };
                    let (key, value) = match text.split_once(separators) {
                        Some((key, value)) => (key, Some(value.to_owned())),
                        None => (text, None),
                    };
                    if self.same_for_all(key, &item.place, &format!("a name in {what}")) {
                        pairs.push(Pair {
                            key: key.to_owned(),
                            value,
                            place: item.place.clone(),
                        });
                    }
                }
            }
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    let value = match &value.value {
                        Value::Null => None,
                        Value::Bool(flag) => Some(flag.to_string()),
                        _ => match self.marked(value, &format!("`{}`", key.name)) {
                            Some(text) => Some(text.to_owned()),
                            None => continue,
                        },
                    };
                    pairs.push(Pair {
                        key: key.name.clone(),
                        value,
                        place: key.place.clone(),
                    });
                }
            }
            _ => self.wrong_kind(node, what, "a mapping or a list of KEY=value"),
        }
        pairs
    }

    /// A service's name.
    pub fn service_name(&self, text: &str, place: &Place) -> Option<ServiceName> {
        self.parsed(text.parse(), place)
    }

    /// The value of a result; its error is noted.
    pub fn parsed<T, E: Display>(&self, result: Result<T, E>, place: &Place) -> Option<T> {
        result
            .map_err(|error| self.fail(place, error.to_string()))
            .ok()
    }
}

/// The begin of a text, for an error message.
pub fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(60)
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
