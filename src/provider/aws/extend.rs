//! Giving an environment more time: the tag that says when it ends is set anew on all that is its
//! own, so that whoever reads it, a sweep or the instance itself, finds the same.

use aws_sdk_ec2::types::Tag as Ec2Tag;
use aws_sdk_ecs::types::Tag as EcsTag;
use aws_sdk_iam::types::Tag as IamTag;
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag as SsmTag};
use futures_util::future::join_all;
use jiff::Timestamp;

use super::Session;
use super::ecs::TaskState;
use super::limits::Action;
use super::observe::{Detail, Observed, Thing};
use super::scheme::AwsKind;
use crate::engine::{Failure, FailureClass};
use crate::expiry::Expires;
use crate::model::EnvironmentName;
use crate::provider::aws::calls::again;
use crate::provider::labels::EXPIRES;

/// How many resources one CreateTags call takes (Amazon EC2 API reference, "CreateTags").
const MOST_TAGGED: usize = 1000;
/// How many calls that tag one resource each are under way at once.
const AT_ONCE: usize = 16;

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
    let (instances, others): (Vec<&Thing>, Vec<&Thing>) =
        own.into_iter().partition(|thing| is_of_ec2(thing.kind));
    let ids: Vec<&str> = instances.iter().map(|thing| &*thing.id).collect();
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
    // These APIs take one at a time.
    for things in others.chunks(AT_ONCE) {
        let mut calls = Vec::with_capacity(things.len());
        for thing in things {
            calls.push(extend_one(session, thing, &value));
        }
        for result in join_all(calls).await {
            unless_gone(result)?;
        }
    }
    Ok(())
}

fn is_of_ec2(kind: AwsKind) -> bool {
    matches!(
        kind,
        AwsKind::Vpc
            | AwsKind::Gateway
            | AwsKind::Subnet
            | AwsKind::SecurityGroup
            | AwsKind::Volume
            | AwsKind::Interface
            | AwsKind::Instance
    )
}

/// What ends already is not given more time, and what says nothing of its end is not asked to.
fn is_tagged(thing: &Thing) -> bool {
    match &thing.detail {
        Detail::Instance(instance) => !instance.state.is_over(),
        Detail::Task(task) => task.state != TaskState::Over,
        _ => !matches!(thing.kind, AwsKind::Parameter | AwsKind::Definition),
    }
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

async fn extend_one(session: &Session, thing: &Thing, value: &str) -> Result<(), Failure> {
    again(|| tag_one(session, thing, value)).await
}

async fn tag_one(session: &Session, thing: &Thing, value: &str) -> Result<(), Failure> {
    let name = &*thing.id;
    let Session {
        partition,
        region,
        account,
        ..
    } = session;
    match thing.kind {
        AwsKind::Claim => tag_parameter(session, name, value).await,
        AwsKind::Role => {
            let tag = IamTag::builder().key(EXPIRES).value(value).build();
            let tag = tag.map_err(|error| unbuilt("TagRole", &error))?;
            let request = session.iam.tag_role().role_name(name).tags(tag);
            session
                .call(Action::iam("TagRole"), move || request.clone().send())
                .await
                .map(|_| ())
        }
        AwsKind::LogGroup => {
            let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{name}");
            let request = session
                .logs
                .tag_resource()
                .resource_arn(arn)
                .tags(EXPIRES, value);
            session
                .call(Action::logs("TagResource"), move || request.clone().send())
                .await
                .map(|_| ())
        }
        kind => {
            let arn = match kind {
                AwsKind::Cluster => {
                    format!("arn:{partition}:ecs:{region}:{account}:cluster/{name}")
                }
                _ => name.to_owned(),
            };
            let tag = EcsTag::builder().key(EXPIRES).value(value).build();
            let request = session.ecs.tag_resource().resource_arn(arn).tags(tag);
            session
                .call(Action::ecs("TagResource"), move || request.clone().send())
                .await
                .map(|_| ())
        }
    }
}

fn unbuilt(call: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureClass::Invalid, call, error.to_string())
}

async fn tag_parameter(session: &Session, name: &str, value: &str) -> Result<(), Failure> {
    let tag = SsmTag::builder().key(EXPIRES).value(value).build();
    let tag = tag.map_err(|error| unbuilt("AddTagsToResource", &error))?;
    let request = session.ssm.add_tags_to_resource().resource_id(name);
    let request = request
        .resource_type(ResourceTypeForTagging::Parameter)
        .tags(tag);
    session
        .call(Action::ssm("AddTagsToResource"), || request.clone().send())
        .await
        .map(|_| ())
}
