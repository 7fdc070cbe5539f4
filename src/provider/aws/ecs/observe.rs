//! What there is of tasks, and of what they are made from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use aws_sdk_ec2::types::{Filter, NetworkInterface};
use aws_sdk_ecs::types::{ClusterField, DesiredStatus, Task as Described, TaskField};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::roles::{PATH, POLICY, RoleKind};
use super::{Task, families, secrets};
use crate::engine::{Failure, FailureClass};
use crate::model::EnvironmentName;
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Reach, Thing};
use crate::provider::aws::scheme::AwsKind;
use crate::provider::aws::tags::{self, Tag};
use crate::provider::aws::{Session, names};
use crate::provider::labels::Ownership;

/// What roles of ours begin with.
const ROLE: &str = "seatbox-";
/// How many clusters or tasks one call describes (Amazon ECS API reference).
pub const MOST_DESCRIBED: usize = 100;
/// How many pages of tasks are looked at at the same time.
const PAGES_AT_ONCE: usize = 4;

/// Everything of tasks that carries our tags: of one environment, or all.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn observe(
    session: &Session,
    environment: Option<&EnvironmentName>,
    reach: Reach,
) -> Result<Vec<Thing>, Failure> {
    let (clusters, families, groups, roles, secrets) = tokio::join!(
        clusters_and_tasks(session, environment),
        families::observe(session, environment, reach),
        log_groups(session, environment),
        roles(session, environment),
        secrets::observe(session, environment),
    );
    let mut things = clusters?;
    things.extend(families?);
    things.extend(groups?);
    things.extend(roles?);
    things.extend(secrets?);
    Ok(things)
}

/// The tasks of an environment that are not over.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn observe_tasks(
    session: &Session,
    environment: &EnvironmentName,
) -> Result<Vec<Thing>, Failure> {
    tasks(session, &names::shared(environment)).await
}

async fn clusters_and_tasks(
    session: &Session,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<Thing>, Failure> {
    let names = match environment {
        Some(name) => vec![names::shared(name)],
        None => all_clusters(session).await?,
    };
    let mut things = Vec::new();
    for names in names.chunks(MOST_DESCRIBED) {
        things.extend(clusters(session, names).await?);
    }
    for index in 0..things.len() {
        let cluster = Arc::clone(&things[index].id);
        things.extend(tasks(session, &cluster).await?);
    }
    Ok(things)
}

async fn all_clusters(session: &Session) -> Result<Vec<String>, Failure> {
    let request = |token| session.ecs.list_clusters().set_next_token(token).send();
    session
        .pages(Action::ecs("ListClusters"), request, |page| {
            (page.cluster_arns.unwrap_or_default(), page.next_token)
        })
        .await
}

async fn clusters(session: &Session, names: &[String]) -> Result<Vec<Thing>, Failure> {
    let request = session.ecs.describe_clusters().include(ClusterField::Tags);
    let request = request.set_clusters(Some(names.to_vec()));
    let action = Action::ecs("DescribeClusters");
    let answer = session.call(action, || request.clone().send()).await?;
    let active = answer.clusters.unwrap_or_default().into_iter();
    let active = active.filter(|cluster| cluster.status() == Some("ACTIVE"));
    let thing = |cluster: aws_sdk_ecs::types::Cluster| {
        let tags = own_tags(cluster.tags);
        Thing::of(
            AwsKind::Cluster,
            cluster.cluster_name,
            &tags,
            None,
            Detail::None,
        )
    };
    Ok(active.filter_map(thing).collect())
}

/// Whether there is a cluster of that name that is nobody's of ours.
///
/// # Errors
/// What AWS says.
pub(super) async fn is_foreign_cluster(session: &Session, name: &str) -> Result<bool, Failure> {
    let request = session
        .ecs
        .describe_clusters()
        .clusters(name)
        .include(ClusterField::Tags);
    let action = Action::ecs("DescribeClusters");
    let answer = session.call(action, || request.clone().send()).await?;
    let mut active = answer
        .clusters()
        .iter()
        .filter(|cluster| cluster.status() == Some("ACTIVE"));
    Ok(active.any(|cluster| {
        let tags = own_tags(cluster.tags.clone());
        Thing::of(
            AwsKind::Cluster,
            Some(name.to_owned()),
            &tags,
            None,
            Detail::None,
        )
        .is_none()
    }))
}

/// Whose the log group or the role of that name is, where its tags make it one of ours.
///
/// # Errors
/// There is none, as far as is to be seen; or what AWS says.
pub(super) async fn named(
    session: &Session,
    kind: AwsKind,
    name: &str,
) -> Result<Option<Ownership>, Failure> {
    let found = match kind {
        AwsKind::Role => role(session, name).await?.into_iter().collect(),
        _ => log_groups_under(session, name).await?,
    };
    let found = found.into_iter().find(|found: &Named| found.name == name);
    let missing = || {
        Failure::new(
            FailureClass::NotFound,
            "look",
            format!("there is no {name}"),
        )
    };
    Ok(tags::read(&found.ok_or_else(missing)?.tags, None))
}

/// A log group or a role, be it ours or not.
struct Named {
    name: String,
    tags: Vec<Tag>,
    detail: Detail,
}

impl Named {
    fn ours(self, kind: AwsKind) -> Option<Thing> {
        Thing::of(kind, Some(self.name), &self.tags, None, self.detail)
    }
}

/// ECS's tags as ours.
pub(super) fn own_tags(tags: Option<Vec<aws_sdk_ecs::types::Tag>>) -> Vec<Tag> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.filter_map(|tag| Some((tag.key?, tag.value?)))
        .collect()
}

/// The tasks of a cluster that are not over, with their addresses.
async fn tasks(session: &Session, cluster: &str) -> Result<Vec<Thing>, Failure> {
    let look = |arns: Vec<String>| async move {
        let described = describe(session, cluster, &arns).await?;
        let tasks: Vec<(String, Task, Vec<Tag>)> = described
            .iter()
            .filter_map(|described| {
                let (task, tags) = Task::read(described);
                Some((described.task_arn.clone()?, task, tags))
            })
            .collect();
        let addresses = addresses(session, tasks.iter().map(|(_, task, _)| task)).await?;
        let things = tasks.into_iter().filter_map(|(arn, mut task, tags)| {
            let interface = task.interface.as_deref();
            task.address = interface.and_then(|id| addresses.get(id).copied());
            let detail = Detail::Task(Box::new(task));
            Thing::of(AwsKind::Task, Some(arn), &tags, None, detail)
        });
        Ok(things.collect())
    };
    listed(session, cluster, None, look).await
}

/// The tasks of a cluster that run or begin, as AWS tells them.
///
/// # Errors
/// A list that could not be read to its end.
pub(super) async fn described(session: &Session, cluster: &str) -> Result<Vec<Described>, Failure> {
    described_as(session, cluster, None).await
}

/// The tasks of a cluster that are to be so, those that run or begin where nothing is said. ECS remembers
/// those that are over for an hour.
///
/// # Errors
/// A list that could not be read to its end.
pub(super) async fn described_as(
    session: &Session,
    cluster: &str,
    status: Option<DesiredStatus>,
) -> Result<Vec<Described>, Failure> {
    let look = |arns: Vec<String>| async move { describe(session, cluster, &arns).await };
    listed(session, cluster, status, look).await
}

/// What `look` tells of the tasks of a cluster that are to be so, as it is asked for each page of them.
async fn listed<T, F>(
    session: &Session,
    cluster: &str,
    status: Option<DesiredStatus>,
    look: impl Fn(Vec<String>) -> F + Send,
) -> Result<Vec<T>, Failure>
where
    T: Send,
    F: Future<Output = Result<Vec<T>, Failure>> + Send,
{
    const CALL: &str = "ListTasks";
    let request = |token| {
        session
            .ecs
            .list_tasks()
            .cluster(cluster)
            .set_desired_status(status.clone())
            .set_next_token(token)
            .send()
    };
    let pages = session.each_page(Action::ecs(CALL), request, |page| {
        (page.task_arns.unwrap_or_default(), page.next_token)
    });
    let looks = pages.map_ok(look);
    match looks.try_buffered(PAGES_AT_ONCE).try_concat().await {
        // The cluster went meanwhile.
        Err(failure) if failure.class == FailureClass::NotFound && failure.call == CALL => {
            Ok(Vec::new())
        }
        result => result,
    }
}

/// How many calls describe so many tasks.
pub(super) fn calls_for(tasks: usize) -> usize {
    tasks.div_ceil(MOST_DESCRIBED)
}

/// These tasks, as AWS tells them, whether they are over or not.
///
/// # Errors
/// What AWS says.
pub(super) async fn describe(
    session: &Session,
    cluster: &str,
    arns: &[String],
) -> Result<Vec<Described>, Failure> {
    let page = async |arns: &[String]| {
        let request = session
            .ecs
            .describe_tasks()
            .cluster(cluster)
            .include(TaskField::Tags);
        let request = request.set_tasks(Some(arns.to_vec()));
        let action = Action::ecs("DescribeTasks");
        let answer = session.call(action, || request.clone().send()).await?;
        Ok(answer.tasks.unwrap_or_default())
    };
    // In their order: where ECS is silent, the first one finds out whether it still is.
    let pages = stream::iter(arns.chunks(MOST_DESCRIBED).map(page));
    pages.buffered(PAGES_AT_ONCE).try_concat().await
}

/// The addresses on the internet of tasks' interfaces, by these interfaces. One filter has room for 200
/// of them (Amazon EC2 API reference, "DescribeNetworkInterfaces"), and a page for 100 tasks.
async fn addresses<'a>(
    session: &Session,
    tasks: impl Iterator<Item = &'a Task>,
) -> Result<HashMap<String, IpAddr>, Failure> {
    let ids: Vec<String> = tasks
        .filter_map(|task| task.interface.as_deref().map(str::to_owned))
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let own = Filter::builder().name("network-interface-id");
    let own = own.set_values(Some(ids)).build();
    let request = |token| {
        let request = session.ec2.describe_network_interfaces();
        request.filters(own.clone()).set_next_token(token).send()
    };
    let found = session.pages(Action::ec2("DescribeNetworkInterfaces"), request, |page| {
        (page.network_interfaces.unwrap_or_default(), page.next_token)
    });
    let address = |interface: NetworkInterface| {
        let public = interface.association?.public_ip?;
        Some((interface.network_interface_id?, public.parse().ok()?))
    };
    Ok(found.await?.into_iter().filter_map(address).collect())
}

async fn log_groups(
    session: &Session,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<Thing>, Failure> {
    let prefix = environment.map_or(names::LOG_GROUPS.to_owned(), names::log_group);
    let mut groups = log_groups_under(session, &prefix).await?;
    groups.retain(|group| environment.is_none_or(|of| names::log_group(of) == group.name));
    let ours = groups
        .into_iter()
        .filter_map(|group| group.ours(AwsKind::LogGroup));
    Ok(ours.collect())
}

async fn log_groups_under(session: &Session, prefix: &str) -> Result<Vec<Named>, Failure> {
    let request = |token| {
        let request = session.logs.describe_log_groups();
        request
            .log_group_name_prefix(prefix)
            .set_next_token(token)
            .send()
    };
    let groups = session.pages(Action::logs("DescribeLogGroups"), request, |page| {
        (page.log_groups.unwrap_or_default(), page.next_token)
    });
    let mut found = Vec::new();
    for group in groups.await? {
        let Some(name) = group.log_group_name else {
            continue;
        };
        // An ARN with a star behind it stands for the streams as well, and is no resource to ask for.
        let Some(arn) = group.arn else {
            continue;
        };
        let arn = arn.trim_end_matches(":*");
        let request = session.logs.list_tags_for_resource().resource_arn(arn);
        let action = Action::logs("ListTagsForResource");
        let tags = match session.call(action, || request.clone().send()).await {
            Ok(answer) => answer.tags.unwrap_or_default().into_iter().collect(),
            Err(failure) if failure.class == FailureClass::NotFound => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let detail = Detail::LogGroup(group.retention_in_days);
        found.push(Named { name, tags, detail });
    }
    Ok(found)
}

async fn roles(
    session: &Session,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<Thing>, Failure> {
    let account = session.account();
    let names: Vec<String> = match environment {
        Some(of) => RoleKind::ALL
            .iter()
            .map(|kind| kind.name(&account, of))
            .collect(),
        None => all_roles(session).await?,
    };
    let found = try_join_all(names.iter().map(|name| role(session, name))).await?;
    let found = found.into_iter().flatten();
    Ok(found.filter_map(|role| role.ours(AwsKind::Role)).collect())
}

/// The names of our roles for this region.
async fn all_roles(session: &Session) -> Result<Vec<String>, Failure> {
    let request = |token| {
        let request = session.iam.list_roles().path_prefix(PATH);
        request.set_marker(token).send()
    };
    let roles = session.pages(Action::iam("ListRoles"), request, |page| {
        let names = page.roles.into_iter().map(|role| role.role_name);
        (names.collect::<Vec<String>>(), page.marker)
    });
    let account = session.account();
    let marked = |name: &String| {
        // seatbox-ENVIRONMENT-REGION-KIND
        let environment = name
            .strip_prefix(ROLE)
            .and_then(|rest| rest.rsplitn(3, '-').nth(2));
        let environment: Option<EnvironmentName> = environment.and_then(|name| name.parse().ok());
        let of = |kind: &RoleKind| {
            environment
                .as_ref()
                .is_some_and(|of| kind.name(&account, of) == *name)
        };
        RoleKind::ALL.iter().any(of)
    };
    Ok(roles.await?.into_iter().filter(marked).collect())
}

async fn role(session: &Session, name: &str) -> Result<Option<Named>, Failure> {
    let request = session.iam.get_role().role_name(name);
    let asked = session.call(Action::iam("GetRole"), || request.clone().send());
    let role = match asked.await {
        Ok(answer) => answer.role,
        Err(failure) if failure.class == FailureClass::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let request = session
        .iam
        .get_role_policy()
        .role_name(name)
        .policy_name(POLICY);
    let asked = session.call(Action::iam("GetRolePolicy"), || request.clone().send());
    let has_policy = match asked.await {
        Ok(_) => true,
        Err(failure) if failure.class == FailureClass::NotFound => false,
        Err(failure) => return Err(failure),
    };
    let tags = role
        .and_then(|role| role.tags)
        .unwrap_or_default()
        .into_iter();
    let tags: Vec<Tag> = tags.map(|tag| (tag.key, tag.value)).collect();
    Ok(Some(Named {
        name: name.to_owned(),
        tags,
        detail: Detail::Role { has_policy },
    }))
}
