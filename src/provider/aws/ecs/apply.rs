//! Making tasks, and what they are made from.

use aws_sdk_iam::types::Tag as IamTag;
use secrecy::SecretString;

use super::observe::{is_foreign_cluster, named};
use super::roles::{PATH, POLICY, RoleKind, trust};
use super::{TaskWatch, definition, request, secrets};
use crate::engine::{Failure, FailureClass};
use crate::model::{Environment, EnvironmentName};
use crate::plan::Key;
use crate::provider::aws::ids::Ids;
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::known;
use crate::provider::aws::quotas::Quotas;
use crate::provider::aws::scheme::{AwsKind, AwsStep, DefinitionSpec, Marks, ParameterSpec};
use crate::provider::aws::tags::{self, Tag};
use crate::provider::aws::{Session, names};
use crate::provider::values::seat_values;
use crate::secret::EventKey;

/// For how many days what tasks write is kept, should it be forgotten.
const RETENTION_DAYS: i32 = 7;

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
    /// What nobody asks for again.
    pub quotas: &'a Quotas,
}

/// Tags in the form of a definition.
pub(super) fn ecs_tags(tags: Vec<Tag>) -> Vec<definition::Tag> {
    let tag = |(key, value)| definition::Tag { key, value };
    tags.into_iter().map(tag).collect()
}

pub(super) fn unbuilt(call: &'static str) -> impl Fn(aws_sdk_ecs::error::BuildError) -> Failure {
    move |error| Failure::new(FailureClass::Invalid, call, error.to_string())
}

impl Maker<'_> {
    pub(super) fn name(&self) -> &EnvironmentName {
        &self.environment.name
    }

    pub(super) fn tags(&self, marks: &Marks) -> Vec<Tag> {
        tags::write(&marks.ownership(self.name()))
    }

    pub(super) fn cluster(&self) -> String {
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
            AwsStep::AwaitTask(spec) => self.await_task(key, spec).await,
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
        // What is new may be unknown to some of AWS for a while, even if it is in the way.
        let ours = known(|| named(self.session, key.kind, &key.name)).await?;
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
        let action = Action::logs("PutRetentionPolicy");
        let call = || self.session.call(action, || request.clone().send());
        known(call).await.map(|_| ())
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
        let action = Action::iam("PutRolePolicy");
        let call = || self.session.call(action, || request.clone().send());
        known(call).await.map(|_| ())
    }

    async fn create_cluster(&self, key: &Key<AwsKind>, marks: &Marks) -> Result<(), Failure> {
        // Asked to create what is there, ECS gives that, whoever's it is.
        if is_foreign_cluster(self.session, &key.name).await? {
            return Err(self.foreign("CreateCluster", key));
        }
        let request = self.session.ecs.create_cluster().cluster_name(&*key.name);
        // Both, for a cluster stays where seats move from one to the other.
        let request = request
            .capacity_providers("FARGATE")
            .capacity_providers("FARGATE_SPOT");
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
}
