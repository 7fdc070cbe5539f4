//! Who makes an environment's network. Calls that make a VPC and its parts have neither names nor
//! tokens that would make two of one impossible; a parameter has: it is created once
//! (docs/decisions/0012-who-makes-the-network.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::types::{
    ParameterStringFilter, ParameterType, ResourceTypeForTagging, Tag as SsmTag,
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::limits::Action;
use super::observe::{Detail, Thing};
use super::scheme::{AwsKind, Marks};
use super::tags::{self, Tag};
use super::{Session, names};
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::EnvironmentName;

/// What a claim says when the network is complete.
const MADE: &str = "made";
/// What it says until then, before who makes it.
const MAKING: &str = "making";
/// How old the claim of somebody who can't be seen to be gone must be to be taken over. Making a
/// network takes a few seconds; one call of it may take half a minute until it is given up.
const STALE: Duration = Duration::from_secs(120);
/// How long another run is waited for.
const PATIENCE: Duration = Duration::from_secs(150);
/// The pause between two looks at another run's claim.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a claim says that the network is complete.
pub fn is_made(value: &str) -> bool {
    value == MADE
}

/// Claims as they are read: what each says, by its name.
pub type Claims = BTreeMap<String, String>;

/// The names of the claims that there may be: that of one environment, or all.
///
/// # Errors
/// What AWS says.
pub async fn names(
    session: &Session,
    environment: Option<&EnvironmentName>,
) -> Result<BTreeSet<String>, Failure> {
    match environment {
        Some(name) => Ok(BTreeSet::from([names::claim(name)])),
        None => all(session).await,
    }
}

/// Claims with what their tags say.
///
/// # Errors
/// What AWS says.
pub async fn observe(session: &Session, claims: &Claims) -> Result<Vec<Thing>, Failure> {
    let mut things = Vec::new();
    for (name, value) in claims {
        let tags = tags_of(session, name).await?;
        let detail = Detail::Claim(value.clone());
        let name = Some(name.clone());
        things.extend(Thing::of(AwsKind::Claim, name, &tags, None, detail));
    }
    Ok(things)
}

/// The names of all claims.
async fn all(session: &Session) -> Result<BTreeSet<String>, Failure> {
    let ours = ParameterStringFilter::builder()
        .key("Name")
        .option("BeginsWith")
        .values(names::PARAMETERS)
        .build()
        .map_err(|error| {
            Failure::new(
                FailureClass::Invalid,
                "DescribeParameters",
                error.to_string(),
            )
        })?;
    let request = |token| {
        let request = session.ssm.describe_parameters();
        request
            .parameter_filters(ours.clone())
            .set_next_token(token)
            .send()
    };
    let parameters = session.pages(Action::ssm("DescribeParameters"), request, |page| {
        (page.parameters.unwrap_or_default(), page.next_token)
    });
    let names = parameters
        .await?
        .into_iter()
        .filter_map(|parameter| parameter.name);
    Ok(names.filter(|name| name.ends_with("/claim")).collect())
}

/// What a claim says, since when, and how often it has been said anew: its version.
async fn read(session: &Session, name: &str) -> Result<Option<(String, Timestamp, i64)>, Failure> {
    let request = session.ssm.get_parameter().name(name);
    let answer = match session
        .call(Action::ssm("GetParameter"), || request.clone().send())
        .await
    {
        Ok(answer) => answer,
        Err(failure) if failure.class == FailureClass::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    Ok(answer.parameter.map(|parameter| {
        let seconds = parameter.last_modified_date.map_or(0, |date| date.secs());
        let since = Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN);
        (
            parameter.value.unwrap_or_default(),
            since,
            parameter.version,
        )
    }))
}

async fn tags_of(session: &Session, name: &str) -> Result<Vec<Tag>, Failure> {
    let request = session
        .ssm
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name);
    match session
        .call(Action::ssm("ListTagsForResource"), || {
            request.clone().send()
        })
        .await
    {
        Ok(answer) => {
            let tags = answer.tag_list.unwrap_or_default().into_iter();
            Ok(tags.map(|tag| (tag.key, tag.value)).collect())
        }
        // It went between the two questions. AWS calls it an invalid id.
        Err(failure)
            if matches!(
                failure.class,
                FailureClass::NotFound | FailureClass::Invalid
            ) =>
        {
            Ok(Vec::new())
        }
        Err(failure) => Err(failure),
    }
}

/// Says that this run makes the network, whose claim said `seen` when that was planned. Where
/// another run is at it, its end is waited for.
///
/// # Errors
/// Another run made it meanwhile, which is to be looked at; or what AWS says.
pub async fn take(
    session: &Session,
    environment: &EnvironmentName,
    marks: &Marks,
    seen: Option<&str>,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = names::claim(environment);
    let begun = Instant::now();
    let own = format!("{MAKING} {} {}", host(), std::process::id());
    let mut is_ours = false;
    // Whether another run was quicker to take over what a third one left.
    let mut was_late = false;
    loop {
        let failure = match create(session, &name, environment, marks, &own).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.class == FailureClass::Conflict => failure,
            Err(failure) => return Err(failure),
        };
        let Some((value, since, version)) = read(session, &name).await? else {
            continue;
        };
        if !is_ours {
            let tags = tags_of(session, &name).await?;
            let owner = tags::read(&tags, None).map(|ownership| ownership.environment);
            is_ours = owner.as_ref() == Some(environment);
            if !is_ours {
                // Unless it has just gone, with its tags.
                if read(session, &name).await?.is_none() {
                    continue;
                }
                return Err(not_ours(&name, failure.call));
            }
        }
        if value == own && !was_late {
            return Ok(());
        }
        // Of a network that was complete and has lost something since, and of a run that ended.
        let is_free = if is_made(&value) {
            Some(value.as_str()) == seen
        } else {
            is_over(&value, since, session.clocks.engine, begun)
        };
        if is_free {
            if set(session, &name, &own).await? == version + 1 {
                return Ok(());
            }
            was_late = true;
        }
        if is_made(&value) || begun.elapsed() > PATIENCE {
            return Err(Failure::new(
                FailureClass::Conflict,
                failure.call,
                "another run makes the network, or has just made it",
            ));
        }
        progress.report("waiting for another run that makes the network", None, None);
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = progress.interrupted() => return Err(failure),
        }
    }
}

fn not_ours(name: &str, call: String) -> Failure {
    let message = format!("there is a parameter {name} that lacks our tags");
    Failure::new(FailureClass::Invalid, call, message).with_hint(format!(
        "give the environment another name; or delete it, if it is of no use any more: `aws ssm \
         delete-parameter --name {name}`"
    ))
}

/// Says that the network is complete.
///
/// # Errors
/// What AWS says.
pub async fn finish(session: &Session, environment: &EnvironmentName) -> Result<(), Failure> {
    set(session, &names::claim(environment), MADE)
        .await
        .map(|_| ())
}

/// Takes a claim away.
///
/// # Errors
/// What AWS says.
pub async fn delete(session: &Session, name: &str) -> Result<(), Failure> {
    let request = session.ssm.delete_parameter().name(name);
    session
        .call(Action::ssm("DeleteParameter"), || request.clone().send())
        .await?;
    Ok(())
}

async fn create(
    session: &Session,
    name: &str,
    environment: &EnvironmentName,
    marks: &Marks,
    value: &str,
) -> Result<(), Failure> {
    let mut request = session
        .ssm
        .put_parameter()
        .name(name)
        .value(value)
        .r#type(ParameterType::String)
        .overwrite(false);
    for (key, value) in tags::write(&marks.ownership(environment)) {
        let tag = SsmTag::builder().key(key).value(value).build();
        request = request.tags(tag.map_err(|error| {
            Failure::new(FailureClass::Invalid, "PutParameter", error.to_string())
        })?);
    }
    session
        .call(Action::ssm("PutParameter"), || request.clone().send())
        .await?;
    Ok(())
}

/// Says something else, and gives its version. Tags stay as they are: AWS takes none with a value that replaces another.
async fn set(session: &Session, name: &str, value: &str) -> Result<i64, Failure> {
    let request = session.ssm.put_parameter().name(name).value(value);
    let request = request.r#type(ParameterType::String).overwrite(true);
    let answer = session
        .call(Action::ssm("PutParameter"), || request.clone().send())
        .await?;
    Ok(answer.version)
}

/// Whether whoever claimed it does not make it any more: it ran on this machine and does not run now,
/// or it has been too long ago. `now` is AWS's time at the begin of this run, some of which is over.
fn is_over(value: &str, since: Timestamp, now: Timestamp, begun: Instant) -> bool {
    let mut words = value.split(' ').skip(1);
    // Systems without this directory don't show it there who is gone.
    if let (Some(on), Some(process)) = (words.next(), words.next())
        && *on == *host()
        && Path::new("/proc/self").exists()
    {
        return !Path::new("/proc").join(process).exists();
    }
    let age = now.duration_since(since).as_secs_f64() + begun.elapsed().as_secs_f64();
    age > STALE.as_secs_f64()
}

/// This machine, in a word that says nothing of it.
fn host() -> Arc<str> {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    crate::hex(&Sha256::digest(format!("{machine}/{name}"))[..6]).into()
}
