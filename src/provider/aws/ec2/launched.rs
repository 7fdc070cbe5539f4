//! What a run has launched itself, which no look at instances may miss.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::watch::SPREADING;
use crate::provider::aws::observe::Observed;

/// The instances that this run has launched, and when that was answered.
#[derive(Debug, Default)]
pub struct Launched(Mutex<Vec<(Arc<str>, Instant)>>);

impl Launched {
    /// Notes what was launched now.
    pub fn note(&self, ids: impl Iterator<Item = Arc<str>>) {
        let now = Instant::now();
        let launched = self.0.lock();
        let mut launched = launched.unwrap_or_else(PoisonError::into_inner);
        launched.extend(ids.map(|id| (id, now)));
    }

    /// Whether a look misses what has just been launched. That would be launched once more, under another
    /// token, for who is left of a launch is another list of seats. What has ended is listed for an hour,
    /// where the look is one at instances at all.
    pub fn is_missed_by(&self, observed: &Observed) -> bool {
        let seen: BTreeSet<&str> = observed.things.iter().map(|thing| &*thing.id).collect();
        let launched = self.0.lock();
        let launched = launched.unwrap_or_else(PoisonError::into_inner);
        let mut young = launched.iter().filter(|(_, at)| at.elapsed() < SPREADING);
        young.any(|(id, _)| !seen.contains(&**id))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::seat::Owner;
    use crate::provider::aws::observe::{Detail, Thing};
    use crate::provider::aws::scheme::AwsKind;
    use crate::provider::labels::Ownership;

    fn look(ids: &[&str]) -> Observed {
        let thing = |id: &&str| Thing {
            kind: AwsKind::Instance,
            id: (*id).into(),
            ownership: Ownership {
                environment: "lab".parse().unwrap(),
                owner: Owner::Shared,
                service: None,
                expires: None,
                fingerprint: None,
                key: None,
            },
            detail: Detail::None,
        };
        Observed {
            things: ids.iter().map(thing).collect(),
            ..Default::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_misses_what_was_launched_a_moment_ago_and_is_not_there_after_a_while() {
        let launched = Launched::default();
        assert!(!launched.is_missed_by(&look(&[])));
        launched.note(["i-1", "i-2"].map(Arc::from).into_iter());
        assert!(launched.is_missed_by(&look(&["i-2", "i-3"])));
        assert!(!launched.is_missed_by(&look(&["i-2", "i-1", "i-3"])));
        tokio::time::advance(SPREADING + Duration::from_secs(1)).await;
        assert!(!launched.is_missed_by(&look(&["i-3"])));
    }
}
