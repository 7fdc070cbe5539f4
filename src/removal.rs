//! Taking things away until two looks find nothing, and the certificate that says so.

mod regions;
mod second;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::engine::retry::with_patience;
use crate::engine::{Afterwards, Events, Failure, FailureClass, Phase, run};
use crate::expiry::{End, Ends};
use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::{ActionId, Cause, Operation, Plan, Scheme, teardown};
use crate::provider::{Existing, Listed, Provider};

pub use regions::together;
pub use second::{SecondLook, Seen};

/// How often what is left is tried again before it is reported as left.
const MOST_ROUNDS: usize = 4;
/// How many looks in a row must find nothing.
const CLEAN_LOOKS: usize = 2;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What becomes of something that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes, for that cause.
    Take(Cause),
    /// It stays, for that reason.
    Keep(String),
    /// It is not what this is about, and not worth a word.
    Ignore,
}

/// Something that exists, or existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The environment, by its label.
    pub environment: EnvironmentName,
    /// The seat, where it is one's.
    pub seat: Option<SeatNumber>,
    /// The region of AWS, where several were looked at.
    pub region: Option<Arc<str>>,
    /// Its kind (`container`).
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What the engine or the cloud calls it.
    pub id: Arc<str>,
}

impl<S: Scheme> From<&Existing<S>> for Thing {
    fn from(existing: &Existing<S>) -> Self {
        Self {
            environment: existing.environment.clone(),
            seat: existing.owner.seat(),
            region: None,
            kind: existing.resource.key.kind.to_string(),
            name: existing.resource.key.name.to_string(),
            id: Arc::clone(&existing.resource.id),
        }
    }
}

impl From<&Listed> for Thing {
    fn from(listed: &Listed) -> Self {
        Self {
            environment: listed.ownership.environment.clone(),
            seat: listed.ownership.owner.seat(),
            region: None,
            kind: listed.kind.clone(),
            // It has no name that would lead to it but this one.
            name: listed.id.to_string(),
            id: Arc::clone(&listed.id),
        }
    }
}

/// What is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of the environments named.
    Environments,
    /// Some of one environment's seats.
    Seats(Vec<SeatNumber>),
    /// Whatever is past its time, of any environment.
    Expired,
    /// Whatever carries our labels.
    Everything,
}

/// One look for what is left, after the deletions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAgain {
    /// When.
    pub at: Timestamp,
    /// How much of what was to go was still there.
    pub found: usize,
}

/// What was found, what was deleted, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The environments that it is about.
    pub environments: Vec<EnvironmentName>,
    /// What was to go.
    pub scope: Scope,
    /// What was found of it.
    pub found: Vec<Thing>,
    /// What was deleted.
    pub deleted: Vec<Thing>,
    /// What could not be deleted, with what is in the way.
    pub failed: Vec<(Thing, Failure)>,
    /// What carries our labels and was to stay, with the reason.
    pub kept: Vec<(Thing, String)>,
    /// The looks after the deletions, in order, by the lists of each kind.
    pub looks: Vec<LookAgain>,
    /// The look by another list, where the place has one and the looks before it found nothing.
    pub second: Option<SecondLook>,
    /// Regions that should have been looked at and were not, with what was in the way.
    pub unseen: Vec<(Arc<str>, Failure)>,
    /// When the first look was.
    pub started: Timestamp,
    /// When the last look was.
    pub finished: Timestamp,
}

impl Certificate {
    /// Whether nothing is left of what was to go: nothing failed, no region is missing, the last two
    /// looks found nothing, and neither did one by another list, where there is one that may be read.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
            && self.unseen.is_empty()
            && self.second.as_ref().is_none_or(SecondLook::is_clean)
            && self.looks.len() >= CLEAN_LOOKS
            && self
                .looks
                .iter()
                .rev()
                .take(CLEAN_LOOKS)
                .all(|look| look.found == 0)
    }
}

/// What one look found, judged.
pub struct Survey<S: Scheme> {
    /// What is to go.
    pub take: Vec<(Existing<S>, Cause)>,
    /// What is to stay, and why.
    pub keep: Vec<(Thing, String)>,
    /// When the environments end of which anything was found.
    pub ends: Ends,
}

impl<S: Scheme> Survey<S> {
    /// Judges everything of ours. `judge` is told of each thing's environment and owner, and when the
    /// environment ends by all that this look found of it.
    pub fn of(
        existing: Vec<Existing<S>>,
        judge: &impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    ) -> Self {
        let ends = Ends::of(
            existing
                .iter()
                .map(|existing| (&existing.environment, existing.expires.as_ref())),
        );
        let mut survey = Self {
            take: Vec::new(),
            keep: Vec::new(),
            ends: Ends::default(),
        };
        for existing in existing {
            let end = ends.get(&existing.environment);
            match judge(&existing.environment, existing.owner, end) {
                Verdict::Take(cause) => survey.take.push((existing, cause)),
                Verdict::Keep(reason) => survey.keep.push((Thing::from(&existing), reason)),
                Verdict::Ignore => {}
            }
        }
        survey.keep.sort_by(|(a, _), (b, _)| {
            (&a.environment, a.seat, &a.kind, &a.name).cmp(&(
                &b.environment,
                b.seat,
                &b.kind,
                &b.name,
            ))
        });
        survey.ends = ends;
        survey
    }

    /// The plan that deletes what is to go.
    pub fn plan(&self) -> Plan<S> {
        teardown(
            self.take
                .iter()
                .map(|(existing, cause)| (existing.resource.clone(), cause.clone()))
                .collect(),
        )
    }
}

/// What a removal is about, for its certificate.
#[derive(Debug, Clone)]
pub struct About {
    /// What is to go.
    pub scope: Scope,
    /// The environments named; those of what is found are added.
    pub environments: Vec<EnvironmentName>,
}

/// Deletes what `judge` says is to go, looks again, and goes on until two looks in a row find
/// nothing of it, or what is left can't be deleted. Each look is judged anew: what has been given
/// more time since the last one stays. At the end another list is asked, where the place has one.
/// `clock` tells the time for the certificate.
///
/// # Errors
///
/// A look that failed: without it nothing can be said of what is left.
pub async fn remove<P: Provider>(
    provider: &P,
    about: About,
    judge: impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    clock: impl Fn() -> Timestamp,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Certificate, Failure> {
    let started = clock();
    let look = async || -> Result<Survey<P::Scheme>, Failure> {
        // Looks are tried again like any call: at this point an error would hide what is left.
        let observed = with_patience(async || provider.observe().await, |_, _| {}, cancel).await?;
        Ok(Survey::of(provider.existing(&observed), &judge))
    };
    let mut survey = look().await?;
    let mut kept = std::mem::take(&mut survey.keep);
    let mut found: Vec<Thing> = Vec::new();
    let mut known: HashSet<Arc<str>> = HashSet::new();
    let mut blockers: HashMap<Arc<str>, Failure> = HashMap::new();
    let mut looks: Vec<LookAgain> = Vec::new();
    let mut rounds = 0;
    loop {
        for (existing, _) in &survey.take {
            if known.insert(Arc::clone(&existing.resource.id)) {
                found.push(Thing::from(existing));
            }
        }
        let clean = looks
            .iter()
            .rev()
            .take_while(|look| look.found == 0)
            .count();
        if survey.take.is_empty() {
            if clean >= CLEAN_LOOKS {
                break;
            }
        } else if rounds == MOST_ROUNDS || cancel.is_cancelled() {
            break;
        } else {
            rounds += 1;
            let plan = survey.plan();
            let outcome = run(
                &plan,
                provider,
                Phase::Down,
                Afterwards::Report,
                events,
                cancel,
            )
            .await;
            blockers = failures_by_resource(&plan, outcome.failures);
        }
        if !looks.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        survey = look().await?;
        looks.push(LookAgain {
            at: clock(),
            found: survey.take.len(),
        });
    }
    let mut failed: Vec<(Thing, Failure)> = survey
        .take
        .iter()
        .map(|(existing, _)| {
            let thing = Thing::from(existing);
            let blocker = blockers
                .remove(&thing.id)
                .unwrap_or_else(|| unexplained(&thing));
            (thing, blocker)
        })
        .collect();
    let second = if failed.is_empty() {
        let named = &about.environments;
        second::look(provider, named, &judge, &survey.ends, &clock, cancel).await
    } else {
        None
    };
    if let Some((_, left)) = &second {
        found.extend(left.iter().map(|(thing, _)| thing.clone()));
        failed.extend(left.iter().cloned());
    }
    // What was to go at first and is to stay by now, of which some may be gone.
    let spared: HashSet<Arc<str>> = survey
        .keep
        .iter()
        .map(|(thing, _)| Arc::clone(&thing.id))
        .filter(|id| known.contains(id))
        .collect();
    kept.extend(
        survey
            .keep
            .into_iter()
            .filter(|(thing, _)| spared.contains(&thing.id)),
    );
    let mut environments = about.environments;
    for thing in &found {
        if !environments.contains(&thing.environment) {
            environments.push(thing.environment.clone());
        }
    }
    Ok(Certificate {
        environments,
        scope: about.scope,
        deleted: found
            .iter()
            .filter(|thing| !spared.contains(&thing.id))
            .filter(|thing| !failed.iter().any(|(other, _)| other.id == thing.id))
            .cloned()
            .collect(),
        found,
        failed,
        kept,
        looks,
        second: second.map(|(look, _)| look),
        unseen: Vec::new(),
        started,
        finished: clock(),
    })
}

fn failures_by_resource<S: Scheme>(
    plan: &Plan<S>,
    failures: BTreeMap<ActionId, Failure>,
) -> HashMap<Arc<str>, Failure> {
    failures
        .into_iter()
        .filter_map(|(id, failure)| match &plan.actions[id].operation {
            Operation::Delete(id) => Some((Arc::clone(id), failure)),
            Operation::Bring(_) => None,
        })
        .collect()
}

/// What waits for something else that could not be deleted, or was not reached any more.
fn unexplained(thing: &Thing) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        format!("remove {}", thing.kind),
        "it is still there; what depends on it may have to go first",
    )
}
