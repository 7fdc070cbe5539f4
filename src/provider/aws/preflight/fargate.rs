//! Room for tasks on Fargate, whose quotas count virtual processors.

use aws_sdk_ecs::types::{DesiredStatus, LaunchType, Task};

use super::need::Need;
use super::quota::{self, Quota, Room};
use crate::engine::Failure;
use crate::model::aws::Capacity;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::preflight::Check;

/// How many tasks one DescribeTasks call takes (Amazon ECS API reference, "DescribeTasks").
const MOST_DESCRIBED: usize = 100;
const UNITS: u64 = 1024;

const ON_DEMAND: Quota = Quota {
    service: "fargate",
    code: "L-3032A538",
    name: "Fargate On-Demand vCPU resource count",
    unit: "vCPUs",
};
const SPOT: Quota = Quota {
    service: "fargate",
    code: "L-36FBB829",
    name: "Fargate Spot vCPU resource count",
    unit: "vCPUs",
};

/// The quota in which tasks on Fargate count; none where they run on instances, which have what they
/// have.
pub fn quota_of(capacity: Capacity) -> Option<Quota> {
    match capacity {
        Capacity::Fargate => Some(ON_DEMAND),
        Capacity::FargateSpot => Some(SPOT),
        Capacity::Ec2 => None,
    }
}

/// A task that counts in a quota, with its CPU units.
#[derive(Debug)]
pub struct Running {
    arn: String,
    units: u64,
}

/// Asks for the room for tasks, where they have a quota.
pub async fn look(session: &Session, capacity: Capacity) -> Option<Room<Running>> {
    let quota = quota_of(capacity)?;
    Some(Room::ask(session, quota, counted(session, capacity)).await)
}

/// Whether there is room for the tasks that the plan runs.
pub fn check(session: &Session, need: &Need, room: &Room<Running>) -> Check {
    match (&room.value, &room.running) {
        (Ok(value), Ok(running)) => {
            let used = used(need, running);
            judge(session, room.quota, *value, used, need)
        }
        (Err(failure), _) | (_, Err(failure)) => quota::unknown(room.quota, failure),
    }
}

/// `used` is in CPU units.
fn judge(session: &Session, quota: Quota, value: u64, used: u64, need: &Need) -> Check {
    // Rounded so that both together are what is needed.
    let (used_cpus, enough) = (
        used / UNITS,
        (used + need.tasks * need.task_cpu).div_ceil(UNITS),
    );
    let room = (value * UNITS)
        .saturating_sub(used)
        .checked_div(need.task_cpu)
        .unwrap_or_default();
    quota::judge(session, quota, value, used_cpus, enough - used_cpus, room)
}

/// The CPU units of these tasks, without those that the plan takes away.
fn used(need: &Need, running: &[Running]) -> u64 {
    let stays = running
        .iter()
        .filter(|task| !need.freed.contains(&*task.arn));
    stays.map(|task| task.units).sum()
}

/// The account's tasks that count in the same quota, whosever they are.
async fn counted(session: &Session, capacity: Capacity) -> Result<Vec<Running>, Failure> {
    let request = |token| session.ecs.list_clusters().set_next_token(token).send();
    let clusters = session.pages(Action::ecs("ListClusters"), request, |page| {
        (page.cluster_arns.unwrap_or_default(), page.next_token)
    });
    let read = |task: Task| {
        let spot = task.capacity_provider_name() == Some("FARGATE_SPOT");
        let units = task.cpu()?.parse().ok()?;
        let arn = task
            .task_arn
            .filter(|_| spot == (capacity == Capacity::FargateSpot))?;
        Some(Running { arn, units })
    };
    let mut counted = Vec::new();
    for cluster in clusters.await? {
        let tasks = running(session, &cluster).await?;
        counted.extend(tasks.into_iter().filter_map(read));
    }
    Ok(counted)
}

/// The tasks of a cluster that run on Fargate, or are to.
async fn running(session: &Session, cluster: &str) -> Result<Vec<Task>, Failure> {
    let request = |token| {
        let request = session.ecs.list_tasks().cluster(cluster);
        let request = request
            .desired_status(DesiredStatus::Running)
            .launch_type(LaunchType::Fargate);
        request.set_next_token(token).send()
    };
    let arns = session.pages(Action::ecs("ListTasks"), request, |page| {
        (page.task_arns.unwrap_or_default(), page.next_token)
    });
    let mut tasks = Vec::new();
    for arns in arns.await?.chunks(MOST_DESCRIBED) {
        let request = session.ecs.describe_tasks().cluster(cluster);
        let request = request.set_tasks(Some(arns.to_vec()));
        let action = Action::ecs("DescribeTasks");
        let answer = session.call(action, || request.clone().send()).await?;
        tasks.extend(answer.tasks.unwrap_or_default());
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::preflight::Verdict;

    #[test]
    fn what_the_plan_takes_away_uses_nothing() {
        let need = Need {
            freed: ["gone".into()].into(),
            ..Need::default()
        };
        let running = ["gone", "stays", "stays too"].map(|arn| Running {
            arn: arn.to_owned(),
            units: 512,
        });
        assert_eq!(used(&need, &running), 1024);
    }

    #[test]
    fn parts_of_processors_are_added_up_before_they_are_rounded() {
        let need = Need {
            tasks: 23,
            task_cpu: 512,
            ..Need::default()
        };
        let judged = |value, used| {
            let check = judge(&Session::of_nobody(), ON_DEMAND, value, used, &need);
            (check.verdict, check.hint.unwrap_or_default())
        };
        // 11.5 and a half.
        assert_eq!(judged(12, 512).0, Verdict::Passed);
        let (verdict, hint) = judged(12, 1024);
        assert_eq!(verdict, Verdict::Failed);
        assert!(hint.contains("ask for 13 or more"), "{hint}");
        assert!(hint.contains("room for 22 seats"), "{hint}");
        assert!(!judged(6, 6144).1.contains("room"));
    }
}
