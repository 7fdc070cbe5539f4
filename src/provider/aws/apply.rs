//! Making a plan's calls. Each can be made again when nobody knows whether it worked.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Session;
use super::ec2::{self, Launch, Launcher, Stacks, Watch, terminate};
use super::ecs::{self, Maker, TaskWatch};
use super::ids::Ids;
use super::network::{self, Builder};
use super::quotas::Quotas;
use super::scheme::{Aws, AwsKind, AwsStep, LaunchSpec};
use crate::engine::{Apply, Failure, Progress};
use crate::model::Environment;
use crate::plan::{Action, Fingerprint, Key, Operation};
use crate::provider::workspace::WorkspaceSource;
use crate::secret::EventKey;

/// How long a stack may take to go.
const STOPPING: Duration = Duration::from_secs(300);

/// Everything that calls on AWS need besides the plan.
pub struct Applier {
    /// Where.
    pub session: Session,
    /// The environment. `sweep` has none, and creates nothing.
    pub environment: Option<Arc<Environment>>,
    /// Where seats' secrets come from.
    pub key: Option<Arc<EventKey>>,
    /// What AWS calls what was found and made.
    pub ids: Ids,
    /// What launches have in common.
    pub launcher: Launcher,
    /// What nobody asks for again.
    pub quotas: Quotas,
    /// Looks on at instances.
    pub watch: Watch,
    /// Looks on at tasks.
    pub tasks: TaskWatch,
    /// The keys that instances showed when they were first reached.
    pub known_hosts: PathBuf,
    /// The workspace's first files, fetched when the first instance wants them.
    pub workspace: WorkspaceSource,
    /// What was asked for, be it answered or not.
    pub asked: Asked,
}

/// What this run has asked AWS to create.
#[derive(Debug, Default)]
pub struct Asked(Mutex<HashSet<Key<AwsKind>>>);

impl Asked {
    /// Notes that it is asked for, and says whether it was before.
    fn again(&self, key: &Key<AwsKind>) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !asked.insert(key.clone())
    }

    /// It was answered.
    fn answered(&self, key: &Key<AwsKind>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

impl Apply<Aws> for Applier {
    async fn apply(&self, action: &Action<Aws>, progress: &Progress) -> Result<(), Failure> {
        let step = match &action.operation {
            Operation::Delete(id) => return self.delete(action, id, progress).await,
            Operation::Bring(step) => step,
        };
        match step {
            AwsStep::Launch(_) | AwsStep::Mark(_) => self.alone(action, progress).await,
            AwsStep::AwaitRunning => {
                let id = self.ids.get(&action.key)?;
                self.watch
                    .running(&self.session, &self.environment().name, &id)
                    .await
            }
            AwsStep::Deliver(spec) => {
                let id = self.instance(&action.key)?;
                self.stacks().deliver(&id, spec, progress).await
            }
            AwsStep::StartStack(spec) => {
                let id = self.instance(&action.key)?;
                self.stacks().start(&id, spec).await
            }
            AwsStep::AwaitStack(spec) => {
                let id = self.instance(&action.key)?;
                self.stacks().ready(&id, spec, progress).await
            }
            AwsStep::CreateLogGroup(_)
            | AwsStep::Retain
            | AwsStep::CreateRole(..)
            | AwsStep::Permit(_)
            | AwsStep::CreateCluster(_)
            | AwsStep::PutParameter(_)
            | AwsStep::Register(_)
            | AwsStep::RunTask(_)
            | AwsStep::AwaitTask(_) => self.maker().apply(&action.key, step).await,
            step => self.build(action, step, progress).await,
        }
    }

    async fn apply_together(
        &self,
        actions: &[&Action<Aws>],
        progress: &Progress,
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        let deleted: Vec<&str> = actions
            .iter()
            .filter_map(|action| match &action.operation {
                Operation::Delete(id) => Some(&**id),
                Operation::Bring(_) => None,
            })
            .collect();
        if deleted.len() == actions.len() {
            if actions[0].key.kind == AwsKind::Parameter {
                return ecs::delete_parameters(&self.session, &deleted).await;
            }
            let environment = self
                .environment
                .as_ref()
                .map(|environment| &environment.name);
            return terminate(&self.session, environment, &deleted, &self.watch, progress).await;
        }
        match &actions[0].operation {
            Operation::Bring(AwsStep::Mark(print)) => self.mark(actions, print).await,
            _ => self.launch(actions).await,
        }
    }
}

impl Applier {
    /// The environment.
    pub(super) fn environment(&self) -> &Environment {
        self.environment
            .as_deref()
            .expect("only a plan made from an environment creates anything")
    }

    /// What makes tasks.
    fn maker(&self) -> Maker<'_> {
        Maker {
            session: &self.session,
            environment: self.environment(),
            key: self
                .key
                .as_deref()
                .expect("only a plan made with an event key makes seats"),
            ids: &self.ids,
            watch: &self.tasks,
            quotas: &self.quotas,
        }
    }

    /// What brings stacks to instances, and makes these seats.
    pub fn stacks(&self) -> Stacks<'_> {
        Stacks {
            session: &self.session,
            environment: self.environment(),
            key: self
                .key
                .as_deref()
                .expect("only a plan made with an event key makes seats"),
            known_hosts: self.known_hosts.clone(),
            watch: &self.watch,
            workspace: &self.workspace,
        }
    }

    /// The instance that a stack runs in.
    fn instance(&self, stack: &Key<AwsKind>) -> Result<Arc<str>, Failure> {
        self.ids
            .get(&Key::new(AwsKind::Instance, Arc::clone(&stack.name)))
    }

    async fn alone(&self, action: &Action<Aws>, progress: &Progress) -> Result<(), Failure> {
        let mut results = self.apply_together(&[action], progress).await?;
        results.pop().unwrap_or(Ok(()))
    }

    async fn delete(
        &self,
        action: &Action<Aws>,
        id: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        match (action.key.kind, action.owner.seat()) {
            (AwsKind::Instance | AwsKind::Parameter, _) => self.alone(action, progress).await,
            (AwsKind::Stack, Some(seat)) => self.stacks().remove(id, seat, STOPPING).await,
            (
                kind @ (AwsKind::Task
                | AwsKind::Definition
                | AwsKind::Role
                | AwsKind::LogGroup
                | AwsKind::Cluster),
                _,
            ) => ecs::delete(&self.session, kind, id, &self.tasks, progress).await,
            (kind, _) => network::delete(&self.session, kind, id, progress).await,
        }
    }

    async fn build(
        &self,
        action: &Action<Aws>,
        step: &AwsStep,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let builder = Builder {
            session: &self.session,
            environment: self.environment(),
            ids: &self.ids,
        };
        let again = self.asked.again(&action.key);
        let result = builder.apply(&action.key, step, again, progress).await;
        if result.is_ok() {
            self.asked.answered(&action.key);
        }
        result
    }

    async fn mark(
        &self,
        actions: &[&Action<Aws>],
        print: &Fingerprint,
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        let ids = actions.iter().map(|action| self.instance(&action.key));
        let ids: Vec<String> = ids
            .map(|id| Ok(id?.to_string()))
            .collect::<Result<_, _>>()?;
        ec2::mark(&self.session, &ids, print.as_str()).await?;
        Ok(vec![Ok(()); actions.len()])
    }

    async fn launch(&self, actions: &[&Action<Aws>]) -> Result<Vec<Result<(), Failure>>, Failure> {
        let specs: Vec<&LaunchSpec> = actions
            .iter()
            .filter_map(|action| match &action.operation {
                Operation::Bring(AwsStep::Launch(spec)) => Some(&**spec),
                _ => None,
            })
            .collect();
        let stacks = self.stacks();
        let launch = Launch {
            session: &self.session,
            environment: self.environment(),
            ids: &self.ids,
            stacks: &stacks,
            quotas: &self.quotas,
            short: self.watch.short(),
        };
        let launched = self.launcher.launch(&launch, &specs).await?;
        let note = |(action, result): (&&Action<Aws>, Result<Arc<str>, Failure>)| {
            result.map(|id| self.ids.note(action.key.clone(), id))
        };
        Ok(actions.iter().zip(launched).map(note).collect())
    }
}
