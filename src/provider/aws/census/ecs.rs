//! What of ECS is there: it remembers clusters, tasks and definitions beyond their end.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::TaskDefinitionStatus;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::engine::{Failure, FailureClass};
use crate::provider::aws::Session;
use crate::provider::aws::ecs::MOST_DESCRIBED;
use crate::provider::aws::limits::Action;

/// How many definitions are asked for at a time, each with a call of its own.
const AT_A_TIME: usize = 16;

/// The ARNs of those of these clusters that are there.
///
/// # Errors
/// What AWS says.
pub(super) async fn clusters(session: &Session, arns: &[&str]) -> Result<Vec<String>, Failure> {
    let mut there = Vec::new();
    for arns in arns.chunks(MOST_DESCRIBED) {
        let request = session.ecs.describe_clusters();
        let request = request.set_clusters(Some(owned(arns)));
        let action = Action::ecs("DescribeClusters");
        let answer = session.call(action, || request.clone().send()).await?;
        let found = answer.clusters.unwrap_or_default().into_iter();
        let found = found.filter(|cluster| cluster.status() != Some("INACTIVE"));
        there.extend(found.filter_map(|cluster| cluster.cluster_arn));
    }
    Ok(there)
}

/// The ARNs of those of these tasks that are not over.
///
/// # Errors
/// What AWS says.
pub(super) async fn tasks(session: &Session, arns: &[&str]) -> Result<Vec<String>, Failure> {
    let mut by_cluster: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for arn in arns {
        // arn:…:task/CLUSTER/ID
        let cluster = arn.rsplit('/').nth(1).unwrap_or_default();
        by_cluster.entry(cluster).or_default().push(arn);
    }
    let mut there = Vec::new();
    for (cluster, arns) in by_cluster {
        for arns in arns.chunks(MOST_DESCRIBED) {
            let request = session.ecs.describe_tasks().cluster(cluster);
            let request = request.set_tasks(Some(owned(arns)));
            let action = Action::ecs("DescribeTasks");
            let found = match session.call(action, || request.clone().send()).await {
                // Without their cluster there are none.
                Err(failure) if failure.class == FailureClass::NotFound => continue,
                answer => answer?.tasks.unwrap_or_default().into_iter(),
            };
            let found = found.filter(|task| task.last_status() != Some("STOPPED"));
            there.extend(found.filter_map(|task| task.task_arn));
        }
    }
    Ok(there)
}

/// The ARNs of those of these task definitions that are neither gone nor on their way out.
///
/// # Errors
/// What AWS says.
pub(super) async fn definitions(session: &Session, arns: &[&str]) -> Result<Vec<String>, Failure> {
    let ask = |arn: String| async move {
        let request = session.ecs.describe_task_definition();
        let request = request.task_definition(&arn);
        let action = Action::ecs("DescribeTaskDefinition");
        let definition = match session.call(action, || request.clone().send()).await {
            // What is gone it calls nothing that it can describe.
            Err(failure)
                if matches!(
                    failure.class,
                    FailureClass::NotFound | FailureClass::Invalid
                ) =>
            {
                return Ok(None);
            }
            answer => answer?.task_definition,
        };
        let status = definition.and_then(|definition| definition.status);
        let is_there =
            status.is_some_and(|status| status != TaskDefinitionStatus::DeleteInProgress);
        Ok(Some(arn).filter(|_| is_there))
    };
    let all = stream::iter(owned(arns))
        .map(ask)
        .buffer_unordered(AT_A_TIME);
    let all: Vec<Option<String>> = all.try_collect().await?;
    Ok(all.into_iter().flatten().collect())
}

fn owned(arns: &[&str]) -> Vec<String> {
    arns.iter().map(|arn| (*arn).to_owned()).collect()
}
