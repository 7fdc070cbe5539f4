//! Taking away tasks and what they are made from.

use super::roles::POLICY;
use super::{TaskWatch, families};
use crate::engine::{Failure, FailureClass, Progress};
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::let_go;
use crate::provider::aws::scheme::AwsKind;

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
        _ => {
            let call = || async {
                let request = session.ecs.delete_cluster().cluster(id);
                session
                    .call(Action::ecs("DeleteCluster"), move || request.clone().send())
                    .await
                    .map(|_| ())
            };
            let_go(call, progress).await
        }
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
