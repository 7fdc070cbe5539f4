//! How long a plan's calls take, by the buckets that AWS publishes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::ecs;
use super::limits::Action;
use super::limits::simulate::{self, After, Demand};
use super::scheme::{
    Aws, AwsKind, AwsStep, MOST_LAUNCHED, MOST_PARAMETERS, MOST_TAGGED, MOST_TERMINATED,
};
use crate::model::aws::Capacity;
use crate::plan::{self, ActionId, Operation, Plan};

/// How many instances one page of a listing tells of (Amazon EC2 API reference, "DescribeInstances").
const INSTANCES_A_PAGE: usize = 1000;

/// How long the calls of `plan` are expected to take, by an account whose buckets are full. What they
/// start and wait for, instances that boot and images that are pulled, comes on top.
pub fn forecast(plan: &Plan<Aws>, capacity: Capacity) -> Duration {
    simulate::expected(&demands(plan, capacity))
}

/// How long they take at best: by one who is alone in the account, knows AWS's buckets to the token, and
/// is never throttled.
pub fn at_best(plan: &Plan<Aws>, capacity: Capacity) -> Duration {
    simulate::at_best(&demands(plan, capacity))
}

/// Calls of one kind, that one action each may begin as soon as what is before it is done: those of
/// one action that all seats share, or the same ones of all seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Of the shared action, its calls one after the other.
    Shared(ActionId, usize),
    /// Of the seats' resources of that kind, by the API's own name; of one group, where one call may
    /// serve several.
    Seats(AwsKind, &'static str, u64),
}

/// What a stage is.
#[derive(Debug)]
struct Calls {
    call: Call,
    actions: usize,
    after: BTreeSet<Stage>,
    /// How many actions stand one behind the other up to here, at most.
    depth: usize,
}

/// An API's call that serves actions.
#[derive(Debug, Clone, Copy)]
struct Call {
    action: Action,
    /// How many actions one call serves at most.
    serves: usize,
}

impl Call {
    const fn one(action: Action) -> Self {
        Self::many(action, 1)
    }

    const fn many(action: Action, serves: usize) -> Self {
        Self { action, serves }
    }
}

/// The calls of a plan, by what must come before them.
fn demands(plan: &Plan<Aws>, capacity: Capacity) -> Vec<Demand> {
    let mut stages: BTreeMap<Stage, Calls> = BTreeMap::new();
    // With which stages each action ends, and how deep it stands.
    let mut ends: Vec<(BTreeSet<Stage>, usize)> = Vec::with_capacity(plan.actions.len());
    for action in &plan.actions {
        let mut after = BTreeSet::new();
        let mut depth = 0;
        for earlier in &action.after {
            let (stages, reached) = &ends[*earlier];
            after.extend(stages.iter().copied());
            depth = depth.max(*reached);
        }
        for (place, call) in calls(action, capacity).into_iter().enumerate() {
            let stage = match action.owner.seat() {
                Some(_) => Stage::Seats(action.key.kind, call.action.name, action.group()),
                None => Stage::Shared(action.id, place),
            };
            depth += 1;
            let known = stages.entry(stage).or_insert_with(|| Calls {
                call,
                actions: 0,
                after: BTreeSet::new(),
                depth: 0,
            });
            known.actions += 1;
            known.depth = known.depth.max(depth);
            known.after.append(&mut after);
            after.insert(stage);
        }
        ends.push((after, depth));
    }
    // What is waited for must stand earlier.
    let mut order: Vec<Stage> = stages.keys().copied().collect();
    order.sort_by_key(|stage| stages[stage].depth);
    let places: BTreeMap<Stage, usize> = order.iter().copied().zip(0..).collect();
    let demand = |stage: &Stage| demand(*stage, &stages[stage], &places);
    order.iter().map(demand).collect()
}

fn demand(stage: Stage, calls: &Calls, places: &BTreeMap<Stage, usize>) -> Demand {
    let Call { action, serves } = calls.call;
    let count = calls.actions.div_ceil(serves);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut demand = Demand {
        units_per_call: number(calls.actions.div_ceil(count)),
        ..Demand::new(action, number(count))
    };
    if !action.changes() {
        // The pages of one listing.
        demand.at_once = 1;
    }
    for earlier in &calls.after {
        demand = demand.after(match (stage, earlier) {
            (Stage::Seats(..), Stage::Seats(..)) => After::Each(places[earlier]),
            _ => After::All(places[earlier]),
        });
    }
    demand
}

/// The calls that an action makes when all goes well, one after the other. What is done in an instance,
/// over SSH, is none.
fn calls(action: &plan::Action<Aws>, capacity: Capacity) -> Vec<Call> {
    match &action.operation {
        Operation::Bring(step) => bring(step, capacity),
        Operation::Delete(_) => delete(action.key.kind),
    }
}

fn bring(step: &AwsStep, capacity: Capacity) -> Vec<Call> {
    let ec2 = |name| vec![Call::one(Action::ec2(name))];
    match step {
        AwsStep::Claim(..) | AwsStep::Finish | AwsStep::PutParameter(_) => {
            vec![Call::one(Action::ssm("PutParameter"))]
        }
        AwsStep::CreateVpc(_) => ec2("CreateVpc"),
        AwsStep::EnableNames => ec2("ModifyVpcAttribute"),
        AwsStep::CreateGateway(_) => ec2("CreateInternetGateway"),
        AwsStep::Attach => ec2("AttachInternetGateway"),
        AwsStep::Route => vec![
            Call::one(Action::ec2("DescribeRouteTables")),
            Call::one(Action::ec2("CreateRoute")),
        ],
        AwsStep::CreateSubnet(_) => ec2("CreateSubnet"),
        AwsStep::CreateGroup(_) => ec2("CreateSecurityGroup"),
        AwsStep::SetRules(_) => ec2("AuthorizeSecurityGroupIngress"),
        AwsStep::Launch(_) => vec![Call::many(Action::ec2("RunInstances"), MOST_LAUNCHED)],
        AwsStep::AwaitRunning => vec![Call::many(
            Action::ec2("DescribeInstances"),
            INSTANCES_A_PAGE,
        )],
        AwsStep::Deliver(_) | AwsStep::StartStack(_) | AwsStep::AwaitStack(_) => Vec::new(),
        AwsStep::Mark(_) => vec![Call::many(Action::ec2("CreateTags"), MOST_TAGGED)],
        AwsStep::CreateLogGroup(_) => vec![Call::one(Action::logs("CreateLogGroup"))],
        AwsStep::Retain => vec![Call::one(Action::logs("PutRetentionPolicy"))],
        AwsStep::CreateRole(..) => vec![Call::one(Action::iam("CreateRole"))],
        AwsStep::Permit(_) => vec![Call::one(Action::iam("PutRolePolicy"))],
        AwsStep::CreateCluster(_) => vec![Call::one(Action::ecs("CreateCluster"))],
        AwsStep::Register(_) => vec![Call::one(Action::ecs("RegisterTaskDefinition"))],
        AwsStep::RunTask(_) => vec![Call::one(ecs::run_task(capacity))],
        AwsStep::AwaitTask(_) => vec![Call::many(
            Action::ecs("DescribeTasks"),
            ecs::MOST_DESCRIBED,
        )],
    }
}

fn delete(kind: AwsKind) -> Vec<Call> {
    let ec2 = |name| Call::one(Action::ec2(name));
    match kind {
        AwsKind::Claim => vec![Call::one(Action::ssm("DeleteParameter"))],
        AwsKind::Vpc => vec![ec2("DeleteVpc")],
        AwsKind::Gateway => vec![
            ec2("DescribeInternetGateways"),
            ec2("DetachInternetGateway"),
            ec2("DeleteInternetGateway"),
        ],
        AwsKind::Subnet => vec![ec2("DeleteSubnet")],
        AwsKind::SecurityGroup => vec![ec2("DeleteSecurityGroup")],
        AwsKind::LogGroup => vec![Call::one(Action::logs("DeleteLogGroup"))],
        AwsKind::Role => vec![
            Call::one(Action::iam("DeleteRolePolicy")),
            Call::one(Action::iam("DeleteRole")),
        ],
        AwsKind::Cluster => vec![Call::one(Action::ecs("DeleteCluster"))],
        AwsKind::Network | AwsKind::Stack => Vec::new(),
        AwsKind::Volume => vec![ec2("DeleteVolume")],
        AwsKind::Interface => vec![ec2("DeleteNetworkInterface")],
        AwsKind::Parameter => {
            vec![Call::many(Action::ssm("DeleteParameters"), MOST_PARAMETERS)]
        }
        AwsKind::Definition => vec![
            Call::one(Action::ecs("DeregisterTaskDefinition")),
            // It would take ten; each family is deleted by itself.
            Call::one(Action::ecs("DeleteTaskDefinitions")),
        ],
        AwsKind::Task => vec![Call::one(Action::ecs("StopTask"))],
        AwsKind::Instance => vec![Call::many(
            Action::ec2("TerminateInstances"),
            MOST_TERMINATED,
        )],
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::SeatSet;
    use crate::provider::aws::ecs::fixture;
    use crate::provider::aws::offline;

    const ONE_REDIS: &str = "services: {redis: {image: 'docker.io/library/redis:7'}}";

    /// What `up` would do for so many seats of an environment with these lines.
    fn plan(seats: u32, lines: &str, stack: &str) -> Plan<Aws> {
        let mut environment = fixture::with(&format!("seats: {{count: {seats}}}\n{lines}"), stack);
        if lines.contains("types") {
            environment.provider = crate::model::environment::ProviderKind::Ec2;
        }
        let seats = environment.selected(&SeatSet::all());
        offline::plan(&environment, &seats, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn on_ec2(seats: u32) -> Plan<Aws> {
        plan(
            seats,
            "ec2: {types: [t3.small]}\nstack: stack.yaml",
            ONE_REDIS,
        )
    }

    fn with_secrets(seats: u32) -> Plan<Aws> {
        plan(seats, "stack: {template: go-redis-postgres}", "")
    }

    fn without_secrets(seats: u32) -> Plan<Aws> {
        plan(seats, "stack: stack.yaml", ONE_REDIS)
    }

    fn count(demands: &[Demand], name: &str) -> (u32, u32) {
        let meant = demands.iter().filter(|demand| demand.action.name == name);
        meant.fold((0, 0), |(calls, units), demand| {
            (
                calls + demand.calls,
                units + demand.calls * demand.units_per_call,
            )
        })
    }

    fn seconds(plan: &Plan<Aws>) -> f64 {
        forecast(plan, Capacity::Fargate).as_secs_f64()
    }

    #[test]
    fn instances_are_launched_a_zone_at_a_time() {
        let demands = demands(&on_ec2(23), Capacity::Fargate);
        assert_eq!(count(&demands, "RunInstances").0, 2);
        assert_eq!(count(&demands, "CreateVpc").0, 1);
        assert_eq!(count(&demands, "CreateSubnet").0, 2);
        assert_eq!(count(&demands, "CreateTags").0, 1);
    }

    #[test]
    fn a_seat_has_a_definition_of_its_own_where_it_has_secrets() {
        let demands = demands(&with_secrets(23), Capacity::Fargate);
        assert_eq!(count(&demands, "RegisterTaskDefinition").0, 23);
        assert_eq!(count(&demands, "RunTask").0, 23);
        let shared = super::demands(&without_secrets(23), Capacity::Fargate);
        assert_eq!(count(&shared, "RegisterTaskDefinition").0, 1);
        assert_eq!(count(&shared, "RunTask").0, 23);
    }

    #[test]
    fn what_is_waited_for_stands_earlier() {
        for plan in [on_ec2(23), with_secrets(23), without_secrets(23)] {
            let demands = demands(&plan, Capacity::Fargate);
            for (place, demand) in demands.iter().enumerate() {
                for After::All(earlier) | After::Each(earlier) in &demand.after {
                    assert!(*earlier < place, "{demands:#?}");
                }
            }
        }
    }

    #[test]
    fn the_slowest_bucket_decides() {
        // Four secrets a seat, and three puts a second (Systems Manager's default).
        let slow = seconds(&with_secrets(200));
        assert!((800.0 / 3.0..800.0 / 3.0 * 1.15).contains(&slow), "{slow}");
        // A hundred tasks at once, and twenty a second on Fargate.
        let quick = seconds(&without_secrets(200));
        assert!((5.0..20.0).contains(&quick), "{quick}");
        // Launches have room for a thousand instances.
        let instances = seconds(&on_ec2(200));
        assert!(instances < 5.0, "{instances}");
    }

    #[test]
    fn nothing_to_do_takes_no_time() {
        assert_eq!(forecast(&Plan::empty(), Capacity::Fargate), Duration::ZERO);
    }
}
