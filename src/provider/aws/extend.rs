//! Giving an environment more time: the tag that says when it ends is set anew on all that is its
//! own, so that whoever reads it, a sweep or the instance itself, finds the same.

use aws_sdk_ec2::types::Tag as Ec2Tag;
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag as SsmTag};
use jiff::Timestamp;

use super::Session;
use super::limits::Action;
use super::observe::{Observed, Thing};
use super::scheme::AwsKind;
use crate::engine::retry::again;
use crate::engine::{Failure, FailureClass};
use crate::expiry::Expires;
use crate::model::EnvironmentName;
use crate::provider::labels::EXPIRES;

/// How many resources one CreateTags call takes (Amazon EC2 API reference, "CreateTags").
const MOST_TAGGED: usize = 1000;

/// Has `environment` end at `end`.
///
/// # Errors
/// What AWS says. What has gone meanwhile is nobody's loss.
pub async fn extend(
    session: &Session,
    environment: &EnvironmentName,
    end: Timestamp,
    observed: &Observed,
) -> Result<(), Failure> {
    let value = Expires::from(end).to_string();
    let own: Vec<&Thing> = observed
        .of(environment)
        .filter(|thing| is_tagged(thing))
        .collect();
    let (claims, others): (Vec<&Thing>, Vec<&Thing>) = own
        .into_iter()
        .partition(|thing| thing.kind == AwsKind::Claim);
    let ids: Vec<&str> = others.iter().map(|thing| &*thing.id).collect();
    for ids in ids.chunks(MOST_TAGGED) {
        match again(|| tag(session, ids, &value)).await {
            Err(failure) if failure.class == FailureClass::NotFound => {
                // One that is gone makes the call fail for all, so they are tagged one by one.
                for id in ids {
                    let one = [*id];
                    unless_gone(again(|| tag(session, &one, &value)).await)?;
                }
            }
            result => result?,
        }
    }
    for claim in claims {
        unless_gone(again(|| tag_parameter(session, &claim.id, &value)).await)?;
    }
    Ok(())
}

/// What ends already is not given more time.
fn is_tagged(thing: &Thing) -> bool {
    thing
        .instance()
        .is_none_or(|instance| !instance.state.is_over())
}

fn unless_gone(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.class == FailureClass::NotFound => Ok(()),
        result => result,
    }
}

async fn tag(session: &Session, ids: &[&str], value: &str) -> Result<(), Failure> {
    let tag = Ec2Tag::builder().key(EXPIRES).value(value).build();
    let request = session.ec2.create_tags().tags(tag);
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = request.set_resources(Some(ids));
    session
        .call(Action::ec2("CreateTags"), || request.clone().send())
        .await
        .map(|_| ())
}

async fn tag_parameter(session: &Session, name: &str, value: &str) -> Result<(), Failure> {
    let tag = SsmTag::builder()
        .key(EXPIRES)
        .value(value)
        .build()
        .map_err(|error| {
            Failure::new(
                FailureClass::Invalid,
                "AddTagsToResource",
                error.to_string(),
            )
        })?;
    let request = session.ssm.add_tags_to_resource().resource_id(name);
    let request = request
        .resource_type(ResourceTypeForTagging::Parameter)
        .tags(tag);
    session
        .call(Action::ssm("AddTagsToResource"), || request.clone().send())
        .await
        .map(|_| ())
}
