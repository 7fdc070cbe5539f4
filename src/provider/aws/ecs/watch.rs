//! Looking on while tasks begin and end: one list serves all who wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::observe::{describe, described};
use super::{Task, TaskState};
use crate::engine::{Failure, FailureClass, Progress};
use crate::provider::aws::Session;
use crate::provider::aws::errors::in_words;
use crate::provider::aws::pace::Pace;

/// The pause between two looks at a task that ends.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a task that was just made may be missing from lists.
const SPREADING: Duration = Duration::from_secs(30);
/// How long a task may take to end: its containers have up to 120 s (Amazon ECS developer guide,
/// `stopTimeout`), and then its interface goes.
const ENDING: Duration = Duration::from_secs(300);

/// Looks on at the tasks of clusters.
#[derive(Debug, Default)]
pub struct TaskWatch {
    looks: Mutex<HashMap<String, Look>>,
}

#[derive(Debug, Clone)]
struct Look {
    pace: Pace,
    tasks: Arc<HashMap<String, Task>>,
}

impl TaskWatch {
    /// The tasks of a cluster that are not over, as they were at some moment since `since`. Whoever
    /// asks while somebody else looks has that look, where it is new enough.
    async fn since(
        &self,
        session: &Session,
        cluster: &str,
        since: Instant,
    ) -> Result<Arc<HashMap<String, Task>>, Failure> {
        let mut looks = self.looks.lock().await;
        if let Some(look) = looks.get(cluster)
            && look.pace.begun() >= since
        {
            return Ok(Arc::clone(&look.tasks));
        }
        let before = looks.get(cluster).map(|look| look.pace);
        sleep_until(Pace::next(before, Instant::now())).await;
        let pace = Pace::after(before, Instant::now());
        let found = described(session, cluster).await?;
        let tasks = found
            .iter()
            .filter_map(|described| Some((described.task_arn.clone()?, Task::read(described).0)));
        let tasks = Arc::new(tasks.collect());
        let look = Look {
            pace,
            tasks: Arc::clone(&tasks),
        };
        looks.insert(cluster.to_owned(), look);
        Ok(tasks)
    }

    /// Waits until a task runs, and where it has checks until these pass.
    ///
    /// # Errors
    /// It ended instead, or takes too long; or what AWS says.
    pub async fn ready(
        &self,
        session: &Session,
        cluster: &str,
        arn: &str,
        has_checks: bool,
        patience: Duration,
    ) -> Result<(), Failure> {
        const CALL: &str = "await task";
        let begun = Instant::now();
        let mut since = begun;
        loop {
            let tasks = self.since(session, cluster, since).await?;
            since = Instant::now();
            match tasks.get(arn) {
                Some(task) if task.state == TaskState::Running => match task.healthy {
                    Some(true) => return Ok(()),
                    _ if !has_checks => return Ok(()),
                    Some(false) => {
                        return Err(Failure::new(FailureClass::Broken, CALL, unhealthy(task)));
                    }
                    None => {}
                },
                Some(task) if task.state == TaskState::Starting => {}
                None if begun.elapsed() < SPREADING => {
                    // A task that ended at once is in no list.
                    if let Some(failure) = ended(session, cluster, arn).await? {
                        return Err(failure);
                    }
                }
                _ => {
                    let gone =
                        || Failure::new(FailureClass::NotFound, CALL, "it is not there any more");
                    return Err(ended(session, cluster, arn).await?.unwrap_or_else(gone));
                }
            }
            if begun.elapsed() > patience {
                let message = format!("not ready after {} s", patience.as_secs());
                return Err(Failure::new(FailureClass::Broken, CALL, message));
            }
        }
    }

    /// Waits until a task is over.
    ///
    /// # Errors
    /// It takes too long; or what AWS says.
    pub async fn over(
        &self,
        session: &Session,
        cluster: &str,
        arn: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let tasks = self.since(session, cluster, Instant::now()).await?;
            if !tasks.contains_key(arn) {
                return Ok(());
            }
            if begun.elapsed() > ENDING {
                let message = "it was asked to end, and has not";
                return Err(Failure::new(FailureClass::Conflict, "StopTask", message));
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = progress.interrupted() => return Ok(()),
            }
        }
    }
}

fn unhealthy(task: &Task) -> String {
    let sick = task
        .containers
        .iter()
        .filter(|(_, state)| *state == "unhealthy");
    let names: Vec<&str> = sick.map(|(name, _)| name.as_str()).collect();
    format!("the check of {} fails", names.join(", "))
}

/// Whether a task that is not new has ended. AWS forgets those that have, after an hour.
///
/// # Errors
/// What AWS says.
pub(super) async fn is_over(session: &Session, cluster: &str, arn: &str) -> Result<bool, Failure> {
    let found = describe(session, cluster, &[arn.to_owned()]).await?;
    let task = found.first().map(|described| Task::read(described).0);
    Ok(task.is_none_or(|task| task.state == TaskState::Over))
}

/// Why a task has ended, where it has.
async fn ended(session: &Session, cluster: &str, arn: &str) -> Result<Option<Failure>, Failure> {
    let found = describe(session, cluster, &[arn.to_owned()]).await?;
    let Some(task) = found.first().map(|described| Task::read(described).0) else {
        return Ok(None);
    };
    if task.state != TaskState::Over {
        return Ok(None);
    }
    let reason = task.reason.as_deref().unwrap_or("no reason is given");
    let class = in_words(reason).unwrap_or(FailureClass::Broken);
    Ok(Some(Failure::new(
        class,
        "await task",
        format!("it ended: {reason}"),
    )))
}
