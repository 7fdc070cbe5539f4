//! Looking on while tasks begin and end: one look serves all who wait, and sees what they wait for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, sleep_until};

use super::observe::{calls_for, describe};
use super::{Task, TaskState};
use crate::engine::{Failure, FailureClass, Progress};
use crate::provider::aws::Session;
use crate::provider::aws::errors::in_words;
use crate::provider::aws::pace::Pace;

/// The pause between two looks at a task that ends.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a task that was just made may be unknown.
const SPREADING: Duration = Duration::from_secs(30);
/// How long a task may take to end: its containers have up to 120 s (Amazon ECS developer guide,
/// `stopTimeout`), and then its interface goes.
const ENDING: Duration = Duration::from_secs(300);

const CALL: &str = "await task";

/// Looks on at the tasks of clusters.
#[derive(Debug, Default)]
pub struct TaskWatch {
    looks: Mutex<HashMap<String, Look>>,
    /// By cluster.
    awaited: std::sync::Mutex<HashMap<String, Awaited>>,
    /// Wakes whoever waits to look.
    newcomers: Notify,
}

/// The tasks of a cluster that somebody waits for.
#[derive(Debug, Default)]
struct Awaited {
    /// How many wait for each.
    arns: BTreeMap<String, usize>,
    /// When somebody came last who waits.
    newest: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Look {
    pace: Pace,
    tasks: Arc<HashMap<String, Task>>,
}

/// Has a task be looked at as long as somebody waits for it.
struct Waiting<'a> {
    watch: &'a TaskWatch,
    cluster: &'a str,
    arn: &'a str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.watch.with_awaited(self.cluster, |awaited| {
            if let Some(count) = awaited.arns.get_mut(self.arn) {
                *count -= 1;
                if *count == 0 {
                    awaited.arns.remove(self.arn);
                }
            }
        });
    }
}

impl TaskWatch {
    fn with_awaited<T>(&self, cluster: &str, f: impl FnOnce(&mut Awaited) -> T) -> T {
        let awaited = self.awaited.lock();
        let mut awaited = awaited.unwrap_or_else(PoisonError::into_inner);
        f(awaited.entry(cluster.to_owned()).or_default())
    }

    fn wait_for<'a>(&'a self, cluster: &'a str, arn: &'a str) -> Waiting<'a> {
        self.with_awaited(cluster, |awaited| {
            *awaited.arns.entry(arn.to_owned()).or_default() += 1;
            awaited.newest = Some(Instant::now());
        });
        self.newcomers.notify_one();
        Waiting {
            watch: self,
            cluster,
            arn,
        }
    }

    /// The awaited tasks of a cluster, as they were at some moment since `since`; those that AWS does not
    /// know are missing. Whoever asks while somebody else looks has that look, where it is new enough.
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
        let pace = self.turn(cluster, before).await;
        let arns: Vec<String> =
            self.with_awaited(cluster, |awaited| awaited.arns.keys().cloned().collect());
        let found = match describe(session, cluster, &arns).await {
            // A cluster that is too new to be seen, or gone with its tasks.
            Err(failure) if failure.class == FailureClass::NotFound => Vec::new(),
            found => found?,
        };
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

    /// Waits until it is time for the look after that one; sooner where somebody new waits for a task.
    async fn turn(&self, cluster: &str, before: Option<Pace>) -> Pace {
        let mut pace = before;
        let mut due = Pace::next(pace, Instant::now());
        loop {
            if let Some(last) = before {
                let (newest, count) =
                    self.with_awaited(cluster, |awaited| (awaited.newest, awaited.arns.len()));
                if newest.is_some_and(|newest| newest > last.begun()) {
                    pace = Some(last.anew(calls_for(count)));
                    due = due.min(Pace::next(pace, Instant::now()));
                }
            }
            tokio::select! {
                () = sleep_until(due) => return Pace::after(pace, Instant::now()),
                () = self.newcomers.notified() => {}
            }
        }
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
        let _waiting = self.wait_for(cluster, arn);
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
                Some(task) if task.state == TaskState::Over => return Err(ended(task)),
                Some(_) => {}
                None if begun.elapsed() < SPREADING => {}
                None => {
                    let message = "it is not there any more";
                    return Err(Failure::new(FailureClass::NotFound, CALL, message));
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
        let _waiting = self.wait_for(cluster, arn);
        let begun = Instant::now();
        loop {
            let tasks = self.since(session, cluster, Instant::now()).await?;
            // AWS forgets those that have ended, after an hour.
            if tasks
                .get(arn)
                .is_none_or(|task| task.state == TaskState::Over)
            {
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

/// Why a task has ended.
fn ended(task: &Task) -> Failure {
    let reason = task.reason.as_deref().unwrap_or("no reason is given");
    let class = in_words(reason).unwrap_or(FailureClass::Broken);
    Failure::new(class, CALL, format!("it ended: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long somebody waits for the look after one of this moment with the longest pause, where
    /// `meanwhile` happens.
    async fn turn(watch: &TaskWatch, meanwhile: impl Future<Output = ()>) -> Duration {
        let mut last = Pace::after(None, Instant::now());
        for _ in 0..3 {
            last = Pace::after(Some(last), Instant::now());
        }
        let begun = Instant::now();
        tokio::join!(watch.turn("ours", Some(last)), meanwhile);
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_new_is_not_kept_waiting_for_a_look_that_is_due_later() {
        let watch = TaskWatch::default();
        let others = watch.wait_for("ours", "others");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(turn(&watch, async {}).await, Duration::from_secs(2));
        let come = async || {
            sleep(Duration::from_millis(100)).await;
            std::mem::forget(watch.wait_for("ours", "new"));
        };
        assert_eq!(turn(&watch, come()).await, Duration::from_millis(500));
        // Those of another cluster are looked at by themselves.
        let come = async || {
            sleep(Duration::from_millis(100)).await;
            std::mem::forget(watch.wait_for("theirs", "new"));
        };
        assert_eq!(turn(&watch, come()).await, Duration::from_secs(2));
        drop(others);
        let awaited = |cluster| watch.with_awaited(cluster, |awaited| awaited.arns.len());
        assert_eq!([awaited("ours"), awaited("theirs")], [1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_who_came_while_another_looked_is_not_forgotten() {
        let watch = TaskWatch::default();
        let last = Pace::after(None, Instant::now());
        let last = Pace::after(Some(last), Instant::now());
        sleep(Duration::from_millis(100)).await;
        let _new = watch.wait_for("ours", "new");
        // Whoever looks is woken for it, and gives up.
        watch.newcomers.notified().await;
        let begun = Instant::now();
        watch.turn("ours", Some(last)).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(400));
    }
}
