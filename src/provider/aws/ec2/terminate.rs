//! Ending instances, many with one call.

use std::collections::HashSet;

use super::Watch;
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::EnvironmentName;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;

/// Ends instances, waits until AWS has let go of them, and gives what came of each.
///
/// # Errors
/// What AWS says, where it is about all of them.
pub async fn terminate(
    session: &Session,
    environment: Option<&EnvironmentName>,
    ids: &[&str],
    watch: &Watch,
    progress: &Progress,
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let mut results = Vec::with_capacity(ids.len());
    match request(session, ids).await {
        Ok(()) => {}
        // One that is gone makes the call fail for all, so they are asked for one by one.
        Err(failure) if failure.class != FailureClass::NotFound && !refuses_one(&failure, ids) => {
            return Err(failure);
        }
        Err(_) => {
            for id in ids {
                results.push(match request(session, &[id]).await {
                    Err(failure) if failure.class == FailureClass::NotFound => Ok(()),
                    result => result,
                });
            }
        }
    }
    results.resize(ids.len(), Ok(()));
    let left: HashSet<_> = watch
        .ended(session, environment, ids, progress)
        .await?
        .into_iter()
        .collect();
    for (id, result) in ids.iter().zip(&mut results) {
        if result.is_ok() && left.contains(*id) {
            let message = format!("{id} has not ended yet");
            *result = Err(Failure::new(
                FailureClass::Conflict,
                "TerminateInstances",
                message,
            ));
        }
    }
    Ok(results)
}

/// Whether the refusal may be for the sake of one of many (termination protection, for example).
fn refuses_one(failure: &Failure, ids: &[&str]) -> bool {
    let of_one = matches!(
        failure.class,
        FailureClass::Invalid
            | FailureClass::Denied
            | FailureClass::Conflict
            | FailureClass::Capacity
    );
    of_one && ids.len() > 1
}

async fn request(session: &Session, ids: &[&str]) -> Result<(), Failure> {
    let request = session.ec2.terminate_instances();
    let units = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = request.set_instance_ids(Some(ids));
    let action = Action::ec2("TerminateInstances");
    let send = || request.clone().send();
    session.call_with(action, units, send).await.map(|_| ())
}
