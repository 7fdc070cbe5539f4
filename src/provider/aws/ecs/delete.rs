//! Taking away tasks and what they are made from.

use aws_sdk_ecs::types::TaskDefinitionStatus;

use super::TaskWatch;
use super::observe::{definition_tags, is_of};
use super::roles::POLICY;
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::EnvironmentName;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::let_go;
use crate::provider::aws::scheme::AwsKind;

/// How many definitions one DeleteTaskDefinitions call takes (Amazon ECS API reference).
const MOST_DELETED: usize = 10;

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
        AwsKind::Definition => delete_family(session, id).await,
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

/// The revisions of a family that are not on their way out, by their ARNs.
///
/// # Errors
/// A list that could not be read to its end.
pub(super) async fn revisions(session: &Session, family: &str) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for status in [TaskDefinitionStatus::Active, TaskDefinitionStatus::Inactive] {
        let request = |token| {
            let request = session.ecs.list_task_definitions();
            let request = request.family_prefix(family).status(status.clone());
            request.set_next_token(token).send()
        };
        let found = session.pages(Action::ecs("ListTaskDefinitions"), request, |page| {
            (
                page.task_definition_arns.unwrap_or_default(),
                page.next_token,
            )
        });
        all.extend(found.await?);
    }
    Ok(all)
}

/// Takes away all revisions of a family, which carry our tags: a name alone makes nothing ours.
async fn delete_family(session: &Session, family: &str) -> Result<(), Failure> {
    const CALL: &str = "DeleteTaskDefinitions";
    let revisions = revisions(session, family).await?;
    let name = family
        .trim_start_matches("seatbox-")
        .split('_')
        .next()
        .unwrap_or_default();
    let environment: Option<EnvironmentName> = name.parse().ok();
    for arn in &revisions {
        let tags = definition_tags(session, arn).await?;
        if !environment
            .as_ref()
            .is_some_and(|environment| is_of(&tags, environment))
        {
            let message = format!("{arn} has our name and not our tags: it is somebody else's");
            return Err(Failure::new(FailureClass::Conflict, CALL, message));
        }
        let request = session
            .ecs
            .deregister_task_definition()
            .task_definition(arn);
        match session
            .call(Action::ecs("DeregisterTaskDefinition"), move || {
                request.clone().send()
            })
            .await
        {
            // It was registered no more already.
            Err(failure)
                if !matches!(
                    failure.class,
                    FailureClass::NotFound | FailureClass::Invalid
                ) =>
            {
                return Err(failure);
            }
            _ => {}
        }
    }
    for arns in revisions.chunks(MOST_DELETED) {
        let request = session.ecs.delete_task_definitions();
        let request = request.set_task_definitions(Some(arns.to_vec()));
        let answer = session
            .call(Action::ecs(CALL), move || request.clone().send())
            .await?;
        if let Some(refused) = answer.failures.unwrap_or_default().first() {
            let reason = refused.reason().unwrap_or("no reason is given").to_owned();
            return Err(Failure::new(FailureClass::Conflict, CALL, reason));
        }
    }
    Ok(())
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
