//! What exists of an environment, as the planner wants to see it.

use std::collections::HashSet;
use std::sync::Arc;

use super::ec2::{Instance, InstanceState};
use super::names;
use super::observe::{Observed, Thing};
use super::scheme::{Aws, AwsKind};
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Cause, Fingerprint, Found, Key};

/// How many stages a stack has that is ready: deliver, start, check, mark.
const STACK_STAGES: usize = 4;

/// What exists of the seats that `in_scope` picks. What runs in an instance is of no interest where
/// that goes, which `keeps` says.
pub fn found(
    environment: &Environment,
    observed: &Observed,
    in_scope: impl Fn(SeatNumber) -> bool,
    keeps: impl Fn(&Found<Aws>) -> bool,
) -> Vec<Found<Aws>> {
    let own = observed
        .of(&environment.name)
        .filter(|thing| thing.ownership.owner.seat().is_some_and(&in_scope));
    let mut own: Vec<&Thing> = own.collect();
    // Of two instances for one seat the one that runs is its own, and then the one with the lower id.
    own.sort_by_key(|thing| {
        let runs = thing
            .instance()
            .is_some_and(|i| i.state == InstanceState::Running);
        (!runs, Arc::clone(&thing.id))
    });
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for thing in own {
        let Some(instance) = thing
            .instance()
            .filter(|instance| !instance.state.is_over())
        else {
            continue;
        };
        let mut resource = resource(thing);
        (resource.done, resource.lag) = match instance.state {
            InstanceState::Running => (2, None),
            _ => (1, Some(Cause::Behind("not known to run yet".into()))),
        };
        if instance.state == InstanceState::Stopped {
            resource.unusable = Some(Cause::Broken("stopped".into()));
        }
        if !seen.insert(resource.key.clone()) {
            let name = format!("{} ({})", resource.key.name, thing.id);
            resource.key = Key::new(resource.key.kind, name);
        } else if let Some(stack) = stack(thing, instance)
            && resource.unusable.is_none()
            && keeps(&resource)
        {
            found.push(stack);
        }
        found.push(resource);
    }
    found
}

/// What runs in an instance, by its tag.
fn stack(thing: &Thing, instance: &Instance) -> Option<Found<Aws>> {
    let print = instance.stack.as_ref()?;
    let instance = resource(thing);
    Some(Found {
        key: Key::new(AwsKind::Stack, instance.key.name),
        fingerprint: Some(Fingerprint::from_label(print)),
        done: STACK_STAGES,
        ..resource(thing)
    })
}

/// Everything of ours that is there, to be taken away.
pub fn resource(thing: &Thing) -> Found<Aws> {
    let ownership = &thing.ownership;
    let name = match (thing.kind, ownership.owner) {
        (AwsKind::Instance, Owner::Seat(seat)) => names::seat(&ownership.environment, seat).into(),
        _ => Arc::clone(&thing.id),
    };
    Found {
        key: Key::new(thing.kind, name),
        owner: ownership.owner,
        id: Arc::clone(&thing.id),
        fingerprint: ownership.fingerprint.clone(),
        done: 1,
        lag: None,
        unusable: None,
        repairs: Vec::new(),
    }
}
