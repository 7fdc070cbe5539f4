//! What `down` and `sweep` print with `--output json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::shared::{Failure, Version};
use crate::report::view;

/// What was found, what was deleted, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificate {
    /// The version of this document.
    pub version: Version,
    /// The names of the environments that it is about.
    pub environments: Vec<String>,
    /// What was to go.
    pub scope: Scope,
    /// What was found of it.
    pub found: Vec<Thing>,
    /// What was deleted.
    pub deleted: Vec<Thing>,
    /// What could not be deleted.
    pub failed: Vec<FailedThing>,
    /// What carries our labels and was to stay.
    pub kept: Vec<KeptThing>,
    /// The looks after the deletions, in order, by the engine's lists of each kind, or those of each
    /// of AWS's services.
    pub looks: Vec<LookAgain>,
    /// A look by another list, where the place has one and those before it found nothing.
    pub second_look: Option<SecondLook>,
    /// Regions that should have been looked at and were not.
    pub unseen: Vec<UnseenRegion>,
    /// Whether nothing is left of what was to go: nothing failed, no region is
    /// missing, the last two looks found nothing, and neither did the second look, where it may be
    /// made.
    pub clean: bool,
    /// When the first look was, in RFC 3339, UTC.
    pub started: String,
    /// When the last look was, in RFC 3339, UTC.
    pub finished: String,
}

/// What was to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Scope {
    /// All of the environments named.
    Environments,
    /// Some of one environment's seats.
    Seats {
        /// Their numbers.
        seats: Vec<u32>,
    },
    /// Whatever is past its time, of any environment.
    Expired,
    /// Whatever carries our labels.
    Everything,
}

/// Something that exists, or existed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Thing {
    /// The environment, by its label.
    pub environment: String,
    /// The number of the seat, where it is one's.
    pub seat: Option<u32>,
    /// The region of AWS, where several were looked at.
    pub region: Option<String>,
    /// Its kind (`container`).
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What the engine or the cloud calls it.
    pub id: String,
}

/// Something that could not be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedThing {
    /// What.
    #[serde(flatten)]
    pub thing: Thing,
    /// What is in the way.
    pub failure: Failure,
}

/// Something that was to stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeptThing {
    /// What.
    #[serde(flatten)]
    pub thing: Thing,
    /// Why.
    pub reason: String,
}

/// A region that should have been looked at and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnseenRegion {
    /// Its name, as AWS has it.
    pub region: String,
    /// What was in the way.
    pub failure: Failure,
}

/// One look for what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookAgain {
    /// When, in RFC 3339, UTC.
    pub at: String,
    /// How much of what was to go was still there.
    pub found: usize,
}

/// A look by a list that knows nothing of kinds, but of labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecondLook {
    /// Whose list it is.
    pub by: Means,
    /// When, in RFC 3339, UTC.
    pub at: String,
    /// Whether the list could be read.
    pub made: bool,
    /// How much of what was to go is on it.
    pub listed: Option<usize>,
    /// How much of that is gone, by its own service's answer, and only on the list yet.
    pub gone: Option<usize>,
    /// How much of it is there still. It is among `failed`.
    pub left: Option<usize>,
    /// Why the list could not be read.
    pub failure: Option<Failure>,
}

/// Whose list a second look reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// That of AWS's Resource Groups Tagging API.
    TaggingApi,
}

impl From<&view::SecondLook> for SecondLook {
    fn from(look: &view::SecondLook) -> Self {
        let seen = look.seen.as_ref().ok();
        Self {
            by: Means::TaggingApi,
            at: look.at.to_string(),
            made: seen.is_some(),
            listed: seen.map(|seen| seen.listed),
            gone: seen.map(|seen| seen.listed - seen.left),
            left: seen.map(|seen| seen.left),
            failure: look.seen.as_ref().err().map(Into::into),
        }
    }
}

impl From<&view::CertificateView> for Certificate {
    fn from(view: &view::CertificateView) -> Self {
        let things = |things: &[view::Thing]| things.iter().map(Into::into).collect();
        Self {
            version: Version::default(),
            environments: view.environments.iter().map(ToString::to_string).collect(),
            scope: (&view.scope).into(),
            found: things(&view.found),
            deleted: things(&view.deleted),
            failed: view
                .failed
                .iter()
                .map(|(thing, failure)| FailedThing {
                    thing: thing.into(),
                    failure: failure.into(),
                })
                .collect(),
            kept: view.kept.iter().map(Into::into).collect(),
            looks: view
                .looks
                .iter()
                .map(|look| LookAgain {
                    at: look.at.to_string(),
                    found: look.found,
                })
                .collect(),
            second_look: view.second.as_ref().map(Into::into),
            unseen: view
                .unseen
                .iter()
                .map(|(region, failure)| UnseenRegion {
                    region: region.to_string(),
                    failure: failure.into(),
                })
                .collect(),
            clean: view.is_clean(),
            started: view.started.to_string(),
            finished: view.finished.to_string(),
        }
    }
}

impl From<&(view::Thing, String)> for KeptThing {
    fn from((thing, reason): &(view::Thing, String)) -> Self {
        Self {
            thing: thing.into(),
            reason: reason.clone(),
        }
    }
}

impl From<&view::Scope> for Scope {
    fn from(scope: &view::Scope) -> Self {
        match scope {
            view::Scope::Environments => Self::Environments,
            view::Scope::Seats(seats) => Self::Seats {
                seats: seats.iter().map(|seat| seat.get()).collect(),
            },
            view::Scope::Expired => Self::Expired,
            view::Scope::Everything => Self::Everything,
        }
    }
}

impl From<&view::Thing> for Thing {
    fn from(thing: &view::Thing) -> Self {
        Self {
            environment: thing.environment.to_string(),
            seat: thing.seat.map(Into::into),
            region: thing.region.as_deref().map(str::to_owned),
            kind: thing.kind.clone(),
            name: thing.name.clone(),
            id: thing.id.to_string(),
        }
    }
}
