//! From what exists to what is wanted, with the fewest changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::teardown::push_deletions;
use super::{ActionId, Bond, Cause, Desired, Found, Key, Left, Operation, Plan, Rest, Scheme};
use crate::model::seat::Owner;

/// How far converging goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Only what is missing, changed or broken.
    Repair,
    /// A fresh start: everything of a seat is made anew but what a reset keeps.
    Reset {
        /// Whether the workspace, which a reset keeps otherwise, is made anew too.
        workspace: bool,
    },
    /// What is left of a reset that another plan began, and a repair of all else.
    Finish(Rest),
}

impl Mode {
    /// Whether what was found is to go, be it for the reset's sake or for its own.
    pub fn replaces<S: Scheme>(&self, wanted: &Desired<S>, found: &Found<S>) -> bool {
        found.unusable.is_some()
            || self.renews(wanted, found)
            || found.fingerprint.as_ref() != Some(&wanted.fingerprint)
    }

    /// Whether what was found is to go although nothing is the matter with it.
    fn renews<S: Scheme>(&self, wanted: &Desired<S>, found: &Found<S>) -> bool {
        let Owner::Seat(seat) = wanted.owner else {
            return false;
        };
        match self {
            Self::Repair => false,
            Self::Reset { workspace } => wanted.on_reset.renews(*workspace),
            Self::Finish(rest) => match rest.seats.get(&seat) {
                None => false,
                Some(Left::All) => wanted.on_reset.renews(rest.workspace),
                Some(Left::Only(old)) => {
                    old.contains(&(found.key.kind.to_string(), Arc::clone(&found.id)))
                }
            },
        }
    }
}

/// What happens to one wanted resource.
struct Fate {
    /// The first stage still to be done.
    from: usize,
    /// Why, where anything is to be done.
    cause: Cause,
    /// Whether it is created, be it for the first time or anew.
    anew: bool,
}

/// The plan that turns `found` into `desired`.
///
/// `desired` holds the wanted resources of the seats in scope, each after all that it is made of.
/// `found` holds what exists of the same seats; what is in it and not wanted is taken away.
pub fn converge<S: Scheme>(desired: &[Desired<S>], found: Vec<Found<S>>, mode: &Mode) -> Plan<S> {
    let mut plan = Plan::empty();
    let mut existing: HashMap<Key<S::Kind>, Found<S>> = HashMap::with_capacity(found.len());
    let mut surplus: Vec<(Found<S>, Cause)> = Vec::new();
    let wanted: HashSet<&Key<S::Kind>> = desired.iter().map(|resource| &resource.key).collect();
    for resource in found {
        if wanted.contains(&resource.key) {
            existing.insert(resource.key.clone(), resource);
        } else {
            surplus.push((resource, Cause::Unwanted));
        }
    }

    let mut fates: HashMap<&Key<S::Kind>, Fate> = HashMap::with_capacity(desired.len());
    // What is made anew as it was holds what its successor is to get (a host port, a name), and nothing
    // else of that kind.
    let mut alike: HashMap<&Key<S::Kind>, &Desired<S>> = HashMap::new();
    for resource in desired {
        let fate = decide(resource, existing.get(&resource.key), &fates, mode);
        if fate.anew
            && let Some(old) = existing.remove(&resource.key)
        {
            if old.fingerprint.as_ref() == Some(&resource.fingerprint) {
                alike.insert(&resource.key, resource);
            }
            surplus.push((old, fate.cause.clone()));
        }
        fates.insert(&resource.key, fate);
    }

    push_deletions(&mut plan, surplus, |holder, held| {
        alike
            .get(holder)
            .is_none_or(|resource| resource.holds(held))
    });
    let mut deletions: HashMap<Owner, Vec<ActionId>> = HashMap::new();
    let mut before: HashMap<&Key<S::Kind>, ActionId> = HashMap::new();
    for action in &plan.actions {
        match alike.get_key_value(&action.key) {
            Some((key, _)) => _ = before.insert(key, action.id),
            None => deletions.entry(action.owner).or_default().push(action.id),
        }
    }
    let mut stages: HashMap<&Key<S::Kind>, Vec<Option<ActionId>>> =
        HashMap::with_capacity(desired.len());
    // A stage may need one of a resource that stands later (a service may be declared before those
    // it depends on), so edges are added when every action has its place.
    let mut edges: Vec<(ActionId, &Key<S::Kind>, usize)> = Vec::new();
    let order = in_order_of_needs(desired);
    for &index in &order {
        let resource = &desired[index];
        let fate = &fates[&resource.key];
        let mut previous: Option<ActionId> = None;
        let mut push = |plan: &mut Plan<S>, step: &S::Step, cause: &Cause| {
            let after = match previous {
                Some(id) => vec![id],
                None => deletions
                    .get(&resource.owner)
                    .into_iter()
                    .flatten()
                    .chain(before.get(&resource.key))
                    .copied()
                    .collect(),
            };
            let id = plan.push(
                resource.owner,
                &resource.key,
                resource.service.clone(),
                Operation::Bring(step.clone()),
                cause.clone(),
                after,
            );
            previous = Some(id);
            id
        };
        if let Some(old) = existing.get(&resource.key) {
            for (step, cause) in &old.repairs {
                push(&mut plan, step, cause);
            }
        }
        let mut ids = vec![None; resource.stages.len()];
        for (number, stage) in resource.stages.iter().enumerate().skip(fate.from) {
            let id = push(&mut plan, &stage.step, &fate.cause);
            ids[number] = Some(id);
            for need in &stage.needs {
                if need.stages > 0 {
                    edges.push((id, &need.key, need.stages - 1));
                }
            }
        }
        stages.insert(&resource.key, ids);
    }
    for (id, key, stage) in edges {
        if let Some(Some(needed)) = stages.get(key).and_then(|ids| ids.get(stage)) {
            plan.actions[id].after.push(*needed);
        }
    }
    plan.seats = desired
        .iter()
        .filter_map(|resource| resource.owner.seat())
        .collect();
    plan.seats.sort_unstable();
    plan.seats.dedup();
    plan
}

fn decide<S: Scheme>(
    wanted: &Desired<S>,
    existing: Option<&Found<S>>,
    fates: &HashMap<&Key<S::Kind>, Fate>,
    mode: &Mode,
) -> Fate {
    let anew = |cause| Fate {
        from: 0,
        cause,
        anew: true,
    };
    let Some(found) = existing else {
        return anew(Cause::Missing);
    };
    if let Some(cause) = &found.unusable {
        return anew(cause.clone());
    }
    if mode.renews(wanted, found) {
        return anew(Cause::Reset);
    }
    if found.fingerprint.as_ref() != Some(&wanted.fingerprint) {
        return anew(Cause::Changed);
    }
    let remade = wanted
        .stages
        .iter()
        .flat_map(|stage| &stage.needs)
        .filter(|need| need.bond == Bond::Holds)
        .find(|need| fates.get(&need.key).is_some_and(|fate| fate.anew));
    if let Some(need) = remade {
        return anew(Cause::Follows(need.key.to_string().into()));
    }
    Fate {
        from: found.done.min(wanted.stages.len()),
        cause: found
            .lag
            .clone()
            .unwrap_or_else(|| Cause::Behind(Arc::from("not complete"))),
        anew: false,
    }
}

/// The resources in an order in which each stands after those that it needs, as far as there is
/// one, so that a plan reads (and could be done) from top to bottom.
fn in_order_of_needs<S: Scheme>(desired: &[Desired<S>]) -> Vec<usize> {
    fn visit<S: Scheme>(
        index: usize,
        desired: &[Desired<S>],
        places: &HashMap<&Key<S::Kind>, usize>,
        seen: &mut [bool],
        order: &mut Vec<usize>,
    ) {
        if std::mem::replace(&mut seen[index], true) {
            return;
        }
        for need in desired[index].stages.iter().flat_map(|stage| &stage.needs) {
            if let Some(&other) = places.get(&need.key) {
                visit(other, desired, places, seen, order);
            }
        }
        order.push(index);
    }
    let places: HashMap<&Key<S::Kind>, usize> = desired
        .iter()
        .enumerate()
        .map(|(index, resource)| (&resource.key, index))
        .collect();
    let mut seen = vec![false; desired.len()];
    let mut order = Vec::with_capacity(desired.len());
    for index in 0..desired.len() {
        visit(index, desired, &places, &mut seen, &mut order);
    }
    order
}
