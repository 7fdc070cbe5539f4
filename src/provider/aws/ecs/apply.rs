//! Making tasks, and what they are made from.

use std::time::Duration;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, LaunchType,
    NetworkConfiguration,
};
use aws_sdk_iam::types::Tag as IamTag;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::observe::{is_foreign_cluster, named};
use super::roles::{PATH, POLICY, RoleKind, trust};
use super::task::is_shortage;
use super::{Task, TaskState, TaskWatch, definition, request, secrets};
use crate::engine::{Failure, FailureClass};
use crate::model::aws::Capacity;
use crate::model::{Environment, EnvironmentName};
use crate::plan::Key;
use crate::provider::aws::ids::Ids;
use crate::provider::aws::limits::{Action, Manner};
use crate::provider::aws::scheme::{
    AwsKind, AwsStep, DefinitionSpec, Marks, ParameterSpec, TaskSpec,
};
use crate::provider::aws::tags::{self, Tag};
use crate::provider::aws::{Session, names};
use crate::provider::docker::apply::seat_values;
use crate::secret::EventKey;

/// For how many days what tasks write is kept, should it be forgotten.
const RETENTION_DAYS: i32 = 7;
/// How RunTask says that there is nothing to run a task on.
const NO_INSTANCES: &str = "No Container Instances were found";
/// How long a role that was just made may be unknown to ECS.
const SPREADING: Duration = Duration::from_secs(60);
/// How many tasks that have ended AWS may give for one token before it is strange.
const MOST_TOKENS: usize = 20;

/// Makes tasks.
pub struct Maker<'a> {
    /// Where.
    pub session: &'a Session,
    /// For what.
    pub environment: &'a Environment,
    /// Where seats' secrets come from.
    pub key: &'a EventKey,
    /// What AWS calls what was found and made.
    pub ids: &'a Ids,
    /// Looks on at tasks.
    pub watch: &'a TaskWatch,
}

/// Tags in the form of a definition.
fn ecs_tags(tags: Vec<Tag>) -> Vec<definition::Tag> {
    let tag = |(key, value)| definition::Tag { key, value };
    tags.into_iter().map(tag).collect()
}

fn unbuilt(call: &'static str) -> impl Fn(aws_sdk_ecs::error::BuildError) -> Failure {
    move |error| Failure::new(FailureClass::Invalid, call, error.to_string())
}

/// The call that runs a task, as the limiter knows it.
pub const fn run_task(capacity: Capacity) -> Action {
    Action::ecs("RunTask").called(match capacity {
        Capacity::Fargate => Manner::Fargate,
        Capacity::FargateSpot => Manner::FargateSpot,
        Capacity::Ec2 => Manner::Plain,
    })
}

impl Maker<'_> {
    fn name(&self) -> &EnvironmentName {
        &self.environment.name
    }

    fn tags(&self, marks: &Marks) -> Vec<Tag> {
        tags::write(&marks.ownership(self.name()))
    }

    fn cluster(&self) -> String {
        names::shared(self.name())
    }

    /// Makes one step's call.
    pub async fn apply(&self, key: &Key<AwsKind>, step: &AwsStep) -> Result<(), Failure> {
        match step {
            AwsStep::CreateLogGroup(marks) => self.create_log_group(key, marks).await,
            AwsStep::Retain => self.retain(key).await,
            AwsStep::CreateRole(marks, _) => self.create_role(key, marks).await,
            AwsStep::Permit(kind) => self.permit(key, *kind).await,
            AwsStep::CreateCluster(marks) => self.create_cluster(key, marks).await,
            AwsStep::PutParameter(spec) => self.put_parameter(spec).await,
            AwsStep::Register(spec) => self.register(spec).await,
            AwsStep::RunTask(spec) => self.run_task(key, spec).await,
            AwsStep::AwaitTask(spec) => {
                let arn = self.ids.get(key)?;
                let (has_checks, patience) = (spec.has_checks, spec.patience);
                let cluster = self.cluster();
                self.watch
                    .ready(self.session, &cluster, &arn, has_checks, patience)
                    .await
            }
            _ => unreachable!("no step of a task"),
        }
    }

    /// What has a name of its own is there already where an earlier attempt or another run made it;
    /// or it is somebody else's, and carries our tags not.
    async fn or_ours(
        &self,
        created: Result<(), Failure>,
        key: &Key<AwsKind>,
    ) -> Result<(), Failure> {
        let failure = match created {
            Err(failure) if failure.class == FailureClass::Conflict => failure,
            result => return result,
        };
        let ours = named(self.session, key.kind, &key.name).await?;
        match ours.is_some_and(|ownership| ownership.environment == *self.name()) {
            true => Ok(()),
            false => Err(self.foreign(&failure.call, key)),
        }
    }

    fn foreign(&self, call: &str, key: &Key<AwsKind>) -> Failure {
        let message = format!("there is a {key} already, which does not carry our tags");
        Failure::new(FailureClass::Invalid, call, message)
            .with_hint("it is somebody else's: give the environment another name")
    }

    async fn create_log_group(&self, key: &Key<AwsKind>, marks: &Marks) -> Result<(), Failure> {
        let request = self
            .session
            .logs
            .create_log_group()
            .log_group_name(&*key.name);
        let request = request.set_tags(Some(self.tags(marks).into_iter().collect()));
        let created = self
            .session
            .call(Action::logs("CreateLogGroup"), move || {
                request.clone().send()
            })
            .await;
        self.or_ours(created.map(|_| ()), key).await
    }

    async fn retain(&self, key: &Key<AwsKind>) -> Result<(), Failure> {
        let request = self
            .session
            .logs
            .put_retention_policy()
            .log_group_name(&*key.name);
        let request = request.retention_in_days(RETENTION_DAYS);
        self.session
            .call(Action::logs("PutRetentionPolicy"), move || {
                request.clone().send()
            })
            .await
            .map(|_| ())
    }

    async fn create_role(&self, key: &Key<AwsKind>, marks: &Marks) -> Result<(), Failure> {
        let tag = |(key, value)| IamTag::builder().key(key).value(value).build();
        let tags: Result<Vec<IamTag>, _> = self.tags(marks).into_iter().map(tag).collect();
        let tags = tags.map_err(|error| {
            Failure::new(FailureClass::Invalid, "CreateRole", error.to_string())
        })?;
        let request = self
            .session
            .iam
            .create_role()
            .role_name(&*key.name)
            .path(PATH)
            .description("Tasks of a Seatbox environment")
            .assume_role_policy_document(trust(&self.session.account()))
            .set_tags(Some(tags));
        let created = self
            .session
            .call(Action::iam("CreateRole"), move || request.clone().send())
            .await;
        self.or_ours(created.map(|_| ()), key).await
    }

    async fn permit(&self, key: &Key<AwsKind>, kind: RoleKind) -> Result<(), Failure> {
        let policy = kind.policy(&self.session.account(), self.name());
        let request = self.session.iam.put_role_policy().role_name(&*key.name);
        let request = request.policy_name(POLICY).policy_document(policy);
        self.session
            .call(Action::iam("PutRolePolicy"), move || request.clone().send())
            .await
            .map(|_| ())
    }

    async fn create_cluster(&self, key: &Key<AwsKind>, marks: &Marks) -> Result<(), Failure> {
        // Asked to create what is there, ECS gives that, whoever's it is.
        if is_foreign_cluster(self.session, &key.name).await? {
            return Err(self.foreign("CreateCluster", key));
        }
        let mut request = self.session.ecs.create_cluster().cluster_name(&*key.name);
        if self.environment.ecs.capacity == Capacity::FargateSpot {
            request = request
                .capacity_providers("FARGATE")
                .capacity_providers("FARGATE_SPOT");
        }
        let request = request.set_tags(request::tags(ecs_tags(self.tags(marks))));
        self.session
            .call(Action::ecs("CreateCluster"), move || request.clone().send())
            .await
            .map(|_| ())
    }

    async fn put_parameter(&self, spec: &ParameterSpec) -> Result<(), Failure> {
        let values = seat_values(self.environment, self.key, spec.seat);
        let value = SecretString::from(spec.text.render(&values));
        secrets::put(self.session, self.name(), spec, &value).await
    }

    async fn register(&self, spec: &DefinitionSpec) -> Result<(), Failure> {
        const CALL: &str = "RegisterTaskDefinition";
        let mut definition = spec.definition.clone();
        definition.tags = ecs_tags(self.tags(&spec.marks));
        let request = request::register(definition).map_err(unbuilt(CALL))?;
        let sent = || request.clone().send_with(&self.session.ecs);
        self.session.call(Action::ecs(CALL), sent).await.map(|_| ())
    }

    fn network(&self) -> Result<NetworkConfiguration, Failure> {
        let name = self.name();
        let subnets: Vec<String> = (0..usize::from(self.environment.aws.zones))
            .map(|index| {
                let key = Key::new(AwsKind::Subnet, names::subnet(name, index));
                Ok(self.ids.get(&key)?.to_string())
            })
            .collect::<Result<_, Failure>>()?;
        let group = Key::new(AwsKind::SecurityGroup, names::shared(name));
        let configuration = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets))
            .security_groups(&*self.ids.get(&group)?)
            .assign_public_ip(match self.environment.ecs.capacity {
                Capacity::Fargate | Capacity::FargateSpot => AssignPublicIp::Enabled,
                // RunTask refuses another word: tasks on instances have private addresses alone.
                Capacity::Ec2 => AssignPublicIp::Disabled,
            })
            .build()
            .map_err(unbuilt("RunTask"))?;
        Ok(NetworkConfiguration::builder()
            .awsvpc_configuration(configuration)
            .build())
    }

    /// Runs a seat's task. The token is the same whoever asks while things are as they are, so that
    /// two runs at once have one task, and another one once that has ended.
    async fn run_task(&self, key: &Key<AwsKind>, spec: &TaskSpec) -> Result<(), Failure> {
        let mut dead: Vec<String> = Vec::new();
        for _ in 0..MOST_TOKENS {
            let token = self.token(key, spec, &dead);
            match self.request_task(spec, &token).await {
                Ok((arn, task)) if task.state != TaskState::Over => {
                    self.ids.note(key.clone(), arn);
                    return Ok(());
                }
                // The token of a task that has ended.
                Ok((arn, _)) => dead.push(arn),
                // Of one that was to be otherwise (its end has been moved since): another run's of
                // this moment, or one that has ended.
                Err(failure) if failure.class == FailureClass::Conflict => {
                    if self.is_running(&token).await? {
                        return Err(failure);
                    }
                    dead.push(token);
                }
                Err(failure) => return Err(failure),
            }
        }
        let message = "AWS gives tasks that have ended, again and again";
        Err(Failure::new(FailureClass::Conflict, "RunTask", message))
    }

    /// Whether a task runs that was made for this token.
    async fn is_running(&self, token: &str) -> Result<bool, Failure> {
        let request = self.session.ecs.list_tasks().cluster(self.cluster());
        let request = request.started_by(token);
        let action = Action::ecs("ListTasks");
        let answer = self.session.call(action, || request.clone().send()).await?;
        Ok(!answer.task_arns().is_empty())
    }

    fn token(&self, key: &Key<AwsKind>, spec: &TaskSpec, dead: &[String]) -> String {
        use sha2::{Digest as _, Sha256};
        let vpc = self
            .ids
            .get(&Key::new(AwsKind::Vpc, names::shared(self.name())));
        let mut hash = Sha256::new();
        let parts = [key.name.to_string(), spec.family.to_string()];
        let vpc = vpc.map(|id| id.to_string()).unwrap_or_default();
        for part in parts.iter().chain([&vpc]).chain(dead) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        // 64 characters at most, and as the name of who started it 36 (Amazon ECS API reference,
        // "RunTask").
        crate::hex(&hash.finalize()[..16])
    }

    /// What AWS gives for a token: the task that it made for it, now or before.
    async fn request_task(&self, spec: &TaskSpec, token: &str) -> Result<(String, Task), Failure> {
        const CALL: &str = "RunTask";
        let network = self.network()?;
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
        if let Some(refused) = answer.failures().first() {
            let reason = refused.reason().unwrap_or("no reason is given");
            let class = match is_shortage(reason) {
                true => FailureClass::Capacity,
                false => FailureClass::Invalid,
            };
            let detail = refused
                .detail()
                .map(|detail| format!(": {detail}"))
                .unwrap_or_default();
            return Err(Failure::new(class, CALL, format!("{reason}{detail}")));
        }
        let task = answer.tasks().first();
        let made = task.and_then(|task| Some((task.task_arn.clone()?, Task::read(task).0)));
        made.ok_or_else(|| Failure::new(FailureClass::Connection, CALL, "the answer names no task"))
    }
}
