//! From a Compose file to a stack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::check::{check, snapshots};
use super::dotenv::{self, Format};
use super::hosts::Hosts;
use super::interpolate::{Problem, interpolate};
use super::read::file::{File, file};
use super::read::reader::{Reader, shorten};
use super::read::service::Draft;
use super::variables::{Variables, closest};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::environment::{Isolation, ProviderKind};
use crate::model::stack::MountSource;
use crate::model::{EnvironmentName, Stack};
use crate::yaml::{self, Node, Place, Value};

/// The file beside a stack that its variables may come from.
const ENV_FILE: &str = ".env";

/// Where the text of a stack is.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a file. Relative paths in it start from its directory.
    File(PathBuf),
    /// In memory: a built-in template. Relative paths in it are errors.
    Text {
        /// What it is called in messages.
        name: String,
        /// The text.
        text: String,
    },
}

/// What is needed to read a stack.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The stack's text.
    pub source: Source,
    /// The environment's name, which `SEATBOX_NAME` is.
    pub environment: &'a EnvironmentName,
    /// Where the seats live, which says at which host a service is reached.
    pub provider: ProviderKind,
    /// How many seats run it, spares among them.
    pub seats: u32,
    /// `stack.variables` of the environment file.
    pub variables: &'a IndexMap<String, String>,
    /// The process environment; nothing here reads it by itself.
    pub process: &'a BTreeMap<String, String>,
    /// The selected profiles; `*` selects all.
    pub profiles: &'a [String],
    /// What the stack may loosen.
    pub isolation: &'a Isolation,
}

/// Reads a stack: interpolates it, reads every attribute and checks the whole.
///
/// # Errors
///
/// Everything that is wrong with it, each with its place. Nothing but the file, its `.env` and the
/// files that it names are read, and nothing is written.
pub fn load(request: &Request<'_>) -> Result<Stack, Diagnostics> {
    let one = |diagnostic: Diagnostic| Diagnostics::new(vec![diagnostic]);
    let (source, path) = match &request.source {
        Source::File(path) => (yaml::read(path).map_err(one)?, path.clone()),
        Source::Text { name, text } => (yaml::Source::new(name, text), PathBuf::from(name)),
    };
    let directory = match &request.source {
        Source::File(path) => Some(absolute_parent(path).map_err(one)?),
        Source::Text { .. } => None,
    };
    let mut root = yaml::parse(&Arc::new(source))?;
    let none = IndexMap::new();
    let hosts = Hosts::of(&root, request.provider);
    let bare = Variables {
        environment: request.environment,
        hosts: &hosts,
        stack: request.variables,
        process: request.process,
        dotenv: &none,
    };
    let mut problems = Vec::new();
    let beside = beside(directory.as_deref(), &bare, &mut problems);
    let variables = Variables {
        dotenv: &beside,
        ..bare
    };
    let r = Reader::new(
        variables,
        request.isolation,
        request.seats,
        directory.as_deref(),
    );
    interpolate_tree(&r, &mut root, 0);
    let file = file(&r, &root);
    let active = active(&r, &file, &root, request.profiles);
    check(&r, &file, &active);
    let mut stack = assemble(&file, &active, path);
    snapshots(&r, &stack, &active);
    if let Some(directory) = &directory {
        stack.sources.push(stack.file.clone());
        stack.sources.append(&mut r.files.borrow_mut());
        let beside = directory.join(ENV_FILE);
        if beside.exists() {
            stack.sources.push(beside);
        }
    }
    if !request.isolation.internet {
        close(&mut stack);
    }
    problems.extend(r.into_findings());
    Diagnostics::none_or(problems, stack)
}

fn absolute_parent(path: &Path) -> Result<PathBuf, Diagnostic> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::canonicalize(directory).map_err(|error| {
        let name = path.display().to_string();
        let message = format!("its directory can't be found: {error}");
        Diagnostic::new("file::unreadable", message, Place::File(name.into()))
    })
}

/// The variables of the `.env` beside the stack file, where there is one.
fn beside(
    directory: Option<&Path>,
    variables: &Variables<'_>,
    problems: &mut Vec<Diagnostic>,
) -> IndexMap<String, String> {
    let Some(path) = directory.map(|directory| directory.join(ENV_FILE)) else {
        return IndexMap::new();
    };
    if !path.exists() {
        return IndexMap::new();
    }
    let source = match yaml::read(&path) {
        Ok(source) => source,
        Err(diagnostic) => {
            problems.push(diagnostic);
            return IndexMap::new();
        }
    };
    match dotenv::parse(&source.text, Format::Compose, variables) {
        Ok(entries) => entries
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        Err(lines) => {
            // A place of the line would quote it, and what is in a `.env` may be secret.
            problems.extend(lines.into_iter().map(|line| {
                let message = format!("line {}: {}", line.line, line.problem.message);
                let place = Place::File(Arc::clone(&source.name));
                let diagnostic = Diagnostic::new("stack::variable", message, place);
                match line.problem.hint {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                }
            }));
            IndexMap::new()
        }
    }
}

/// Interpolates every string of the tree, but for extensions (`x-…`) at the top and in what has a
/// name there: where an anchor of one is used, its strings are interpolated.
fn interpolate_tree(r: &Reader<'_>, node: &mut Node, depth: usize) {
    match &mut node.value {
        Value::String(text) => match interpolate(text, &r.variables) {
            Ok(done) => *text = done,
            Err(problem) => {
                r.report_as("stack::variable", &node.place, problem);
                // What is left is valid in as many places as possible: the error is known.
                *text = text.replace(['$', '\u{2}', '\u{3}'], "");
            }
        },
        Value::Sequence(items) => {
            for item in items {
                interpolate_tree(r, item, depth + 1);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let extension = key.name.starts_with("x-") && key.name != "x-seatbox";
                if !(extension && (depth == 0 || depth == 2)) {
                    interpolate_tree(r, value, depth + 1);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn active<'f, 'n>(
    r: &Reader<'_>,
    file: &'f File<'n>,
    root: &Node,
    selected: &[String],
) -> Vec<&'f Draft<'n>> {
    let known = |profile: &str| {
        file.services
            .iter()
            .any(|draft| draft.profiles.iter().any(|other| other == profile))
    };
    let place = root.place_of(&["services".into()]);
    for profile in selected
        .iter()
        .filter(|profile| *profile != "*" && !known(profile))
    {
        let names = file.services.iter().flat_map(|draft| &draft.profiles);
        let hint = match closest(profile, names.map(String::as_str)) {
            Some(right) => format!("did you mean `{right}`?"),
            None => "profiles are named by `profiles` of a service".to_owned(),
        };
        let message = format!("no service has the selected profile `{}`", shorten(profile));
        r.report(&place, Problem::new(message).hint(hint));
    }
    let active: Vec<_> = file
        .services
        .iter()
        .filter(|draft| {
            draft.profiles.is_empty()
                || selected
                    .iter()
                    .any(|profile| profile == "*" || draft.profiles.contains(profile))
        })
        .collect();
    if active.is_empty() && !file.services.is_empty() {
        let hint = "select a profile in the environment file";
        r.fail_hint(
            &place,
            "every service belongs to a profile that is not selected",
            hint,
        );
    }
    active
}

/// The stack of the active services, with the networks and volumes that they use.
fn assemble(file: &File<'_>, active: &[&Draft<'_>], path: PathBuf) -> Stack {
    let mut stack = Stack {
        file: path,
        ..Stack::default()
    };
    for draft in active {
        let mut service = draft.service.clone();
        service.mounts = draft
            .mounts
            .iter()
            .map(|(mount, _)| mount.clone())
            .collect();
        service.files = draft.files.iter().map(|(file, _)| file.clone()).collect();
        stack.services.insert(service.name.clone(), service);
    }
    let uses_network = |name: &str| {
        stack
            .services
            .values()
            .any(|service| service.networks.contains_key(name))
    };
    for (name, network) in &file.networks {
        if uses_network(name) {
            stack.networks.insert(name.clone(), network.clone());
        }
    }
    if uses_network("default") && !stack.networks.contains_key("default") {
        stack
            .networks
            .insert("default".to_owned(), Default::default());
    }
    let uses_volume = |used: &str| {
        let mut mounts = stack.services.values().flat_map(|service| &service.mounts);
        mounts
            .any(|mount| matches!(&mount.source, MountSource::Volume { name, .. } if name == used))
    };
    for (name, volume) in &file.volumes {
        if uses_volume(name) {
            stack.volumes.insert(name.clone(), volume.clone());
        }
    }
    stack
}

/// Closes the way out: every network is internal, and an internal network publishes nothing.
fn close(stack: &mut Stack) {
    for network in stack.networks.values_mut() {
        network.internal = true;
    }
    for service in stack.services.values_mut() {
        service.ports.clear();
    }
}
