//! Taking resources away, in the order in which they depend on each other.

use std::collections::HashMap;

use super::{ActionId, Cause, Found, Key, Operation, Plan, Scheme};
use crate::model::seat::Owner;

/// The plan that deletes all of `found`, each with its cause: kinds in the reverse of their
/// creation, what is shared after what belongs to seats.
pub fn teardown<S: Scheme>(found: Vec<(Found<S>, Cause)>) -> Plan<S> {
    let mut plan = Plan::empty();
    plan.seats = found
        .iter()
        .filter_map(|(resource, _)| resource.owner.seat())
        .collect();
    plan.seats.sort_unstable();
    plan.seats.dedup();
    push_deletions(&mut plan, found, |_, _| true);
    plan
}

/// Adds the deletions to `plan`. `may_hold` says whether a resource may be made of another one of its
/// owner's, of a kind that is created before its own.
pub(super) fn push_deletions<S: Scheme>(
    plan: &mut Plan<S>,
    mut found: Vec<(Found<S>, Cause)>,
    may_hold: impl Fn(&Key<S::Kind>, &Key<S::Kind>) -> bool,
) {
    // Seats first, what they share last; within an owner the kinds in reverse.
    found.sort_by(|(a, _), (b, _)| {
        let rank = |found: &Found<S>| (found.owner == Owner::Shared, found.owner);
        rank(a)
            .cmp(&rank(b))
            .then(b.key.kind.cmp(&a.key.kind))
            .then_with(|| a.key.cmp(&b.key))
    });
    let mut of_owner: HashMap<Owner, Vec<ActionId>> = HashMap::new();
    let mut of_seats: Vec<(S::Kind, ActionId)> = Vec::new();
    for (resource, cause) in found {
        let mut after: Vec<ActionId> = of_owner
            .get(&resource.owner)
            .into_iter()
            .flatten()
            .copied()
            .filter(|&id| {
                let other = &plan.actions[id].key;
                other.kind > resource.key.kind && may_hold(other, &resource.key)
            })
            .collect();
        if resource.owner == Owner::Shared {
            after.extend(
                of_seats
                    .iter()
                    .filter(|(kind, _)| *kind > resource.key.kind)
                    .map(|&(_, id)| id),
            );
        }
        let id = plan.push(
            resource.owner,
            &resource.key,
            None,
            Operation::Delete(resource.id),
            cause,
            after,
        );
        of_owner.entry(resource.owner).or_default().push(id);
        if resource.owner != Owner::Shared {
            of_seats.push((resource.key.kind, id));
        }
    }
}
