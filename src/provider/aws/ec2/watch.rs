//! Looking on while instances begin and end: one list serves all who wait.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::observe::instances;
use super::{Instance, InstanceState, Place};
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::EnvironmentName;
use crate::provider::aws::pace::Pace;
use crate::provider::aws::{Session, tags};

/// The pause between two looks at instances that end, which takes them 30 to 60 s.
const PAUSE: Duration = Duration::from_secs(2);
/// How long an instance that was just made may be missing from lists.
pub(super) const SPREADING: Duration = Duration::from_secs(60);
/// How long an instance may take to run, or to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// The quota that an instance ends for at once (Amazon EBS user guide, "Quotas for Amazon EBS"): its disk
/// is made after the launch was taken.
const DISKS: &str = "Storage for General Purpose SSD (gp3) volumes, in TiB";

/// The wait for an instance to run.
const RUNNING: &str = "await instance";

/// Looks on at the instances of one environment, or of all.
#[derive(Debug, Default)]
pub struct Watch {
    last: Mutex<Option<Look>>,
    /// What that look saw, for those who need not know since when it is so: they don't wait for the
    /// next one.
    seen: std::sync::Mutex<Arc<HashMap<Arc<str>, Instance>>>,
    /// Where instances ended that had just begun.
    short: std::sync::Mutex<BTreeSet<Place>>,
}

#[derive(Debug)]
struct Look {
    pace: Pace,
    instances: Arc<HashMap<Arc<str>, Instance>>,
}

impl Watch {
    /// The instances as they were at some moment since `since`. Whoever asks while somebody else
    /// looks has that look, where it is new enough.
    async fn since(
        &self,
        session: &Session,
        environment: Option<&EnvironmentName>,
        since: Instant,
    ) -> Result<Arc<HashMap<Arc<str>, Instance>>, Failure> {
        let mut last = self.last.lock().await;
        if let Some(look) = last.as_ref()
            && look.pace.begun() >= since
        {
            return Ok(Arc::clone(&look.instances));
        }
        let before = last.as_ref().map(|look| look.pace);
        sleep_until(Pace::next(before, Instant::now())).await;
        let pace = Pace::after(before, Instant::now());
        let described = instances(session, &tags::of(environment)).await?;
        let instances = described.iter().filter_map(|described| {
            let id = Arc::from(described.instance_id.as_deref()?);
            Some((id, Instance::read(described).0))
        });
        let instances = Arc::new(instances.collect());
        self.see(Arc::clone(&instances));
        *last = Some(Look {
            pace,
            instances: Arc::clone(&instances),
        });
        Ok(instances)
    }

    /// An instance that runs, as somebody saw it last; looked at now where nobody did. What runs
    /// keeps its address.
    ///
    /// # Errors
    /// What AWS says.
    pub async fn seen_running(
        &self,
        session: &Session,
        environment: &EnvironmentName,
        id: &str,
    ) -> Result<Option<Instance>, Failure> {
        if let Some(known) = running(&self.seen(), id) {
            return Ok(Some(known));
        }
        let instances = self
            .since(session, Some(environment), Instant::now())
            .await?;
        Ok(running(&instances, id))
    }

    /// Forgets what was seen: another plan is made.
    pub fn forget(&self) {
        self.see(Arc::default());
    }

    /// Where instances ended at once in this run: there is no room, though a launch was taken.
    pub fn short(&self) -> BTreeSet<Place> {
        let short = self.short.lock();
        short.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why an instance that had just begun has ended, which is noted.
    fn ended_at_once(&self, id: &str, instance: &Instance) -> Failure {
        let (class, why) = match &instance.reason {
            Some(reason) => (reason.class(), &*reason.message),
            None => (FailureClass::Broken, "no reason is given"),
        };
        if class == FailureClass::Conflict {
            let short = self.short.lock();
            let mut short = short.unwrap_or_else(PoisonError::into_inner);
            short.insert(instance.place.clone());
        }
        let failure = Failure::new(class, RUNNING, format!("{id} ended at once: {why}"));
        match class {
            FailureClass::Quota => failure.with_hint(format!(
                "ask for more of Amazon EBS's quota `{DISKS}`, or take away disks of this region"
            )),
            _ => failure,
        }
    }

    fn seen(&self) -> Arc<HashMap<Arc<str>, Instance>> {
        Arc::clone(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn see(&self, instances: Arc<HashMap<Arc<str>, Instance>>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = instances;
    }

    /// Waits until an instance runs.
    ///
    /// # Errors
    /// It ended instead, or takes too long; or what AWS says.
    pub async fn running(
        &self,
        session: &Session,
        environment: &EnvironmentName,
        id: &str,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut since = begun;
        loop {
            let instances = self.since(session, Some(environment), since).await?;
            since = Instant::now();
            match instances.get(id) {
                Some(instance) => match instance.state {
                    InstanceState::Running => return Ok(()),
                    InstanceState::Pending => {}
                    _ => return Err(self.ended_at_once(id, instance)),
                },
                None if begun.elapsed() < SPREADING => {}
                None => {
                    let message = format!("{id} is not there any more");
                    return Err(Failure::new(FailureClass::NotFound, RUNNING, message));
                }
            }
            if begun.elapsed() > PATIENCE {
                let message = format!("{id} does not run after {} s", PATIENCE.as_secs());
                return Err(Failure::new(FailureClass::Broken, RUNNING, message));
            }
        }
    }

    /// Waits until none of these instances is there any more, and gives those that are, should it
    /// take too long or be interrupted.
    ///
    /// # Errors
    /// What AWS says.
    pub async fn ended(
        &self,
        session: &Session,
        environment: Option<&EnvironmentName>,
        ids: &[&str],
        progress: &Progress,
    ) -> Result<Vec<Arc<str>>, Failure> {
        let begun = Instant::now();
        loop {
            let instances = self.since(session, environment, Instant::now()).await?;
            let is_there = |id: &&str| instances.get(*id).is_some_and(|i| i.state.is_alive());
            let left: Vec<Arc<str>> = ids
                .iter()
                .copied()
                .filter(|id| is_there(id))
                .map(Arc::from)
                .collect();
            if left.is_empty() || begun.elapsed() > PATIENCE {
                return Ok(left);
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = progress.interrupted() => return Ok(left),
            }
        }
    }
}

fn running(instances: &HashMap<Arc<str>, Instance>, id: &str) -> Option<Instance> {
    let instance = instances.get(id)?;
    (instance.state == InstanceState::Running).then(|| instance.clone())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{Instance as Described, InstanceType, StateReason};

    use super::*;

    fn ended(id: &str, kind: &str, code: &str) -> Instance {
        let reason = StateReason::builder().code(code).message(code).build();
        let described = Described::builder()
            .instance_id(id)
            .instance_type(InstanceType::from(kind))
            .subnet_id("subnet-1")
            .state_reason(reason)
            .build();
        Instance::read(&described).0
    }

    #[test]
    fn where_there_was_no_room_after_all_is_known_and_what_else_went_wrong_is_no_want_of_room() {
        let watch = Watch::default();
        for (kind, code, class) in [
            (
                "t3.small",
                "Server.InsufficientInstanceCapacity",
                FailureClass::Conflict,
            ),
            (
                "t3a.small",
                "Server.SpotInstanceTermination",
                FailureClass::Conflict,
            ),
            (
                "t3.large",
                "Client.VolumeLimitExceeded",
                FailureClass::Quota,
            ),
            ("t3.xlarge", "Client.InternalError", FailureClass::Broken),
        ] {
            let failure = watch.ended_at_once("i-1", &ended("i-1", kind, code));
            assert_eq!(failure.class, class, "{code}");
            assert!(failure.message.ends_with(code), "{failure}");
            let names_quota = failure.hint.is_some_and(|hint| hint.contains(DISKS));
            assert_eq!(names_quota, class == FailureClass::Quota, "{code}");
        }
        let short = watch.short();
        let kinds: Vec<&str> = short.iter().map(|place| &*place.kind).collect();
        assert_eq!(kinds, ["t3.small", "t3a.small"]);
    }
}
