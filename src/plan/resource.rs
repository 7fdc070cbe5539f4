//! Resources as the planner sees them: wanted ones in stages, found ones with how far they are.

use std::fmt::{self, Debug, Display};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Cause;
use crate::model::ServiceName;
use crate::model::seat::Owner;

/// A provider's vocabulary: its kinds of resources, and the steps that bring one up.
pub trait Scheme: Clone + Debug + Send + Sync + 'static {
    /// Kinds of resources, in the order in which they are created; they go in the reverse order.
    type Kind: Kind;
    /// A step of bringing a resource up: one API call.
    type Step: Step;
}

/// A kind of resource (`network`, `container`, …).
pub trait Kind: Copy + Ord + Hash + Debug + Display + Send + Sync + 'static {
    /// Where deletions of this kind queue.
    fn delete_lane(self) -> Lane;
}

/// One API call's worth of bringing a resource up.
pub trait Step: Clone + Debug + Display + Send + Sync + 'static {
    /// Where such calls queue.
    fn lane(&self) -> Lane;
    /// Whether this only looks (waiting until a service answers) and changes nothing.
    fn is_check(&self) -> bool;
    /// What it has in common with others that one call may serve together with it, where its lane
    /// has such calls.
    fn group(&self) -> u64 {
        0
    }
}

/// A queue of calls of one nature, with how many of them may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Its name, unique in a scheme.
    pub name: &'static str,
    /// How many calls may be under way at once.
    pub width: usize,
    /// How many actions one call may serve.
    pub batch: usize,
    /// How long an action that may begin waits for others that its call may serve as well: until the
    /// call is full, or no action of the lane is left to come, whatever its group. Of a run that is
    /// interrupted meanwhile it does not begin.
    pub linger: Duration,
}

impl Lane {
    /// A lane of that name in which so many calls may be under way at once, each of one action.
    pub const fn new(name: &'static str, width: usize) -> Self {
        Self {
            name,
            width,
            batch: 1,
            linger: Duration::ZERO,
        }
    }

    /// The same, and one call may serve `batch` actions.
    pub const fn serving(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// The same, and each action waits so long for others to go with it.
    pub const fn lingering(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }
}

/// What identifies a resource: its kind and the name that we give it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<K> {
    /// Its kind.
    pub kind: K,
    /// Its name, unique among its kind.
    pub name: Arc<str>,
}

impl<K> Key<K> {
    /// The key of that kind and name.
    pub fn new(kind: K, name: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl<K: Display> Display for Key<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A hash of a resource's resolved specification: the first 16 hexadecimal digits of a SHA-256.
/// Two resources of one fingerprint need no change to become each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The fingerprint of a specification.
    pub fn of(specification: &impl Serialize) -> Self {
        let json = serde_json::to_vec(specification)
            .expect("a specification is plain data, which always becomes JSON");
        Self(crate::hex(&Sha256::digest(json)[..8]).into())
    }

    /// A fingerprint as it was read from a label.
    pub fn from_label(text: &str) -> Self {
        Self(text.into())
    }

    /// As it stands in a label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A resource that should exist.
#[derive(Debug, Clone)]
pub struct Desired<S: Scheme> {
    /// What identifies it.
    pub key: Key<S::Kind>,
    /// Whose it is.
    pub owner: Owner,
    /// The service it is for, where it is for one.
    pub service: Option<ServiceName>,
    /// The hash of its specification.
    pub fingerprint: Fingerprint,
    /// How it is brought up, first step first. The first stage is what creates it.
    pub stages: Vec<Stage<S>>,
    /// What a reset does with it. It touches nothing that is not one seat's.
    pub on_reset: OnReset,
}

/// What a reset does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReset {
    /// It is made anew.
    Renewed,
    /// It stays, unless the workspace is to be reset as well.
    KeptWithWorkspace,
    /// It stays in any case: no participant can change it, and what it would be made anew as is the same.
    Kept,
}

impl OnReset {
    /// Whether a reset makes it anew that resets the workspace as well, or does not.
    pub fn renews(self, workspace: bool) -> bool {
        match self {
            Self::Renewed => true,
            Self::KeptWithWorkspace => workspace,
            Self::Kept => false,
        }
    }
}

impl<S: Scheme> Desired<S> {
    /// Whether it is made of the resource with that key.
    pub fn holds(&self, key: &Key<S::Kind>) -> bool {
        let mut needs = self.stages.iter().flat_map(|stage| &stage.needs);
        needs.any(|need| need.bond == Bond::Holds && need.key == *key)
    }
}

/// A step of a resource, with what must be there before it.
#[derive(Debug, Clone)]
pub struct Stage<S: Scheme> {
    /// What is done.
    pub step: S::Step,
    /// What must be there first, besides the stages before this one.
    pub needs: Vec<Need<S::Kind>>,
}

impl<S: Scheme> Stage<S> {
    /// A stage that needs nothing but the stages before it.
    pub fn new(step: S::Step) -> Self {
        Self {
            step,
            needs: Vec::new(),
        }
    }
}

/// Something that a stage needs of another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need<K> {
    /// The other resource.
    pub key: Key<K>,
    /// How many of its stages must be done.
    pub stages: usize,
    /// What it means when the other one is replaced.
    pub bond: Bond,
}

/// How closely one resource is tied to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It is made of the other: replaced together.
    Holds,
    /// It only has to come after the other.
    Follows,
}

/// A resource that exists and is ours.
#[derive(Debug, Clone)]
pub struct Found<S: Scheme> {
    /// What identifies it. One that can't be what we want under this key (a second container for
    /// one service) has a key of its own, and so is surplus.
    pub key: Key<S::Kind>,
    /// Whose it is, by its labels.
    pub owner: Owner,
    /// What the engine or the cloud calls it.
    pub id: Arc<str>,
    /// The hash of the specification that it was made from, by its labels.
    pub fingerprint: Option<Fingerprint>,
    /// How many of its stages are done.
    pub done: usize,
    /// Why not all of them are.
    pub lag: Option<Cause>,
    /// Why it can't be used any more, where it can't.
    pub unusable: Option<Cause>,
    /// What puts it right before its remaining stages, with the reason.
    pub repairs: Vec<(S::Step, Cause)>,
}
