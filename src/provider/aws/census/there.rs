//! What of the list is there still.

use std::collections::HashSet;

use super::name::Name;
use super::{ec2, ecs, others};
use crate::engine::Failure;
use crate::provider::Listed;
use crate::provider::aws::Session;

/// Those that are there still, by their own service's answer. What no service is asked for here is
/// taken to be there.
///
/// # Errors
/// What AWS says.
pub async fn still_there(session: &Session, listed: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
    let names = |service: &str| -> Vec<Name<'_>> {
        let names = listed.iter().map(|listed| Name::of(&listed.id));
        names.filter(|name| name.service == service).collect()
    };
    let arns = |kind: &str| -> Vec<&str> {
        let arns = listed.iter().map(|listed| &*listed.id);
        arns.filter(|arn| {
            let name = Name::of(arn);
            (name.service, name.kind) == ("ecs", kind)
        })
        .collect()
    };
    let (of_ec2, parameters, groups) = (names("ec2"), names("ssm"), names("logs"));
    let (clusters, tasks, definitions) = (arns(CLUSTER), arns(TASK), arns(DEFINITION));
    let (of_ec2, parameters, groups, clusters, tasks, definitions) = tokio::try_join!(
        ec2::there(session, &of_ec2),
        others::parameters(session, &parameters),
        others::log_groups(session, &groups),
        ecs::clusters(session, &clusters),
        ecs::tasks(session, &tasks),
        ecs::definitions(session, &definitions),
    )?;
    let of_ec2: HashSet<String> = of_ec2.into_iter().collect();
    let of_ecs: HashSet<String> = [clusters, tasks, definitions]
        .concat()
        .into_iter()
        .collect();
    let is_there = |listed: &&Listed| {
        let name = Name::of(&listed.id);
        match (name.service, name.kind) {
            ("ec2", _) => of_ec2.contains(name.id),
            ("ecs", CLUSTER | TASK | DEFINITION) => of_ecs.contains(&*listed.id),
            // Whether a name begins with a slash does not show.
            ("ssm", "parameter") => parameters
                .iter()
                .any(|there| there.trim_start_matches('/') == name.id),
            ("logs", "log-group") => groups.iter().any(|there| there == name.id),
            _ => true,
        }
    };
    Ok(listed.iter().filter(is_there).cloned().collect())
}

const CLUSTER: &str = "cluster";
const TASK: &str = "task";
const DEFINITION: &str = "task-definition";
