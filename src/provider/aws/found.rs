//! What exists of an environment, as the planner wants to see it.

use std::collections::HashSet;
use std::sync::Arc;

use super::ec2::InstanceState;
use super::ecs::TaskState;
use super::names;
use super::observe::{Detail, Observed, Thing};
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
    // Of two for one seat the one that runs is its own, and then the one with the lower id.
    own.sort_by_key(|thing| (!runs(thing), Arc::clone(&thing.id)));
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for thing in own {
        let Some(mut resource) = judged(environment, thing) else {
            continue;
        };
        if !seen.insert(resource.key.clone()) {
            let name = format!("{} ({})", resource.key.name, thing.id);
            resource.key = Key::new(resource.key.kind, name);
        } else if let Some(stack) = stack(thing)
            && resource.unusable.is_none()
            && keeps(&resource)
        {
            found.push(stack);
        }
        found.push(resource);
    }
    found
}

fn runs(thing: &Thing) -> bool {
    match &thing.detail {
        Detail::Instance(instance) => instance.state == InstanceState::Running,
        Detail::Task(task) => task.state == TaskState::Running,
        _ => true,
    }
}

/// How far it is, and what is the matter with it; nothing of what is over.
fn judged(environment: &Environment, thing: &Thing) -> Option<Found<Aws>> {
    let mut resource = resource(thing);
    let behind = |words: &str| Some(Cause::Behind(words.into()));
    (resource.done, resource.lag) = match &thing.detail {
        Detail::Instance(instance) => match instance.state {
            state if state.is_over() => return None,
            InstanceState::Running => (2, None),
            InstanceState::Stopped => {
                resource.unusable = Some(Cause::Broken("stopped".into()));
                (1, None)
            }
            _ => (1, behind("not known to run yet")),
        },
        Detail::Task(task) => match (task.state, task.healthy) {
            (TaskState::Over, _) => return None,
            (_, Some(false)) => {
                resource.unusable = Some(Cause::Broken("unhealthy".into()));
                (1, None)
            }
            _ if task.is_ready(&environment.stack) => (2, None),
            _ => (1, behind("not known to be ready yet")),
        },
        _ => (1, None),
    };
    Some(resource)
}

/// What exists of what tasks share. The network is looked at by itself.
pub fn shared(environment: &Environment, observed: &Observed) -> Vec<Found<Aws>> {
    let own = observed.of(&environment.name);
    let own = own.filter(|thing| thing.ownership.owner == Owner::Shared);
    own.filter_map(|thing| {
        let done = match (&thing.kind, &thing.detail) {
            (AwsKind::LogGroup, Detail::LogGroup(days)) => 1 + usize::from(days.is_some()),
            (AwsKind::Role, Detail::Role { has_policy }) => 1 + usize::from(*has_policy),
            (AwsKind::Cluster | AwsKind::Definition, _) => 1,
            _ => return None,
        };
        Some(Found {
            done,
            ..resource(thing)
        })
    })
    .collect()
}

/// What runs in an instance, by its tag. One that was to go may be there as it was, with its data.
fn stack(thing: &Thing) -> Option<Found<Aws>> {
    let found = thing.instance()?;
    let print = found.stack.as_ref()?;
    let instance = resource(thing);
    Some(Found {
        key: Key::new(AwsKind::Stack, instance.key.name),
        fingerprint: Some(Fingerprint::from_label(print)),
        done: STACK_STAGES,
        unusable: (!found.has_stack()).then(|| Cause::Broken("taken away in part".into())),
        ..resource(thing)
    })
}

/// Everything of ours that is there, to be taken away.
pub fn resource(thing: &Thing) -> Found<Aws> {
    let ownership = &thing.ownership;
    let name = match (thing.kind, ownership.owner) {
        (AwsKind::Instance | AwsKind::Task, Owner::Seat(seat)) => {
            names::seat(&ownership.environment, seat).into()
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::seat::SeatState;
    use crate::provider::aws::ec2::{Instance, Place};
    use crate::provider::aws::ecs::fixture;
    use crate::provider::aws::status;
    use crate::provider::aws::tags::GOING;
    use crate::provider::labels::Ownership;

    #[test]
    fn a_stack_that_was_to_go_is_not_ready_and_goes_before_another_one_comes() {
        let environment = fixture::built_in();
        let seat = fixture::seat(1);
        let judged = |stack: &str| {
            let instance = Instance {
                state: InstanceState::Running,
                reason: None,
                place: Place {
                    kind: "t3.small".into(),
                    subnet: "subnet-1".into(),
                },
                address: None,
                private_address: None,
                index: 0,
                stack: Some(stack.to_owned()),
            };
            let observed = Observed {
                things: vec![Thing {
                    kind: AwsKind::Instance,
                    id: "i-1".into(),
                    ownership: Ownership {
                        environment: environment.name.clone(),
                        owner: Owner::Seat(seat),
                        service: None,
                        expires: None,
                        fingerprint: None,
                        key: None,
                    },
                    detail: Detail::Instance(instance),
                }],
                ..Observed::default()
            };
            let found = found(&environment, &observed, |_| true, |_| true);
            let stack = found.iter().find(|found| found.key.kind == AwsKind::Stack);
            let state = status::seats(&environment, &observed, &[seat])[0].state;
            (stack.unwrap().unusable.is_some(), state)
        };
        assert_eq!(judged("print"), (false, SeatState::Ready));
        assert_eq!(judged(GOING), (true, SeatState::Starting));
    }
}
