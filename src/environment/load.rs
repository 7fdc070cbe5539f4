//! Loading an environment: every step, in order.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::checker::Checker;
use super::raw::RawEnvironment;
use super::{layers, resolve};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::Environment;
use crate::model::environment::ProviderKind;
use crate::yaml::{self, Node, Value};

/// What comes from outside the file.
#[derive(Debug, Clone)]
pub struct Overrides {
    /// The process environment. Variables like `SEATBOX__SEATS__COUNT` set values; all may be
    /// asked for by a stack.
    pub variables: Vec<(String, String)>,
    /// What `--set` was given: `seats.count=3`.
    pub set: Vec<String>,
    /// What `--provider` was given.
    pub provider: Option<ProviderKind>,
    /// The time, which decides whether an expiry is in the past; the earliest there is where that
    /// does not matter.
    pub now: Timestamp,
}

impl Overrides {
    /// Nothing but a process environment and the time.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, now: Timestamp) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            set: Vec::new(),
            provider: None,
            now,
        }
    }
}

/// An environment, and the tree it was read from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The environment.
    pub environment: Environment,
    /// All layers merged; it knows of every value where it comes from.
    pub tree: Node,
}

/// Loads the environment file at `path` with what lies above it.
///
/// # Errors
/// Everything that is wrong with the file, its stack, and the values from outside.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Loaded, Diagnostics> {
    let source = Arc::new(yaml::read(path)?);
    let file = yaml::parse(&source)?;
    match file.value {
        Value::Mapping(_) => {}
        Value::Null => {
            return Err(
                Diagnostic::new("file::empty", "the file is empty", file.place)
                    .with_hint("`seatbox init` writes one to begin with")
                    .into(),
            );
        }
        other => {
            let message = format!("expected a mapping, found {}", other.kind());
            return Err(Diagnostic::new("value::type", message, file.place).into());
        }
    }
    let (tree, mut problems) = layers::merge(file, overrides);
    check_version(&tree)?;
    let (raw, unreadable) = yaml::decode::<RawEnvironment>(&tree);
    problems.extend(unreadable);
    let base = path.parent().unwrap_or(Path::new(""));
    let checker = Checker::new(&tree, base, problems);
    let environment = resolve::environment(raw.unwrap_or_default(), checker, overrides)?;
    Ok(Loaded { environment, tree })
}

/// In a format that is not known, every other complaint would be noise.
fn check_version(tree: &Node) -> Result<(), Diagnostics> {
    match tree.get("version") {
        Some(node) if node.value != Value::Number("1".to_owned()) => {
            let message = "this version of the format is not known";
            Err(
                Diagnostic::new("environment::version", message, node.place.clone())
                    .with_hint("this seatbox reads `version: 1`")
                    .with_path(vec!["version".into()])
                    .into(),
            )
        }
        _ => Ok(()),
    }
}
