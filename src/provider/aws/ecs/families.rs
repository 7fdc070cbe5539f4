//! Families of task definitions: their names say whose they are and what they are made from, so that
//! lists of names are enough to see what is there. A name alone makes nothing ours: before one is
//! deleted its tags are read.

use aws_sdk_ecs::types::{TaskDefinitionFamilyStatus, TaskDefinitionField, TaskDefinitionStatus};

use super::observe::own_tags;
use crate::engine::{Failure, FailureClass};
use crate::model::EnvironmentName;
use crate::model::seat::Owner;
use crate::plan::Fingerprint;
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Reach, Thing};
use crate::provider::aws::scheme::AwsKind;
use crate::provider::aws::tags::Tag;
use crate::provider::aws::{Session, names};
use crate::provider::labels::{ENVIRONMENT, Ownership};

/// What families of ours begin with.
const FAMILY: &str = "seatbox-";
/// How many definitions one DeleteTaskDefinitions call takes (Amazon ECS API reference).
const MOST_DELETED: usize = 10;

/// The families of one environment or of all.
///
/// # Errors
/// A list that could not be read to its end.
pub(super) async fn observe(
    session: &Session,
    environment: Option<&EnvironmentName>,
    reach: Reach,
) -> Result<Vec<Thing>, Failure> {
    let prefix = environment.map_or(FAMILY.to_owned(), names::shared);
    let mut found = listed(session, &prefix, TaskDefinitionFamilyStatus::Active).await?;
    if reach == Reach::Everything {
        // Of those that are registered no more some are on their way out, which AWS lists for hours.
        for family in listed(session, &prefix, TaskDefinitionFamilyStatus::Inactive).await? {
            // One may have become so between the two lists.
            if found.contains(&family) {
                continue;
            }
            if !revisions(session, &family).await?.is_empty() {
                found.push(family);
            }
        }
    }
    let thing = |family: &String| {
        let (of, owner, print) = parse(family)?;
        let is_meant = environment.is_none_or(|environment| *environment == of);
        is_meant.then(|| Thing {
            kind: AwsKind::Definition,
            id: family.as_str().into(),
            ownership: Ownership {
                environment: of,
                owner,
                service: None,
                // The rest of the environment says it.
                expires: None,
                fingerprint: Some(print),
                key: None,
            },
            detail: Detail::None,
        })
    };
    Ok(found.iter().filter_map(thing).collect())
}

async fn listed(
    session: &Session,
    prefix: &str,
    status: TaskDefinitionFamilyStatus,
) -> Result<Vec<String>, Failure> {
    let request = |token| {
        let request = session.ecs.list_task_definition_families();
        let request = request.family_prefix(prefix).status(status.clone());
        request.set_next_token(token).send()
    };
    session
        .pages(Action::ecs("ListTaskDefinitionFamilies"), request, |page| {
            (page.families.unwrap_or_default(), page.next_token)
        })
        .await
}

/// `seatbox-ENVIRONMENT_SEAT_FINGERPRINT`, or without the seat where all share it. No environment's
/// name has a `_`.
fn parse(family: &str) -> Option<(EnvironmentName, Owner, Fingerprint)> {
    let mut parts = family.strip_prefix(FAMILY)?.split('_');
    let (name, second, third) = (parts.next()?, parts.next()?, parts.next());
    let (owner, print) = match third {
        Some(print) => (Owner::Seat(second.parse().ok()?), print),
        None => (Owner::Shared, second),
    };
    let is_all = parts.next().is_none();
    is_all.then_some((name.parse().ok()?, owner, Fingerprint::from_label(print)))
}

/// The revisions of a family that are not on their way out, by their ARNs.
///
/// # Errors
/// A list that could not be read to its end.
async fn revisions(session: &Session, family: &str) -> Result<Vec<String>, Failure> {
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
pub(super) async fn delete(session: &Session, family: &str) -> Result<(), Failure> {
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

/// The tags of a definition.
///
/// # Errors
/// What AWS says.
async fn definition_tags(session: &Session, family: &str) -> Result<Vec<Tag>, Failure> {
    let request = session
        .ecs
        .describe_task_definition()
        .task_definition(family);
    let request = request.include(TaskDefinitionField::Tags);
    let answer = session
        .call(Action::ecs("DescribeTaskDefinition"), move || {
            request.clone().send()
        })
        .await?;
    Ok(own_tags(answer.tags))
}

/// Whether tags make something an environment's.
fn is_of(tags: &[Tag], environment: &EnvironmentName) -> bool {
    let own = |(key, value): &Tag| key == ENVIRONMENT && value == environment.as_str();
    tags.iter().any(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SeatNumber;

    #[test]
    fn families_say_whose_they_are() {
        let seat = SeatNumber::new(7).unwrap();
        let (name, owner, print) = parse("seatbox-go-lab_07_0a1b").unwrap();
        assert_eq!((name.as_str(), owner), ("go-lab", Owner::Seat(seat)));
        assert_eq!(print.as_str(), "0a1b");
        let (_, owner, _) = parse("seatbox-go_0a1b").unwrap();
        assert_eq!(owner, Owner::Shared);
        for other in [
            "go_07_0a",
            "seatbox-go",
            "seatbox-go_x_0a",
            "seatbox-go_07_0a_1",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
