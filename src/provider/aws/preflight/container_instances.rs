//! Container instances to run tasks on, where these are not Fargate's.

use crate::engine::Failure;
use crate::model::EnvironmentName;
use crate::provider::aws::limits::Action;
use crate::provider::aws::{Session, names};
use crate::provider::preflight::{Check, Verdict};

const NAME: &str = "container-instances";

/// Whether an environment's cluster has container instances. Where there is no cluster yet there can be
/// none, for they are added to it, and that keeps nobody from making it.
pub async fn check(session: &Session, environment: &EnvironmentName) -> Check {
    let cluster = names::shared(environment);
    let hint = format!(
        "add instances to the cluster {cluster}, in its VPC of the same name, and run the same command \
         again: docs/aws.md, \"Tasks on instances of your own\""
    );
    match registered(session, &cluster).await {
        Ok(Some(0)) => {
            let message = format!("the cluster {cluster} has no container instance for tasks");
            Check::new(NAME, Verdict::Failed, message).with_hint(hint)
        }
        Ok(Some(count)) => {
            let message = format!("{count} in the cluster {cluster}");
            Check::new(NAME, Verdict::Passed, message)
        }
        Ok(None) => {
            let message =
                format!("the cluster {cluster} is made now: seats fail until it has some");
            Check::new(NAME, Verdict::Unknown, message).with_hint(hint)
        }
        Err(failure) => {
            let message = format!("not known: {}", failure.message);
            Check::new(NAME, Verdict::Unknown, message)
        }
    }
}

/// How many a cluster has; none where there is no cluster.
async fn registered(session: &Session, cluster: &str) -> Result<Option<i32>, Failure> {
    let request = session.ecs.describe_clusters().clusters(cluster);
    let action = Action::ecs("DescribeClusters");
    let answer = session.call(action, || request.clone().send()).await?;
    let mut active = answer
        .clusters()
        .iter()
        .filter(|cluster| cluster.status() == Some("ACTIVE"));
    Ok(active
        .next()
        .map(|cluster| cluster.registered_container_instances_count))
}
