//! The stack that an environment names: a file beside it, or a built-in one.

use rust_embed::RustEmbed;

use super::checker::Checker;
use super::load::Overrides;
use super::raw::RawStack;
use crate::model::environment::{Isolation, ProviderKind, Seats};
use crate::model::{EnvironmentName, Stack};
use crate::{stack, yaml};

/// The stacks that come with the program.
#[derive(RustEmbed)]
#[folder = "templates/stacks"]
#[allow_missing = true]
struct Templates;

/// The text of a built-in stack.
pub fn template(name: &str) -> Option<String> {
    let file = Templates::get(&format!("{name}.yaml"))?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// What of the environment a stack is read with.
pub(super) struct Surroundings<'a> {
    /// Its name, if that is one.
    pub name: Option<&'a EnvironmentName>,
    /// Where the seats live.
    pub provider: ProviderKind,
    /// How many seats there are.
    pub seats: Seats,
    /// What the stack may loosen.
    pub isolation: &'a Isolation,
    /// What comes from outside the file.
    pub overrides: &'a Overrides,
}

/// Loads the stack. Its problems are added to the environment's own.
pub(super) fn load(
    c: &mut Checker<'_>,
    raw: Option<RawStack>,
    around: &Surroundings<'_>,
) -> Option<Stack> {
    let Some(raw) = raw else {
        c.missing("stack", "write for example `stack: compose.yaml`");
        return None;
    };
    let source = source(c, &raw)?;
    // A wrong name has been reported; the stack is read all the same, for its own problems.
    let stand_in;
    let environment = match around.name {
        Some(name) => name,
        None => {
            stand_in = "environment".parse().ok()?;
            &stand_in
        }
    };
    let loaded = stack::load(&stack::Request {
        source,
        environment,
        provider: around.provider,
        seats: around.seats.total(),
        variables: &raw.variables.unwrap_or_default(),
        process: &around.overrides.variables.iter().cloned().collect(),
        profiles: &raw.profiles.unwrap_or_default(),
        isolation: around.isolation,
    });
    match loaded {
        Ok(stack) => Some(stack),
        Err(problems) => {
            c.problems.extend(problems);
            None
        }
    }
}

fn source(c: &mut Checker<'_>, raw: &RawStack) -> Option<stack::Source> {
    let code = "environment::stack";
    match (&raw.file, &raw.template) {
        (Some(_), Some(_)) => {
            let message = "a stack is a file or a template, not both";
            c.problem("stack.template", code, message, "take one away");
            None
        }
        (Some(text), None) => {
            let path = c.path(text);
            match yaml::read(&path) {
                Ok(_) => Some(stack::Source::File(path)),
                Err(problem) => {
                    // In the environment file, where the wrong name is.
                    let message = format!("`{}`: {}", path.display(), problem.message);
                    let hint = "the path is relative to the environment file";
                    c.problem("stack.file", problem.code, message, hint);
                    None
                }
            }
        }
        (None, Some(name)) => {
            if let Some(text) = template(name) {
                let name = format!("template {name}");
                return Some(stack::Source::Text { name, text });
            }
            let known: Vec<String> = Templates::iter()
                .filter_map(|file| Some(file.strip_suffix(".yaml")?.to_owned()))
                .collect();
            let hint = yaml::fault::did_you_mean(name, known.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are: {}", known.join(", ")));
            c.problem(
                "stack.template",
                code,
                "there is no built-in stack of that name",
                &hint,
            );
            None
        }
        (None, None) => {
            if !c.has("stack.file") && !c.has("stack.template") {
                let hint = "give `file` or `template`";
                c.problem("stack", code, "it does not say which stack", hint);
            }
            None
        }
    }
}
