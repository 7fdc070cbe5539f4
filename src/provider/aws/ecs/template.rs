//! The template of a task definition.

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use rust_embed::RustEmbed;
use serde::Serialize;

use super::definition::{ContainerDefinition, Tag, TaskDefinition};

/// What comes with the program.
#[derive(RustEmbed)]
#[folder = "templates/ecs"]
#[allow_missing = true]
struct Templates;

/// The name of the container that ends its task when its time is over.
pub const DEADLINE: &str = "seatbox-deadline";

/// The file's name, in the program and in a directory of one's own.
pub const FILE: &str = "task-definition.json";

/// The template that comes with the program.
pub fn built_in() -> String {
    embedded(FILE)
}

/// What the container runs that ends its task when its time is over.
pub fn deadline_script() -> String {
    embedded("deadline.sh")
}

fn embedded(name: &str) -> String {
    let file = Templates::get(name);
    let text = file.and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    text.expect("the files of templates/ecs are in the program, and are text")
}

/// What a template is rendered with.
#[derive(Debug, Serialize)]
pub struct Context<'a> {
    /// What the definition's revisions have in common.
    pub family: &'a str,
    /// CPU units of the task.
    pub cpu: u32,
    /// MiB of the task.
    pub memory: u32,
    /// What runs it: `FARGATE` or `EC2`.
    pub launch_type: &'a str,
    /// `X86_64` or `ARM64`.
    pub architecture: &'a str,
    /// GiB, where there are to be more than usual.
    pub storage: Option<u32>,
    /// The ARN of the execution role.
    pub execution_role: Option<&'a str>,
    /// The ARN of the task's role.
    pub task_role: Option<&'a str>,
    /// The services.
    pub containers: &'a [ContainerDefinition],
    /// The names of the task's volumes.
    pub volumes: &'a [String],
    /// The container that ends the task when its time is over.
    pub deadline: Deadline<'a>,
    /// Where output goes.
    pub logs: Logs<'a>,
    /// Tags of the definition.
    pub tags: &'a [Tag],
}

/// The container that ends the task when its time is over.
#[derive(Debug, Serialize)]
pub struct Deadline<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its image, which has a shell, the small programs that Debian has, and curl.
    pub image: &'a str,
    /// MiB.
    pub memory: u64,
    /// What it runs.
    pub script: &'a str,
    /// The task's region.
    pub region: &'a str,
    /// The address of ECS there.
    pub ecs: &'a str,
}

/// Where output goes.
#[derive(Debug, Serialize)]
pub struct Logs<'a> {
    /// The log group.
    pub group: &'a str,
    /// Its region.
    pub region: &'a str,
    /// What the names of its streams begin with.
    pub prefix: &'a str,
}

/// Why a template gives no task definition.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It can't be rendered.
    #[error("the template of task definitions can't be rendered: {0}")]
    Render(#[from] Error),
    /// What it gives is not a task definition in JSON.
    #[error("the template of task definitions gives no task definition: {0}")]
    Json(#[from] serde_json::Error),
    /// A container that must be there is missing, or not what it must be.
    #[error("the template of task definitions {0}")]
    Content(String),
}

/// The task definition that `template` makes of `context`.
///
/// # Errors
///
/// Where the template can't be rendered, where it says something that is not in
/// [`TaskDefinition`], and where it leaves out a container.
pub fn render(template: &str, context: &Context<'_>) -> Result<TaskDefinition, TemplateError> {
    let mut environment = Environment::new();
    // A name that is written wrong is an error and not nothing.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("tojson", to_json);
    // The name has no ending by which values would be escaped: the template says how itself.
    let text = environment.render_named_str("task definition", template, Serde(context))?;
    let definition: TaskDefinition = serde_json::from_str(&text)?;
    check(&definition, context).map_err(TemplateError::Content)?;
    Ok(definition)
}

/// A value as JSON. The one of this name that minijinja has takes what is undefined for null.
fn to_json(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "there is no such value",
        ));
    }
    let json = serde_json::to_string(value);
    json.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A template of somebody's own may change much, but not what the rest relies on.
fn check(definition: &TaskDefinition, context: &Context<'_>) -> Result<(), String> {
    if definition.family != context.family {
        return Err(format!("must keep the family {}", context.family));
    }
    let containers = &definition.container_definitions;
    let services = context
        .containers
        .iter()
        .map(|service| service.name.as_str());
    for name in services.chain([DEADLINE]) {
        let mut those = containers.iter().filter(|container| container.name == name);
        let Some(container) = those.next() else {
            return Err(format!("has no container {name}"));
        };
        if name == DEADLINE && !container.essential {
            return Err(format!("must have {DEADLINE} end its task: `essential`"));
        }
        if those.next().is_some() {
            return Err(format!("has two containers {name}"));
        }
    }
    Ok(())
}
