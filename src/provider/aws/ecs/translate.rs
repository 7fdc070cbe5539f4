//! From a stack to the task definitions of its seats, and to what each task is started with.
//!
//! Nothing here asks for a secret's value: a definition refers to parameters, and whoever puts those
//! renders their texts.

use jiff::Timestamp;
use serde::Serialize;

use super::container::{Container, Volumes, Writing, parameter};
use super::definition::{ContainerOverride, Tag, TaskDefinition, Variable};
use super::parameters::{self, Account, Parameter, Purposes};
use super::size::TaskSize;
use super::template::{self, Context, DEADLINE, Deadline, Logs, TemplateError};
use super::unsupported::{Images, architecture, image_of, unsupported};
use crate::model::aws::Capacity;
use crate::model::id::MAX_SEATS;
use crate::model::{Environment, EnvironmentName, SeatNumber, SeatValues, SeatVariable, Text};
use crate::provider::aws::unsupported::Unsupported;

/// Raised whenever the same stack would make other tasks than before, so that `up` after an upgrade
/// of Seatbox makes them anew.
const SPECIFICATION_VERSION: u32 = 1;

/// What the container that ends a task runs unless told otherwise: from a registry that asks for no
/// login and has no limit inside AWS. Debian with curl, which signs what it asks of ECS; BusyBox has
/// nothing that does.
pub const DEADLINE_IMAGE: &str = "public.ecr.aws/docker/library/buildpack-deps:bookworm-curl";

/// What it may have, in MiB: curl takes 14 at its most over TLS, shells and small programs beside it
/// some 6. Whoever is over the limit is killed, and the task with them, so it is thrice as much.
const DEADLINE_MEMORY: u64 = 64;

/// What the names of log streams begin with; the container's name and the task's id follow.
pub const LOG_PREFIX: &str = "seat";

/// The variable that tells that container when the seat ends, as far as is known at its start.
const EXPIRES: &str = "SEATBOX_EXPIRES";

/// The most characters of RunTask's overrides, as JSON (API_TaskOverride).
const LONGEST_OVERRIDES: usize = 8192;

/// The most bytes of a task definition (Amazon ECS service quotas, "Task definition size").
const LARGEST_DEFINITION: usize = 64 * 1024;

/// What a translation is made from.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The environment, its stack read for ECS and hardened.
    pub environment: &'a Environment,
    /// The template of a task definition: [`template::built_in`], or one of the organizer's own.
    pub template: &'a str,
    /// Where in AWS.
    pub account: &'a Account,
    /// The ARN of the role that pulls images, writes logs and reads parameters.
    pub execution_role: Option<&'a str>,
    /// The ARN of the role that containers have; ECS Exec needs one.
    pub task_role: Option<&'a str>,
    /// The log group.
    pub log_group: &'a str,
    /// The images that run instead of those that the stack names.
    pub images: &'a Images,
    /// The image of the container that ends a task: [`DEADLINE_IMAGE`], or a mirror's.
    pub deadline_image: &'a str,
    /// The address of ECS, which that container asks for the task's end.
    pub ecs: &'a str,
    /// CPU units of a task, where it is not to have as many as its services together: Fargate's
    /// are reserved and paid for, where an engine's are a limit.
    pub cpu: Option<u32>,
    /// GiB of storage, 21 to 200; 20 where nothing is said.
    pub storage: Option<u32>,
}

/// How many seats have a definition, and what their tasks are started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// All seats have one definition, and all tasks are started alike: one call can start ten.
    Alike,
    /// All seats have one definition, and each task is started with its seat's own variables.
    Overrides,
    /// Each seat has a definition of its own: it has secrets, or a seat's own value elsewhere than
    /// in a variable.
    PerSeat,
}

/// Why there is no translation.
#[derive(Debug, thiserror::Error)]
pub enum TranslationError {
    /// The environment uses what a task can't do: all of it.
    #[error("a task can't do what the environment uses")]
    Unsupported(Vec<Unsupported>),
    /// The template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// A stack as a task.
#[derive(Debug)]
pub struct Translation {
    task: Task,
    specification: Specification,
}

#[derive(Debug)]
struct Task {
    environment: EnvironmentName,
    group_size: u32,
    size: TaskSize,
    sharing: Sharing,
    purposes: Purposes,
    containers: Vec<Container>,
    volumes: Vec<String>,
    launch_type: &'static str,
    architecture: &'static str,
    settings: Settings,
}

/// What is taken from a request as it is.
#[derive(Debug)]
struct Settings {
    template: String,
    account: Account,
    execution_role: Option<String>,
    task_role: Option<String>,
    log_group: String,
    deadline_image: String,
    ecs: String,
    deadline_script: String,
    storage: Option<u32>,
}

/// What a task is made from, to be hashed: variables and secrets are in it by their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Specification {
    version: u32,
    definition: TaskDefinition,
    overrides: Vec<ContainerOverride>,
    parameters: Purposes,
}

/// Whose values are written.
#[derive(Clone, Copy)]
enum Values {
    /// Nobody's: variables by their names.
    Names,
    /// A seat's.
    Seat { seat: SeatNumber, group: u32 },
}

impl Values {
    fn write(self, text: &Text) -> String {
        match self {
            Self::Names => text.to_compose(),
            Self::Seat { .. } => text.render(&self),
        }
    }

    /// The seat as it stands in names.
    fn seat(self) -> String {
        match self {
            Self::Names => Text::variable(SeatVariable::SeatPadded).to_compose(),
            Self::Seat { seat, .. } => seat.to_string(),
        }
    }
}

impl SeatValues for Values {
    fn value(&self, variable: &SeatVariable) -> String {
        match (self, variable) {
            (Self::Seat { seat, .. }, SeatVariable::Seat) => seat.get().to_string(),
            (Self::Seat { seat, .. }, SeatVariable::SeatPadded) => seat.to_string(),
            (Self::Seat { group, .. }, SeatVariable::Group) => group.to_string(),
            // Texts with a secret become parameters, and are not written here.
            (_, variable) => variable.name(),
        }
    }
}

/// The task of an environment's stack.
///
/// # Errors
///
/// All that the environment uses and a task can't do, or what is wrong with the template.
pub fn translate(request: &Request<'_>) -> Result<Translation, TranslationError> {
    let environment = request.environment;
    let mut found = unsupported(environment, request.images);
    let stack = &environment.stack;
    let volumes = Volumes::of(stack);
    let mut purposes = Purposes::default();
    let mut containers: Vec<Container> = stack
        .services
        .values()
        .map(|service| {
            let image = image_of(request.images, &service.image);
            Container::of(
                service,
                stack,
                &environment.limits,
                image,
                &volumes,
                &mut purposes,
            )
        })
        .collect();
    let size = size(request, &mut containers);
    let Some(size) = size.filter(|_| found.is_empty()) else {
        if size.is_none() {
            found.push(too_large());
        }
        return Err(TranslationError::Unsupported(found));
    };
    let platforms = stack
        .services
        .values()
        .flat_map(|service| &service.platform);
    let mut task = Task {
        environment: environment.name.clone(),
        group_size: environment.seats.group_size,
        size,
        sharing: sharing(&containers),
        purposes,
        containers,
        volumes: volumes.names().cloned().collect(),
        launch_type: match environment.ecs.capacity {
            Capacity::Fargate | Capacity::FargateSpot => "FARGATE",
            Capacity::Ec2 => "EC2",
        },
        architecture: platforms
            .filter_map(|platform| architecture(platform))
            .next()
            .unwrap_or("X86_64"),
        settings: Settings {
            template: request.template.to_owned(),
            account: request.account.clone(),
            execution_role: request.execution_role.map(str::to_owned),
            task_role: request.task_role.map(str::to_owned),
            log_group: request.log_group.to_owned(),
            deadline_image: request.deadline_image.to_owned(),
            ecs: request.ecs.to_owned(),
            deadline_script: template::deadline_script(),
            storage: request.storage,
        },
    };
    if task.longest_overrides() > LONGEST_OVERRIDES {
        task.sharing = Sharing::PerSeat;
    }
    let specification = Specification {
        version: SPECIFICATION_VERSION,
        definition: task.write(Values::Names, &[])?,
        overrides: task.seat_overrides(Values::Names),
        parameters: task.purposes.clone(),
    };
    let bytes = serde_json::to_string(&specification.definition);
    if bytes.is_ok_and(|json| json.len() > LARGEST_DEFINITION) {
        return Err(TranslationError::Unsupported(vec![Unsupported {
            service: None,
            what: format!("its task definition has more than {LARGEST_DEFINITION} bytes"),
            hint: "put long commands into the image".to_owned(),
        }]));
    }
    Ok(Translation {
        task,
        specification,
    })
}

/// The size of the task; containers that ask for more CPU than it has share that as they would have
/// shared more.
fn size(request: &Request<'_>, containers: &mut [Container]) -> Option<TaskSize> {
    let asked: u64 = containers.iter().map(Container::cpu).sum();
    let memory: u64 = containers.iter().map(Container::memory).sum();
    let given = request.cpu.filter(|cpu| TaskSize::has_cpu(*cpu));
    let size = TaskSize::of(given.map_or(asked, u64::from), memory + DEADLINE_MEMORY)?;
    let cpu = u64::from(size.cpu);
    if asked > cpu {
        for container in containers {
            container.scale_cpu(cpu, asked);
        }
    }
    Some(size)
}

fn too_large() -> Unsupported {
    let largest = TaskSize::all().last();
    let (cpu, memory) = largest.map_or((0, 0), |size| (size.cpu / 1024, size.memory / 1024));
    Unsupported {
        service: None,
        what: "its services together ask for more than a task can have".to_owned(),
        hint: format!("{cpu} vCPU and {memory} GiB at most: lower `cpus` and `mem_limit`"),
    }
}

fn sharing(containers: &[Container]) -> Sharing {
    if containers.iter().any(Container::is_one_seats) {
        Sharing::PerSeat
    } else if containers
        .iter()
        .any(|container| container.seat_variables().next().is_some())
    {
        Sharing::Overrides
    } else {
        Sharing::Alike
    }
}

impl Translation {
    /// How many definitions there are.
    pub fn sharing(&self) -> Sharing {
        self.task.sharing
    }

    /// How large a task is.
    pub fn size(&self) -> TaskSize {
        self.task.size
    }

    /// What a task is made from, for its fingerprint. The event key and tags are not in it.
    pub fn specification(&self) -> &Specification {
        &self.specification
    }

    /// The family of a seat's definition; where all seats share one, it is that.
    pub fn family(&self, seat: SeatNumber) -> String {
        self.task.family(&seat.to_string())
    }

    /// The parameters that each seat needs: what is rendered from their texts is secret.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.task.purposes.iter()
    }

    /// The name of a seat's parameter.
    pub fn parameter_name(&self, seat: SeatNumber, parameter: &Parameter<'_>) -> String {
        parameters::name(&self.task.environment, seat, parameter.purpose)
    }

    /// The definition of a seat's task; where all seats share one, it is that whatever the seat.
    ///
    /// # Errors
    ///
    /// What is wrong with the template, if it was not wrong before.
    pub fn definition(
        &self,
        seat: SeatNumber,
        tags: &[Tag],
    ) -> Result<TaskDefinition, TemplateError> {
        self.task.write(self.task.values(seat), tags)
    }

    /// What a seat's task is started with, so that it ends at `expires` unless its tag says later.
    pub fn overrides(&self, seat: SeatNumber, expires: Timestamp) -> Vec<ContainerOverride> {
        self.task.overrides(seat, expires)
    }
}

impl Task {
    /// An environment's name has no `_`, so no two environments have a family in common.
    fn family(&self, seat: &str) -> String {
        match self.sharing {
            Sharing::PerSeat => format!("seatbox-{}_{seat}", self.environment),
            Sharing::Alike | Sharing::Overrides => format!("seatbox-{}", self.environment),
        }
    }

    fn overrides(&self, seat: SeatNumber, expires: Timestamp) -> Vec<ContainerOverride> {
        let mut overrides = self.seat_overrides(self.values(seat));
        overrides.push(ContainerOverride {
            name: DEADLINE.to_owned(),
            environment: vec![Variable {
                name: EXPIRES.to_owned(),
                value: expires.to_string(),
            }],
        });
        overrides
    }

    fn values(&self, seat: SeatNumber) -> Values {
        let group = (seat.get() - 1) / self.group_size.max(1) + 1;
        Values::Seat { seat, group }
    }

    fn seat_overrides(&self, values: Values) -> Vec<ContainerOverride> {
        if self.sharing != Sharing::Overrides {
            return Vec::new();
        }
        let of = |container: &Container| ContainerOverride {
            name: container.name().to_owned(),
            environment: container
                .seat_variables()
                .map(|(name, text)| Variable {
                    name: name.clone(),
                    value: values.write(text),
                })
                .collect(),
        };
        let all = self.containers.iter().map(of);
        all.filter(|one| !one.environment.is_empty()).collect()
    }

    fn longest_overrides(&self) -> usize {
        let Some(last) = SeatNumber::new(MAX_SEATS) else {
            return 0;
        };
        let overrides = self.overrides(last, Timestamp::MAX);
        let json = serde_json::to_string(&serde_json::json!({ "containerOverrides": overrides }));
        json.map_or(usize::MAX, |json| json.chars().count())
    }

    fn write(&self, values: Values, tags: &[Tag]) -> Result<TaskDefinition, TemplateError> {
        let settings = &self.settings;
        let seat = values.seat();
        let prefix = parameters::prefix(&self.environment);
        let writing = Writing {
            text: &|text| values.write(text),
            parameter: &|purpose| parameter(&settings.account, &prefix, &seat, purpose),
            shared: self.sharing != Sharing::PerSeat,
        };
        let containers: Vec<_> = self
            .containers
            .iter()
            .map(|container| container.definition(&writing))
            .collect();
        let context = Context {
            family: &self.family(&seat),
            cpu: self.size.cpu,
            memory: self.size.memory,
            launch_type: self.launch_type,
            architecture: self.architecture,
            storage: settings.storage,
            execution_role: settings.execution_role.as_deref(),
            task_role: settings.task_role.as_deref(),
            containers: &containers,
            volumes: &self.volumes,
            deadline: Deadline {
                name: DEADLINE,
                image: &settings.deadline_image,
                memory: DEADLINE_MEMORY,
                script: &settings.deadline_script,
                region: &settings.account.region,
                ecs: &settings.ecs,
            },
            logs: Logs {
                group: &settings.log_group,
                region: &settings.account.region,
                prefix: LOG_PREFIX,
            },
            tags,
        };
        template::render(&settings.template, &context)
    }
}
