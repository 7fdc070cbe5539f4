//! Running tasks: each once, and where there is room for it.

use std::time::Duration;

use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, LaunchType,
    NetworkConfiguration,
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::apply::{Maker, ecs_tags, unbuilt};
use super::observe::describe;
use super::size::UNITS_PER_CPU;
use super::{Task, TaskState, request};
use crate::engine::{Failure, FailureClass};
use crate::model::aws::Capacity;
use crate::plan::Key;
use crate::provider::aws::errors::in_words;
use crate::provider::aws::limits::{Action, Manner};
use crate::provider::aws::names;
use crate::provider::aws::network::until;
use crate::provider::aws::preflight::fargate_quota;
use crate::provider::aws::scheme::{AwsKind, TaskSpec};

const CALL: &str = "RunTask";
/// How RunTask says that there is nothing to run a task on.
const NO_INSTANCES: &str = "No Container Instances were found";
/// How long a role that was just made may be unknown to ECS.
const SPREADING: Duration = Duration::from_secs(60);
/// How many tasks of a seat that have ended are gone through, each of which AWS gives for its token.
const MOST_ENDED: usize = 20;
/// How exactly AWS's clocks say whether a task is older than a session.
const TICK: SignedDuration = SignedDuration::from_secs(1);
/// How long a task may be unknown that was just made.
const UNSEEN: Duration = Duration::from_secs(30);

/// What AWS gives for a token: the task that it made for it, now or before.
struct Made {
    arn: String,
    task: Task,
    created: Option<Timestamp>,
}

/// The call that runs a task, as the limiter knows it.
pub const fn run_task(capacity: Capacity) -> Action {
    Action::ecs(CALL).called(match capacity {
        Capacity::Fargate => Manner::Fargate,
        Capacity::FargateSpot => Manner::FargateSpot,
        Capacity::Ec2 => Manner::Plain,
    })
}

impl Maker<'_> {
    /// Runs a seat's task, in the first place that has room for it.
    pub(super) async fn run_task(
        &self,
        key: &Key<AwsKind>,
        spec: &TaskSpec,
    ) -> Result<(), Failure> {
        let mut result = Ok(());
        for subnets in self.places(spec)? {
            result = self.run_in(key, spec, &subnets).await;
            if !is_short(&result) {
                break;
            }
        }
        result
    }

    /// Waits until a task is ready. One for which there was room when it was asked for, and none when
    /// it was to begin, is run in another place.
    pub(super) async fn await_task(
        &self,
        key: &Key<AwsKind>,
        spec: &TaskSpec,
    ) -> Result<(), Failure> {
        let mut result = self.ready(key, spec).await;
        if !is_short(&result) {
            return result;
        }
        for subnets in self.places(spec)?.into_iter().skip(1) {
            // It is seldom needed, and waits beside many others.
            result = match Box::pin(self.run_in(key, spec, &subnets)).await {
                Ok(()) => self.ready(key, spec).await,
                refused => refused,
            };
            if !is_short(&result) {
                break;
            }
        }
        result
    }

    async fn ready(&self, key: &Key<AwsKind>, spec: &TaskSpec) -> Result<(), Failure> {
        let (arn, cluster) = (self.ids.get(key)?, self.cluster());
        let (has_checks, patience) = (spec.has_checks, spec.patience);
        self.watch
            .ready(self.session, &cluster, &arn, has_checks, patience)
            .await
    }

    /// Where a task may run, by its subnets: in a zone of AWS's choice, or in one after the other where
    /// there is no room, each seat beginning with another one. Where instances of one's own have none,
    /// another zone has none either: they were all looked at.
    fn places(&self, spec: &TaskSpec) -> Result<Vec<Vec<String>>, Failure> {
        let name = self.name();
        let zones = usize::from(self.environment.aws.zones);
        let subnets: Vec<String> = (0..zones)
            .map(|index| {
                let key = Key::new(AwsKind::Subnet, names::subnet(name, index));
                Ok(self.ids.get(&key)?.to_string())
            })
            .collect::<Result<_, Failure>>()?;
        let mut each: Vec<Vec<String>> = match self.environment.ecs.capacity {
            Capacity::Fargate | Capacity::FargateSpot if zones > 1 => {
                subnets.iter().map(|subnet| vec![subnet.clone()]).collect()
            }
            _ => Vec::new(),
        };
        if let Some(seat) = spec.marks.owner.seat().filter(|_| !each.is_empty()) {
            let count = each.len();
            each.rotate_left(seat.index() % count);
        }
        each.insert(0, subnets);
        Ok(each)
    }

    /// Runs a seat's task in some of these subnets. The token is the same whoever asks while things are
    /// as they are, so that two runs at once have one task, and another one once that has ended.
    async fn run_in(
        &self,
        key: &Key<AwsKind>,
        spec: &TaskSpec,
        subnets: &[String],
    ) -> Result<(), Failure> {
        let mut dead: Vec<String> = Vec::new();
        loop {
            if let Some(failure) = self.quotas.used_up() {
                return Err(failure);
            }
            match dead.len() {
                ..MOST_ENDED => {}
                // Nobody else is at it, or there would be one that runs.
                MOST_ENDED => dead.push(this_moment()),
                _ => {
                    let message = "AWS gives tasks that have ended, again and again";
                    return Err(Failure::new(FailureClass::Conflict, CALL, message));
                }
            }
            let token = self.token(key, spec, subnets, &dead);
            match self.request_task(spec, subnets, &token).await {
                Ok(made) if self.runs(&made).await? => {
                    self.ids.note(key.clone(), made.arn);
                    return Ok(());
                }
                // The token of a task that has ended.
                Ok(made) => dead.push(made.arn),
                // Of one that was to be otherwise (its end has been moved since): another run's of
                // this moment, or one that has ended.
                Err(failure) if failure.class == FailureClass::Conflict => {
                    if self.is_running(&token).await? {
                        return Err(failure);
                    }
                    dead.push(token);
                }
                Err(failure) if failure.class == FailureClass::Quota => {
                    let failure = self.explained(failure, spec);
                    self.quotas.note(&failure);
                    return Err(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Whether a task runs, or is about to. The answer for a token that was used before is that of
    /// then ("Ensuring idempotency" in the Amazon ECS API reference).
    async fn runs(&self, made: &Made) -> Result<bool, Failure> {
        let begun = self.session.clocks.engine;
        let is_new = |at| begun.checked_add(TICK).is_ok_and(|begun| at > begun);
        if made.task.state == TaskState::Over || made.created.is_some_and(is_new) {
            return Ok(made.task.state != TaskState::Over);
        }
        let arns = [made.arn.clone()];
        let look = || async {
            let found = describe(self.session, &self.cluster(), &arns).await?;
            let unknown = || Failure::new(FailureClass::NotFound, CALL, "ECS does not know it");
            let described = found.first().ok_or_else(unknown)?;
            Ok(Task::read(described).0.state)
        };
        match until(look, FailureClass::NotFound, UNSEEN).await {
            Ok(state) => Ok(state != TaskState::Over),
            // It is so old that ECS has forgotten it, and not too new to be seen.
            Err(failure) if failure.class == FailureClass::NotFound => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Whether a task runs that was made for this token.
    async fn is_running(&self, token: &str) -> Result<bool, Failure> {
        let request = self.session.ecs.list_tasks().cluster(self.cluster());
        let request = request.started_by(token);
        let action = Action::ecs("ListTasks");
        let answer = self.session.call(action, || request.clone().send()).await?;
        Ok(!answer.task_arns().is_empty())
    }

    fn token(
        &self,
        key: &Key<AwsKind>,
        spec: &TaskSpec,
        subnets: &[String],
        dead: &[String],
    ) -> String {
        let mut hash = Sha256::new();
        let parts = [key.name.to_string(), spec.family.to_string()];
        let before = spec.before.iter().map(|arn| &**arn);
        let texts = parts.iter().chain(subnets).map(String::as_str);
        for part in texts.chain(before).chain(dead.iter().map(String::as_str)) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        // 64 characters at most, and as the name of who started it 36 (Amazon ECS API reference,
        // "RunTask").
        crate::hex(&hash.finalize()[..16])
    }

    /// Asks for a task.
    async fn request_task(
        &self,
        spec: &TaskSpec,
        subnets: &[String],
        token: &str,
    ) -> Result<Made, Failure> {
        let network = self.network(subnets)?;
        let begun = Instant::now();
        let answer = loop {
            let mut request = self
                .session
                .ecs
                .run_task()
                .cluster(self.cluster())
                .task_definition(&*spec.family)
                .client_token(token)
                .started_by(token)
                .enable_execute_command(true)
                .network_configuration(network.clone())
                .overrides(request::overrides(spec.overrides.clone()))
                .set_tags(request::tags(ecs_tags(self.tags(&spec.marks))));
            request = match self.environment.ecs.capacity {
                Capacity::Fargate => request.launch_type(LaunchType::Fargate),
                Capacity::Ec2 => request.launch_type(LaunchType::Ec2),
                Capacity::FargateSpot => {
                    let spot = CapacityProviderStrategyItem::builder();
                    let spot = spot.capacity_provider("FARGATE_SPOT").weight(1).build();
                    request.capacity_provider_strategy(spot.map_err(unbuilt(CALL))?)
                }
            };
            let action = run_task(self.environment.ecs.capacity);
            match self.session.call(action, || request.clone().send()).await {
                Err(failure) if failure.message.contains(NO_INSTANCES) => {
                    return Err(Failure {
                        class: FailureClass::Capacity,
                        ..failure
                    }
                    .with_hint("add container instances to the cluster: docs/aws.md"));
                }
                // A role or a definition that was just made may be unknown for some seconds.
                Err(failure)
                    if matches!(
                        failure.class,
                        FailureClass::Invalid | FailureClass::NotFound
                    ) && begun.elapsed() < SPREADING
                        && self.ids.is_young(begun) =>
                {
                    sleep(Duration::from_secs(2)).await;
                }
                result => break result?,
            }
        };
        made(&answer)
    }

    fn network(&self, subnets: &[String]) -> Result<NetworkConfiguration, Failure> {
        let group = Key::new(AwsKind::SecurityGroup, names::shared(self.name()));
        let configuration = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets.to_vec()))
            .security_groups(&*self.ids.get(&group)?)
            .assign_public_ip(match self.environment.ecs.capacity {
                Capacity::Fargate | Capacity::FargateSpot => AssignPublicIp::Enabled,
                // RunTask refuses another word: tasks on instances have private addresses alone.
                Capacity::Ec2 => AssignPublicIp::Disabled,
            })
            .build()
            .map_err(unbuilt(CALL))?;
        Ok(NetworkConfiguration::builder()
            .awsvpc_configuration(configuration)
            .build())
    }

    /// A quota's failure, with its name and how much all seats need of it: AWS names neither.
    fn explained(&self, failure: Failure, spec: &TaskSpec) -> Failure {
        let Some(quota) = fargate_quota(self.environment.ecs.capacity) else {
            return failure;
        };
        let seats = self.environment.seats.total();
        let needed = (u64::from(seats) * u64::from(spec.cpu)).div_ceil(UNITS_PER_CPU);
        let need = format!("{seats} seats need {needed} {}", quota.unit);
        failure.with_hint(quota.ask_for_more(&need))
    }
}

/// A text that no other run has.
fn this_moment() -> String {
    format!(
        "{} {}",
        std::process::id(),
        Timestamp::now().as_nanosecond()
    )
}

fn is_short(result: &Result<(), Failure>) -> bool {
    matches!(result, Err(failure) if failure.class == FailureClass::Capacity)
}

/// The one task of an answer, or why there is none.
fn made(answer: &RunTaskOutput) -> Result<Made, Failure> {
    if let Some(refused) = answer.failures().first() {
        let reason = refused.reason().unwrap_or("no reason is given");
        let class = in_words(reason).unwrap_or(FailureClass::Invalid);
        let detail = refused
            .detail()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        return Err(Failure::new(class, CALL, format!("{reason}{detail}")));
    }
    let made = answer.tasks().first().and_then(|task| {
        let created = task.created_at().and_then(|at| at.to_millis().ok());
        Some(Made {
            arn: task.task_arn.clone()?,
            task: Task::read(task).0,
            created: created.and_then(|at| Timestamp::from_millisecond(at).ok()),
        })
    });
    made.ok_or_else(|| Failure::new(FailureClass::Connection, CALL, "the answer names no task"))
}
