//! The second look: at whatever carries our labels, by a list that knows nothing of kinds. What the
//! lists of each kind leave out shows there.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Thing, Verdict};
use crate::engine::{Failure, FailureClass};
use crate::expiry::{End, Ends};
use crate::model::EnvironmentName;
use crate::model::seat::Owner;
use crate::provider::{Listed, Provider};

/// The pauses before what seems to be there still is asked for again: what was just deleted may show
/// for a moment.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// A look by another list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondLook {
    /// When.
    pub at: Timestamp,
    /// What was seen, or why nothing was.
    pub seen: Result<Seen, Failure>,
}

/// What a look by another list found of what was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many things are on the list.
    pub listed: usize,
    /// How many of those are there still. The others are gone, and only on the list yet.
    pub left: usize,
}

impl SecondLook {
    /// Whether it speaks against that everything is gone. Who may not read the list can't have the
    /// look, however often: that is for the certificate to tell, and nothing to try again for.
    pub fn is_clean(&self) -> bool {
        match &self.seen {
            Ok(seen) => seen.left == 0,
            Err(failure) => failure.class == FailureClass::Denied,
        }
    }
}

/// Looks by another list, where the place has one. What is left is given with a word on why. `judge`
/// is told when an environment ends by what the lists of each kind say, which is `ends`; where they
/// know nothing of it, by this one.
pub(super) async fn look<P: Provider>(
    provider: &P,
    named: &[EnvironmentName],
    judge: &impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    ends: &Ends,
    clock: &impl Fn() -> Timestamp,
    cancel: &CancellationToken,
) -> Option<(SecondLook, Vec<(Thing, Failure)>)> {
    let failed = |failure| {
        let seen = Err(failure);
        Some((SecondLook { at: clock(), seen }, Vec::new()))
    };
    let listed = match provider.census(named).await {
        Ok(listed) => listed?,
        Err(failure) => return failed(failure),
    };
    let meant = meant(listed, judge, ends);
    let count = meant.len();
    let mut left = meant;
    let mut pauses = PAUSES.iter();
    loop {
        left = match provider.still_there(left).await {
            Ok(left) => left,
            Err(failure) => return failed(failure),
        };
        let Some(pause) = pauses.next().filter(|_| !left.is_empty()) else {
            break;
        };
        tokio::select! {
            () = tokio::time::sleep(*pause) => {}
            () = cancel.cancelled() => break,
        }
    }
    let seen = Seen {
        listed: count,
        left: left.len(),
    };
    let left = left.iter().map(|listed| (Thing::from(listed), unknown()));
    let look = SecondLook {
        at: clock(),
        seen: Ok(seen),
    };
    Some((look, left.collect()))
}

/// What of the list was to go.
fn meant(
    listed: Vec<Listed>,
    judge: &impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    ends: &Ends,
) -> Vec<Listed> {
    let by_list = Ends::of(listed.iter().map(|listed| {
        let ownership = &listed.ownership;
        (&ownership.environment, ownership.expires.as_ref())
    }));
    let is_meant = |listed: &Listed| {
        let ownership = &listed.ownership;
        let environment = &ownership.environment;
        let end = if ends.know(environment) {
            ends.get(environment)
        } else {
            by_list.get(environment)
        };
        matches!(judge(environment, ownership.owner, end), Verdict::Take(_))
    };
    listed.into_iter().filter(is_meant).collect()
}

fn unknown() -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "look again",
        "it carries our labels and is nothing that Seatbox makes, or its own service does not list it",
    )
    .with_hint("delete it by hand, or take the labels off it")
}
