//! Taking away tasks and what they are made from.

use aws_sdk_ecs::types::Task as Described;

use super::observe::{described, own_tags};
use super::roles::POLICY;
use super::{TaskWatch, families};
use crate::engine::{Failure, FailureClass, Progress};
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::let_go;
use crate::provider::aws::scheme::AwsKind;
use crate::provider::aws::{Session, names, tags};

/// Takes something away. What is gone already is success.
///
/// # Errors
/// What AWS says: what is in the way.
pub async fn delete(
    session: &Session,
    kind: AwsKind,
    id: &str,
    watch: &TaskWatch,
    progress: &Progress,
) -> Result<(), Failure> {
    let result = match kind {
        AwsKind::Task => stop(session, id, watch, progress).await,
        AwsKind::Definition => families::delete(session, id).await,
        AwsKind::Role => delete_role(session, id).await,
        AwsKind::LogGroup => {
            let request = session.logs.delete_log_group().log_group_name(id);
            session
                .call(Action::logs("DeleteLogGroup"), move || {
                    request.clone().send()
                })
                .await
                .map(|_| ())
        }
        _ => let_go(|| delete_cluster(session, id), progress).await,
    };
    match result {
        Err(failure) if failure.class == FailureClass::NotFound => Ok(()),
        result => result,
    }
}

async fn stop(
    session: &Session,
    arn: &str,
    watch: &TaskWatch,
    progress: &Progress,
) -> Result<(), Failure> {
    // arn:…:task/CLUSTER/ID
    let cluster = arn.rsplit('/').nth(1).unwrap_or_default();
    let request = session.ecs.stop_task().cluster(cluster).task(arn);
    let request = request.reason("taken away by Seatbox");
    session
        .call(Action::ecs("StopTask"), move || request.clone().send())
        .await?;
    watch.over(session, cluster, arn, progress).await
}

/// Takes a cluster away, which AWS refuses as long as a task is in it: one of ours is about to end, and
/// somebody else's stays.
async fn delete_cluster(session: &Session, name: &str) -> Result<(), Failure> {
    const CALL: &str = "DeleteCluster";
    let request = session.ecs.delete_cluster().cluster(name);
    let action = Action::ecs(CALL);
    match session.call(action, || request.clone().send()).await {
        Err(failure) if failure.class == FailureClass::Conflict => {
            let tasks = described(session, name).await?;
            let is_ours = |task: &Described| {
                let ownership = tags::read(&own_tags(task.tags.clone()), None);
                ownership.is_some_and(|of| names::shared(&of.environment) == name)
            };
            let Some(guest) = tasks.iter().find(|task| !is_ours(task)) else {
                return Err(failure);
            };
            let arn = guest.task_arn().unwrap_or("a task");
            let message = format!("{arn} runs in it, which does not carry our tags");
            Err(Failure::new(FailureClass::Invalid, CALL, message)
                .with_hint("it is somebody else's: the cluster goes once that has ended"))
        }
        result => result.map(|_| ()),
    }
}

async fn delete_role(session: &Session, name: &str) -> Result<(), Failure> {
    let request = session
        .iam
        .delete_role_policy()
        .role_name(name)
        .policy_name(POLICY);
    match session
        .call(Action::iam("DeleteRolePolicy"), move || {
            request.clone().send()
        })
        .await
    {
        Err(failure) if failure.class != FailureClass::NotFound => return Err(failure),
        _ => {}
    }
    let request = session.iam.delete_role().role_name(name);
    session
        .call(Action::iam("DeleteRole"), move || request.clone().send())
        .await
        .map(|_| ())
}

/// Takes secrets away, ten with a call, and gives what came of each.
///
/// # Errors
/// What AWS says, where it is about all of them.
pub async fn delete_parameters(
    session: &Session,
    names: &[&str],
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let request = session.ssm.delete_parameters();
    let list = names.iter().map(|name| (*name).to_owned()).collect();
    let request = request.set_names(Some(list));
    // Those that are gone already are told as invalid, and no error.
    session
        .call(Action::ssm("DeleteParameters"), move || {
            request.clone().send()
        })
        .await?;
    Ok(vec![Ok(()); names.len()])
}
