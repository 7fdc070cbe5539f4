//! What of a reset is still to be made, from one plan to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ActionId, Mode, Operation, Plan, Scheme};
use crate::model::SeatNumber;
use crate::model::seat::Owner;

/// What is left of a reset, seat by seat. A seat that is not in it is only repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Whether the workspace is made anew too.
    pub workspace: bool,
    /// What is left of each seat's.
    pub seats: BTreeMap<SeatNumber, Left>,
}

/// What is left of one seat's reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// All of it: nothing could be planned for that seat.
    All,
    /// Only these old resources. Whatever else of the seat was to go has gone, and what stands in its
    /// place is new and may be at work.
    Only(BTreeSet<Old>),
}

/// An old resource: what kind of thing it is, and what the engine or the cloud calls it. Two things may
/// have one such name, as what runs in a machine has the machine's.
pub type Old = (String, Arc<str>);

impl Mode {
    /// How to go on after `plan`, made in this mode, was carried out as far as it went. `has_failed`
    /// tells of each of its actions whether it failed.
    pub fn after<S: Scheme>(&self, plan: &Plan<S>, has_failed: impl Fn(ActionId) -> bool) -> Self {
        let workspace = match self {
            Self::Repair => return Self::Repair,
            Self::Reset { workspace } | Self::Finish(Rest { workspace, .. }) => *workspace,
        };
        let mut seats: BTreeMap<SeatNumber, Left> = BTreeMap::new();
        let mut undone: BTreeSet<ActionId> = BTreeSet::new();
        for action in &plan.actions {
            let (Operation::Delete(id), Owner::Seat(seat)) = (&action.operation, action.owner)
            else {
                continue;
            };
            // A deletion comes after other deletions only, and these stand before it.
            if !has_failed(action.id) && !action.after.iter().any(|other| undone.contains(other)) {
                continue;
            }
            undone.insert(action.id);
            let left = seats
                .entry(seat)
                .or_insert_with(|| Left::Only(BTreeSet::new()));
            if let Left::Only(old) = left {
                old.insert((action.key.kind.to_string(), Arc::clone(id)));
            }
        }
        for blocked in &plan.blocked {
            let left = match self {
                Self::Finish(rest) => rest.seats.get(&blocked.seat).cloned(),
                _ => Some(Left::All),
            };
            seats.extend(left.map(|left| (blocked.seat, left)));
        }
        Self::Finish(Rest { workspace, seats })
    }
}
