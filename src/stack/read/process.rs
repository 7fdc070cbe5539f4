//! What a service runs, with which environment, and how its health is seen.

use indexmap::IndexMap;

use super::files::read_bounded;
use super::reader::Reader;
use crate::model::Text;
use crate::model::stack::Healthcheck;
use crate::stack::dotenv::{self, Format};
use crate::stack::interpolate::{Problem, refuse_marks, unset};
use crate::stack::variables::Found;
use crate::yaml::{Node, Place, Value};

/// `command` or `entrypoint`: a list, or a string that is split as a shell splits words.
/// Null leaves the image's.
pub fn command(r: &Reader<'_>, node: &Node, what: &str) -> Option<Vec<Text>> {
    match &node.value {
        Value::Null => None,
        Value::Sequence(items) => items.iter().map(|item| r.text(item, what)).collect(),
        _ => {
            let text = r.marked(node, what)?;
            match shell_words::split(text) {
                Ok(words) => words
                    .iter()
                    .map(|word| Text::from_marked(word))
                    .map(|word| r.open(&word, &node.place, what).then_some(word))
                    .collect(),
                Err(_) => {
                    let hint = "write it as a list";
                    r.fail_hint(
                        &node.place,
                        format!("a quote in {what} is not closed"),
                        hint,
                    );
                    None
                }
            }
        }
    }
}

/// `environment`: a map or a list. A name alone has the lookup's value.
pub fn environment(r: &Reader<'_>, node: &Node) -> IndexMap<String, Text> {
    let mut environment = IndexMap::new();
    for pair in r.pairs(node, "environment", &['=']) {
        if let Err(problem) = dotenv::check_name(&pair.key) {
            r.report(&pair.place, problem);
        } else if let Some(text) = value(r, &pair.place, &pair.key, pair.value) {
            environment.insert(pair.key, text);
        }
    }
    environment
}

fn value(r: &Reader<'_>, place: &Place, name: &str, value: Option<String>) -> Option<Text> {
    match value {
        Some(value) => Some(Text::from_marked(&value)),
        None => lookup(r, place, name),
    }
}

/// The value of the variable `name`; an error where it is unset.
pub fn lookup(r: &Reader<'_>, place: &Place, name: &str) -> Option<Text> {
    match r.variables.find(name) {
        Ok(Found::Value(value)) => match refuse_marks(value) {
            Ok(()) => Some(Text::literal(value)),
            Err(problem) => {
                r.report(place, problem);
                None
            }
        },
        Ok(Found::Marked(value)) => Some(Text::from_marked(value)),
        Ok(Found::Seat(variable)) => Some(Text::variable(variable)),
        Ok(Found::Unset) => {
            r.report_as("stack::variable", place, unset(name));
            None
        }
        Err(problem) => {
            r.report(place, problem);
            None
        }
    }
}

/// `env_file`: a path, or a list of paths and of `{path, required, format}`. Later files win.
pub fn env_files(r: &Reader<'_>, node: &Node) -> IndexMap<String, Text> {
    let mut environment = IndexMap::new();
    let items = match &node.value {
        Value::Mapping(_) => std::slice::from_ref(node),
        _ => r.list_or_one(node, "env_file"),
    };
    for item in items {
        if let Value::Mapping(_) = &item.value {
            env_file_entry(r, item, &mut environment);
        } else if let Some(path) = r.word(item, "env_file") {
            env_file(
                r,
                &item.place,
                path,
                true,
                Format::Compose,
                &mut environment,
            );
        }
    }
    environment
}

fn env_file_entry(r: &Reader<'_>, node: &Node, into: &mut IndexMap<String, Text>) {
    let (mut path, mut required, mut format) = (None, true, Format::Compose);
    for (key, place, value) in r.mapping(node, "env_file").unwrap_or_default() {
        match key {
            "path" => path = r.word(value, "`path`"),
            "required" => required = r.boolean(value, "`required`").unwrap_or(true),
            "format" => match r.plain(value, "`format`") {
                Some("raw") => format = Format::Raw,
                Some(_) => r.fail(&value.place, "`format` can only be `raw`"),
                None => {}
            },
            _ => r.unknown_key(place, "an env_file", key, &["path", "required", "format"]),
        }
    }
    match path {
        Some(path) => env_file(r, &node.place, path, required, format, into),
        None => r.fail(&node.place, "this env_file has no `path`"),
    }
}

fn env_file(
    r: &Reader<'_>,
    place: &Place,
    path: &str,
    required: bool,
    format: Format,
    into: &mut IndexMap<String, Text>,
) {
    let Some(full) = r.host_path(path, place) else {
        return;
    };
    if !required && !full.exists() {
        return;
    }
    let Some(bytes) = read_bounded(r, place, &full) else {
        return;
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return r.fail(place, format!("`{path}` is not UTF-8 text"));
    };
    match dotenv::parse(&text, format, &r.variables) {
        Ok(entries) => {
            for (name, content) in entries {
                if let Some(text) = value(r, place, &name, content) {
                    into.insert(name, text);
                }
            }
        }
        Err(problems) => {
            for problem in problems {
                let line = problem.line;
                let Problem { message, hint } = problem.problem;
                let message = format!("line {line} of `{path}`: {message}");
                r.report(place, Problem { message, hint });
            }
        }
    }
}

/// `healthcheck`.
pub fn healthcheck(r: &Reader<'_>, node: &Node) -> Option<Healthcheck> {
    const KNOWN: [&str; 6] = [
        "test",
        "disable",
        "interval",
        "timeout",
        "retries",
        "start_period",
    ];
    let mut check = Healthcheck {
        test: Vec::new(),
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
    };
    let mut disabled = false;
    for (key, place, value) in r.mapping(node, "healthcheck")? {
        match key {
            "test" => check.test = health_test(r, value),
            "disable" => disabled = r.boolean(value, "`disable`").unwrap_or(false),
            "interval" => check.interval = engine_time(r, value, "`interval`"),
            "timeout" => check.timeout = engine_time(r, value, "`timeout`"),
            "retries" => check.retries = r.number(value, "`retries`", "a number from 0"),
            "start_period" => check.start_period = engine_time(r, value, "`start_period`"),
            "start_interval" => r.fail_hint(
                place,
                "`start_interval` is not supported in a healthcheck",
                "engines before 25 don't know it, and Seatbox probes a starting service itself; \
                 leave it out",
            ),
            _ => r.unknown_key(place, "a healthcheck", key, &KNOWN),
        }
    }
    if disabled {
        check.test = vec![Text::literal("NONE")];
    }
    Some(check)
}

/// A duration that the engine takes for a health check: 0 (its default), or a millisecond at
/// least (moby, `daemon/health.go`).
fn engine_time(r: &Reader<'_>, node: &Node, what: &str) -> Option<std::time::Duration> {
    let duration = r.duration(node, what)?;
    if duration.as_nanos() > 0 && duration.as_millis() == 0 {
        r.fail(&node.place, format!("{what} must be 1ms at least"));
        return None;
    }
    Some(duration)
}

/// A command to be run in the container, in the form of a health check: a string goes to the shell,
/// a list is a program with its arguments.
pub fn shell_or_list(r: &Reader<'_>, node: &Node, what: &str) -> Vec<Text> {
    let Value::Sequence(items) = &node.value else {
        return match r.text(node, what) {
            Some(shell) => vec![Text::literal("CMD-SHELL"), shell],
            None => Vec::new(),
        };
    };
    if items.is_empty() {
        r.fail(&node.place, format!("{what} must be a command"));
    }
    let words = items.iter().filter_map(|item| r.text(item, what));
    std::iter::once(Text::literal("CMD")).chain(words).collect()
}

fn health_test(r: &Reader<'_>, node: &Node) -> Vec<Text> {
    let Value::Sequence(items) = &node.value else {
        return shell_or_list(r, node, "`test`");
    };
    let test: Vec<Text> = items
        .iter()
        .filter_map(|item| r.text(item, "`test`"))
        .collect();
    let fine = match test.first().and_then(Text::as_literal) {
        Some("NONE") => test.len() == 1,
        Some("CMD") => test.len() > 1,
        Some("CMD-SHELL") => test.len() == 2,
        _ => false,
    };
    if !fine && test.len() == items.len() {
        r.fail_hint(
            &node.place,
            "a healthcheck's test must be [CMD, program, …], [CMD-SHELL, command] or [NONE]",
            "a string is taken as CMD-SHELL",
        );
    }
    test
}
