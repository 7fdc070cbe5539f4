//! What should exist of an environment on AWS.

use std::sync::Arc;

use jiff::Timestamp;

use super::ecs::parameters::Account;
use super::network::{self, Network};
use super::observe::Observed;
use super::scheme::Marks;
use super::{ec2, ecs};
use crate::engine::Failure;
use crate::model::environment::ProviderKind;
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::Fingerprint;

/// What the plan is made with, besides the environment.
pub struct Surroundings<'a> {
    /// Where.
    pub account: &'a Account,
    /// What exists.
    pub observed: &'a Observed,
    /// The availability zones of the environment's subnets.
    pub zones: &'a [Arc<str>],
    /// The fingerprint of the event key.
    pub key: &'a str,
    /// When what is created now may be swept away.
    pub expires: Timestamp,
}

/// What should exist of `seats`, with the network that they live in.
///
/// # Errors
/// What of the environment its provider can't do.
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    around: &Surroundings<'_>,
) -> Result<Network, Failure> {
    let marks = |owner, fingerprint: Fingerprint| Marks {
        owner,
        fingerprint,
        key: (owner != Owner::Shared).then(|| around.key.into()),
        expires: around.expires,
    };
    let mut network = network::desired(environment, around.observed, around.zones, |print| {
        marks(Owner::Shared, print)
    });
    let seats = match environment.provider {
        ProviderKind::Ecs => {
            let settings = ecs::TaskSettings {
                account: around.account,
                observed: around.observed,
                key: around.key,
                marks: &marks,
                network: &network.needs,
            };
            ecs::desired(environment, seats, &settings)?
        }
        _ => {
            let settings = ec2::InstanceSettings {
                observed: around.observed,
                zones: around.zones.len(),
                key: around.key,
                marks: &marks,
                place: &network.place,
                network: &network.needs,
            };
            ec2::desired(environment, seats, &settings)
        }
    };
    network.desired.extend(seats);
    Ok(network)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::SeatSet;
    use crate::plan::{ActionId, Operation, Plan};
    use crate::provider::aws::ecs::fixture;
    use crate::provider::aws::offline;
    use crate::provider::aws::scheme::{Aws, AwsStep};

    /// What `up` would do for one seat with that provider.
    fn plan(provider: ProviderKind) -> Plan<Aws> {
        let redis = "services: {redis: {image: 'docker.io/library/redis:7'}}";
        let lines = "seats: {count: 1}\nec2: {types: [t3.small]}\nstack: stack.yaml";
        let mut environment = fixture::with(lines, redis);
        environment.provider = provider;
        let seats = environment.selected(&SeatSet::all());
        offline::plan(&environment, &seats, Timestamp::UNIX_EPOCH).unwrap()
    }

    /// All that the step comes after, as `create VPC`.
    fn before(plan: &Plan<Aws>, is_it: impl Fn(&AwsStep) -> bool) -> BTreeSet<String> {
        let is_it = |operation: &Operation<Aws>| match operation {
            Operation::Bring(step) => is_it(step),
            _ => false,
        };
        let step = plan.actions.iter().find(|action| is_it(&action.operation));
        let mut open: Vec<ActionId> = step.unwrap().after.clone();
        let mut before = BTreeSet::new();
        while let Some(id) = open.pop() {
            let action = &plan.actions[id];
            if let Operation::Bring(step) = &action.operation
                && before.insert(format!("{step} {}", action.key.kind))
            {
                open.extend(&action.after);
            }
        }
        before
    }

    const PLACE: [&str; 3] = [
        "create subnet",
        "create security group",
        "attach internet gateway",
    ];
    const WAYS: [&str; 2] = ["open security group", "route internet gateway"];

    #[test]
    fn an_instance_is_launched_once_it_has_its_place_and_gets_its_stack_after_the_whole_network() {
        let plan = plan(ProviderKind::Ec2);
        let launched = before(&plan, |step| matches!(step, AwsStep::Launch(_)));
        let delivered = before(&plan, |step| matches!(step, AwsStep::Deliver(_)));
        for step in PLACE {
            assert!(launched.contains(step), "{step}: {launched:?}");
        }
        for step in WAYS {
            assert!(!launched.contains(step), "{step}: {launched:?}");
            assert!(delivered.contains(step), "{step}: {delivered:?}");
        }
    }

    #[test]
    fn a_task_has_its_secrets_from_its_beginning_and_begins_after_the_whole_network() {
        let plan = plan(ProviderKind::Ecs);
        let run = before(&plan, |step| matches!(step, AwsStep::RunTask(_)));
        for step in PLACE.into_iter().chain(WAYS).chain(["name VPC"]) {
            assert!(run.contains(step), "{step}: {run:?}");
        }
    }
}
