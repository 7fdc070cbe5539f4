//! Which availability zones the seats are spread over.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::types::{Filter, LocationType};

use crate::engine::{Failure, FailureClass};
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;

/// The first `count` zones, by name, in which one of `types` is offered, those with more of them
/// first; of all zones where no type is asked for.
///
/// # Errors
/// What AWS says, or that there are too few.
pub async fn offered(
    session: &Session,
    types: &[String],
    count: usize,
) -> Result<Vec<Arc<str>>, Failure> {
    let offering = async {
        match types {
            [] => Ok(Vec::new()),
            types => offerings(session, types).await,
        }
    };
    let (all, offering) = tokio::try_join!(all(session), offering)?;
    let mut zones: BTreeMap<String, usize> = all.into_iter().map(|zone| (zone, 0)).collect();
    for zone in offering {
        zones.entry(zone).and_modify(|offers| *offers += 1);
    }
    if !types.is_empty() {
        zones.retain(|_, offers| *offers > 0);
    }
    if zones.len() < count {
        let what = match types {
            [] => "there are".to_owned(),
            types => format!("{} are offered in", types.join(", ")),
        };
        return Err(Failure::new(
            FailureClass::Invalid,
            "choose zones",
            format!(
                "{what} {} of {count} zones of {}",
                zones.len(),
                session.region
            ),
        )
        .with_hint("name other types, or set aws.zones"));
    }
    let mut zones: Vec<(String, usize)> = zones.into_iter().collect();
    zones.sort_by_key(|(_, offers)| std::cmp::Reverse(*offers));
    zones.truncate(count);
    let mut names: Vec<Arc<str>> = zones.into_iter().map(|(zone, _)| zone.into()).collect();
    names.sort();
    Ok(names)
}

async fn all(session: &Session) -> Result<Vec<String>, Failure> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let request = session
        .ec2
        .describe_availability_zones()
        .filters(filter("state", "available"))
        .filters(filter("zone-type", "availability-zone"));
    let answer = session
        .call(Action::ec2("DescribeAvailabilityZones"), || {
            request.clone().send()
        })
        .await?;
    let zones = answer.availability_zones.unwrap_or_default();
    Ok(zones
        .into_iter()
        .filter_map(|zone| zone.zone_name)
        .collect())
}

/// A zone for each type that is offered there.
///
/// # Errors
/// What AWS says.
pub async fn offerings(session: &Session, types: &[String]) -> Result<Vec<String>, Failure> {
    let filter = Filter::builder().name("instance-type");
    let filter = filter.set_values(Some(types.to_vec())).build();
    let request = |token: Option<String>| {
        session
            .ec2
            .describe_instance_type_offerings()
            .location_type(LocationType::AvailabilityZone)
            .filters(filter.clone())
            .set_next_token(token)
            .send()
    };
    let offerings = session.pages(
        Action::ec2("DescribeInstanceTypeOfferings"),
        request,
        |page| {
            (
                page.instance_type_offerings.unwrap_or_default(),
                page.next_token,
            )
        },
    );
    let offerings = offerings.await?;
    Ok(offerings
        .into_iter()
        .filter_map(|offer| offer.location)
        .collect())
}
