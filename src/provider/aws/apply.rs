//! Making a plan's calls. Each can be made again when nobody knows whether it worked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::Session;
use super::ec2::Launch;
use super::ec2::{Launcher, Watch, terminate};
use super::ids::Ids;
use super::network::{self, Builder};
use super::scheme::{Aws, AwsKind, AwsStep, LaunchSpec};
use crate::engine::{Apply, Failure, Progress};
use crate::model::{Environment, SeatNumber};
use crate::plan::{Action, Key, Operation};
use crate::secret::EventKey;

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
    /// Looks on at instances.
    pub watch: Watch,
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
        let mut results = match &action.operation {
            Operation::Delete(id) if action.key.kind != AwsKind::Instance => {
                return network::delete(&self.session, action.key.kind, id, progress).await;
            }
            Operation::Bring(AwsStep::AwaitRunning) => {
                let id = self.ids.get(&action.key)?;
                return self
                    .watch
                    .running(&self.session, &self.environment().name, &id)
                    .await;
            }
            Operation::Bring(step) if !matches!(step, AwsStep::Launch(_)) => {
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
                return result;
            }
            _ => self.apply_together(&[action], progress).await?,
        };
        results.pop().unwrap_or(Ok(()))
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
            let environment = self
                .environment
                .as_ref()
                .map(|environment| &environment.name);
            return terminate(&self.session, environment, &deleted, &self.watch, progress).await;
        }
        self.launch(actions).await
    }
}

impl Applier {
    fn environment(&self) -> &Environment {
        self.environment
            .as_deref()
            .expect("only a plan made from an environment creates anything")
    }

    async fn launch(&self, actions: &[&Action<Aws>]) -> Result<Vec<Result<(), Failure>>, Failure> {
        let specs: Vec<&LaunchSpec> = actions
            .iter()
            .filter_map(|action| match &action.operation {
                Operation::Bring(AwsStep::Launch(spec)) => Some(&**spec),
                _ => None,
            })
            .collect();
        let user_data = |seats: &[SeatNumber]| self.user_data(seats);
        let launch = Launch {
            session: &self.session,
            environment: self.environment(),
            ids: &self.ids,
            user_data: &user_data,
        };
        let launched = self.launcher.launch(&launch, &specs).await?;
        let note = |(action, result): (&&Action<Aws>, Result<Arc<str>, Failure>)| {
            result.map(|id| self.ids.note(action.key.clone(), id))
        };
        Ok(actions.iter().zip(launched).map(note).collect())
    }

    fn user_data(&self, _seats: &[SeatNumber]) -> Result<String, Failure> {
        Ok(String::new())
    }
}
