//! A command in a task, through ECS Exec.

use std::time::Duration;

use aws_sdk_ecs::types::{
    Container as DescribedContainer, ManagedAgentName, Session as Opened, Task as Described,
};
use aws_sdk_ssm::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::observe::{described, own_tags};
use super::{Task, TaskState, command_line, plugin};
use crate::engine::{Failure, FailureClass};
use crate::model::{EnvironmentName, SeatNumber, Service};
use crate::provider::aws::limits::Action;
use crate::provider::aws::{Session, names, tags};
use crate::provider::terminal;

const CALL: &str = "ExecuteCommand";

/// How long the agent of ECS Exec may take to begin: it is no part of a task's being there.
const BEGINNING: Duration = Duration::from_secs(60);

/// The pause between two looks at it.
const PAUSE: Duration = Duration::from_secs(2);

/// The container that a command is run in.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    task: String,
    container: String,
    /// As Systems Manager names it.
    name: String,
}

/// How the agent of ECS Exec is in a container.
#[derive(Debug, PartialEq, Eq)]
enum Agent {
    Running,
    Beginning,
}

/// Runs a command in a service of a seat, with this process's own input and output, and gives its exit
/// code; without a terminal the input stays out.
///
/// # Errors
/// There is no such task, nothing in it that runs commands, or no plugin that connects to it.
pub async fn attach(
    session: &Session,
    environment: &EnvironmentName,
    seat: SeatNumber,
    service: &Service,
    argv: &[String],
) -> Result<i64, Failure> {
    plugin::check().await?;
    let is_terminal = terminal::is_one();
    if !is_terminal && terminal::waiting_input() > 0 {
        return Err(
            refusal("ECS Exec passes no input on but that of a terminal")
                .with_hint("run it with `</dev/null`, or bring files there another way"),
        );
    }
    if service.read_only {
        let message = format!(
            "ECS Exec writes to a container's root file system, and that of {} is read-only",
            service.name
        );
        return Err(refusal(message));
    }
    let target = target(session, environment, seat, service.name.as_str()).await?;
    let directory = service.seatbox.workspace.as_deref();
    let mark = format!("seatbox-{:032x}", rand::random::<u128>());
    let command = match is_terminal {
        true => command_line::attended(argv, directory),
        false => command_line::marked(argv, directory, &mark),
    };
    let opened = open(session, environment, &target, &command).await?;
    let (id, stream, token) = parts(opened)
        .ok_or_else(|| Failure::new(FailureClass::Connection, CALL, "the answer has no session"))?;
    let connection = plugin::Session {
        id: &id,
        stream: &stream,
        token,
        region: &session.region,
        target: &target.name,
        endpoint: &endpoint(&session.region).await?,
    };
    match is_terminal {
        true => connection.attend().await,
        false => connection.read(&mark).await,
    }
}

fn refusal(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Invalid, CALL, message)
}

async fn open(
    session: &Session,
    environment: &EnvironmentName,
    target: &Target,
    command: &str,
) -> Result<Option<Opened>, Failure> {
    let request = session
        .ecs
        .execute_command()
        .cluster(names::shared(environment))
        .task(&target.task)
        .container(&target.container)
        .interactive(true)
        .command(command);
    let answer = session
        .call(Action::ecs("ExecuteCommand"), || request.clone().send())
        .await;
    // The agent runs and has lost Systems Manager, or never found it.
    let explain = |failure: Failure| {
        match failure.message.contains("TargetNotConnected") {
        true => failure.with_hint(
            "the task does not reach Systems Manager (ssmmessages), or not yet: try again in a minute",
        ),
        false => failure,
    }
    };
    Ok(answer.map_err(explain)?.session)
}

fn parts(opened: Option<Opened>) -> Option<(String, String, SecretString)> {
    let opened = opened?;
    let token = SecretString::from(opened.token_value?);
    Some((opened.session_id?, opened.stream_url?, token))
}

/// Systems Manager's address in a region, whatever the partition.
async fn endpoint(region: &str) -> Result<String, Failure> {
    let unknown = |error: String| refusal(format!("Systems Manager has no address: {error}"));
    let params = Params::builder().region(region).build();
    let params = params.map_err(|error| unknown(error.to_string()))?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await;
    let endpoint = endpoint.map_err(|error| unknown(error.to_string()))?;
    Ok(endpoint.url().to_owned())
}

/// The container of a service in a seat's task, once commands can be run in it.
async fn target(
    session: &Session,
    environment: &EnvironmentName,
    seat: SeatNumber,
    service: &str,
) -> Result<Target, Failure> {
    let cluster = names::shared(environment);
    let begun = Instant::now();
    loop {
        let tasks = described(session, &cluster).await?;
        let task = task_of(&tasks, environment, seat)?;
        let container = container_of(task, seat, service)?;
        match agent(task, container, seat)? {
            Agent::Running => return named(&cluster, task, container),
            Agent::Beginning if begun.elapsed() < BEGINNING => sleep(PAUSE).await,
            Agent::Beginning => {
                let message = format!("the agent of ECS Exec in {service} does not begin");
                return Err(Failure::new(FailureClass::Broken, CALL, message)
                    .with_hint("docs/aws.md says what it needs"));
            }
        }
    }
}

/// The task of a seat that runs.
fn task_of<'a>(
    tasks: &'a [Described],
    environment: &EnvironmentName,
    seat: SeatNumber,
) -> Result<&'a Described, Failure> {
    let is_meant = |task: &&Described| {
        let ownership = tags::read(&own_tags(task.tags.clone()), None);
        ownership.is_some_and(|ownership| {
            ownership.environment == *environment && ownership.owner.seat() == Some(seat)
        })
    };
    let own: Vec<&Described> = tasks.iter().filter(is_meant).collect();
    let state = |task: &Described| Task::read(task).0.state;
    if let Some(task) = own.iter().find(|task| state(task) == TaskState::Running) {
        return Ok(task);
    }
    let is_beginning = own.iter().any(|task| state(task) == TaskState::Starting);
    let (class, message) = match is_beginning {
        true => (FailureClass::Conflict, "its task has not begun yet"),
        false => (FailureClass::NotFound, "it has no task that runs"),
    };
    Err(Failure::new(class, CALL, format!("seat {seat}: {message}")))
}

fn container_of<'a>(
    task: &'a Described,
    seat: SeatNumber,
    service: &str,
) -> Result<&'a DescribedContainer, Failure> {
    let is_meant = |container: &&DescribedContainer| container.name() == Some(service);
    let container = task.containers().iter().find(is_meant).ok_or_else(|| {
        let message = format!("seat {seat}: its task has no container {service}");
        Failure::new(FailureClass::NotFound, CALL, message)
    })?;
    match container.last_status() {
        Some("RUNNING") => Ok(container),
        status => {
            let status = status.unwrap_or("unknown").to_ascii_lowercase();
            let message = format!("seat {seat}: {service} does not run ({status})");
            Err(Failure::new(FailureClass::Broken, CALL, message))
        }
    }
}

fn agent(
    task: &Described,
    container: &DescribedContainer,
    seat: SeatNumber,
) -> Result<Agent, Failure> {
    let anew = || {
        format!(
            "`seatbox reset --seats {} --workspace` makes it anew",
            seat.get()
        )
    };
    if !task.enable_execute_command {
        let message = format!("seat {seat}: its task was made without ECS Exec");
        return Err(refusal(message).with_hint(anew()));
    }
    let is_it = |agent: &&aws_sdk_ecs::types::ManagedAgent| {
        agent.name == Some(ManagedAgentName::ExecuteCommandAgent)
    };
    let agent = container.managed_agents().iter().find(is_it);
    match agent.and_then(|agent| agent.last_status()) {
        Some("RUNNING") => Ok(Agent::Running),
        Some("STOPPED") => {
            let reason = agent.and_then(|agent| agent.reason());
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            let message = format!("seat {seat}: the agent of ECS Exec has stopped{reason}");
            Err(Failure::new(FailureClass::Broken, CALL, message).with_hint(anew()))
        }
        _ => Ok(Agent::Beginning),
    }
}

fn named(
    cluster: &str,
    task: &Described,
    container: &DescribedContainer,
) -> Result<Target, Failure> {
    let target = || {
        let arn = task.task_arn()?;
        let id = arn.rsplit('/').next()?;
        Some(Target {
            task: arn.to_owned(),
            container: container.name()?.to_owned(),
            name: format!("ecs:{cluster}_{id}_{}", container.runtime_id()?),
        })
    };
    target().ok_or_else(|| {
        let message = "the task does not say which container it is";
        Failure::new(FailureClass::Connection, CALL, message)
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{ManagedAgent, Tag};

    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:task/seatbox-lab/0a1b";

    fn seat() -> SeatNumber {
        SeatNumber::new(7).unwrap()
    }

    fn lab() -> EnvironmentName {
        "lab".parse().unwrap()
    }

    /// A task of seat 7 whose agent is like this.
    fn task(status: &str, agent: &str) -> Described {
        let tag = |key: &str, value: &str| {
            Tag::builder()
                .key(format!("dev.seatbox.{key}"))
                .value(value)
                .build()
        };
        let agent = ManagedAgent::builder()
            .name(ManagedAgentName::ExecuteCommandAgent)
            .last_status(agent)
            .reason("no role");
        let container = DescribedContainer::builder()
            .name("work")
            .last_status("RUNNING")
            .runtime_id("0a1b-99")
            .managed_agents(agent.build());
        Described::builder()
            .task_arn(ARN)
            .last_status(status)
            .enable_execute_command(true)
            .containers(container.build())
            .tags(tag("environment", "lab"))
            .tags(tag("seat", "07"))
            .build()
    }

    #[test]
    fn a_container_is_named_as_systems_manager_names_it() {
        let task = task("RUNNING", "RUNNING");
        let container = container_of(&task, seat(), "work").unwrap();
        let target = named("seatbox-lab", &task, container).unwrap();
        assert_eq!(target.name, "ecs:seatbox-lab_0a1b_0a1b-99");
        assert_eq!((&*target.task, &*target.container), (ARN, "work"));
    }

    #[test]
    fn only_a_running_task_of_the_seats_own_is_taken() {
        let tasks = [task("PENDING", "PENDING"), task("RUNNING", "RUNNING")];
        let found = task_of(&tasks, &lab(), seat()).unwrap();
        assert_eq!(found.last_status(), Some("RUNNING"));
        let other = SeatNumber::new(8).unwrap();
        let failure = task_of(&tasks, &lab(), other).unwrap_err();
        assert_eq!(failure.class, FailureClass::NotFound);
        let failure = task_of(&tasks, &"other".parse().unwrap(), seat()).unwrap_err();
        assert_eq!(failure.class, FailureClass::NotFound);
        let failure = task_of(&tasks[..1], &lab(), seat()).unwrap_err();
        assert_eq!(failure.class, FailureClass::Conflict);
    }

    #[test]
    fn an_agent_that_has_stopped_says_why_and_one_that_begins_is_waited_for() {
        let state = |status: &str| {
            let task = task("RUNNING", status);
            agent(&task, &task.containers()[0], seat())
        };
        assert_eq!(state("RUNNING"), Ok(Agent::Running));
        assert_eq!(state("PENDING"), Ok(Agent::Beginning));
        let stopped = state("STOPPED").unwrap_err();
        assert!(stopped.message.contains("no role"), "{stopped}");
        let mut without = task("RUNNING", "RUNNING");
        without.enable_execute_command = false;
        let failure = agent(&without, &without.containers()[0], seat()).unwrap_err();
        assert!(failure.message.contains("without ECS Exec"), "{failure}");
    }

    #[tokio::test]
    async fn systems_managers_address_is_the_partitions() {
        for (region, address) in [
            ("eu-central-1", "https://ssm.eu-central-1.amazonaws.com"),
            ("cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn"),
        ] {
            assert_eq!(endpoint(region).await.unwrap(), address);
        }
    }
}
