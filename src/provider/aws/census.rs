//! Whatever carries our tags, by the Resource Groups Tagging API: one list for all services, whose
//! own lists it knows nothing of. It lists what is gone for a while, so that each thing on it is
//! asked for.

use std::collections::HashSet;

use aws_sdk_ec2::types::Filter;
use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};
use aws_sdk_ssm::types::ParameterStringFilter;

use super::Session;
use super::ec2::Instance;
use super::tags::{self, Tag};
use crate::engine::{Failure, FailureClass};
use crate::model::EnvironmentName;
use crate::provider::Listed;
use crate::provider::labels::ENVIRONMENT;

/// How many things a page has at most (Resource Groups Tagging API reference, "GetResources").
const PAGE: i32 = 100;
/// How many values one filter of that API takes ("TagFilter"), and one of EC2's ("Filter").
const MOST_NAMES: usize = 20;
const MOST_VALUES: usize = 200;
/// How many values a filter of parameters takes (Systems Manager API reference,
/// "ParameterStringFilter").
const MOST_PARAMETERS: usize = 50;

/// What is on the list of these environments, or of all.
///
/// # Errors
/// What AWS says.
pub async fn census(
    session: &Session,
    environments: &[EnvironmentName],
) -> Result<Vec<Listed>, Failure> {
    let names = environments.iter().map(ToString::to_string);
    // More than it takes are no fewer than all.
    let names = names.take_while(|_| environments.len() <= MOST_NAMES);
    let filter = TagFilter::builder()
        .key(ENVIRONMENT)
        .set_values(Some(names.collect()))
        .build();
    let request = |token| {
        let request = session.tagging.get_resources().tag_filters(filter.clone());
        let request = request.resources_per_page(PAGE);
        request.set_pagination_token(token).send()
    };
    let mapped = session.pages("GetResources", request, |page| {
        let mapped = page.resource_tag_mapping_list.unwrap_or_default();
        (mapped, page.pagination_token)
    });
    let listed = mapped.await?.into_iter().filter_map(listed);
    let is_meant = |listed: &Listed| {
        environments.is_empty() || environments.contains(&listed.ownership.environment)
    };
    Ok(listed.filter(is_meant).collect())
}

fn listed(mapping: ResourceTagMapping) -> Option<Listed> {
    let tags = mapping.tags.unwrap_or_default().into_iter();
    let tags: Vec<Tag> = tags.map(|tag| (tag.key, tag.value)).collect();
    let arn = mapping.resource_arn?;
    Some(Listed {
        kind: Name::of(&arn).kind(),
        ownership: tags::read(&tags, None)?,
        id: arn.into(),
    })
}

/// Those that are there still, by their own service's answer. What no service is asked for here is
/// taken to be there.
///
/// # Errors
/// What AWS says.
pub async fn still_there(session: &Session, listed: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
    let ids = |service, kind: &dyn Fn(&str) -> bool| {
        let names = listed.iter().map(|listed| Name::of(&listed.id));
        let own = names.filter(|name| name.service == service && kind(name.kind));
        own.map(|name| name.id.to_owned()).collect::<Vec<String>>()
    };
    let remembered = |kind: &str| matches!(kind, INSTANCE | NAT_GATEWAY | SPOT_REQUEST);
    let (instances, gateways, requests, others, parameters) = tokio::try_join!(
        instances(session, ids("ec2", &|kind| kind == INSTANCE)),
        nat_gateways(session, ids("ec2", &|kind| kind == NAT_GATEWAY)),
        spot_requests(session, ids("ec2", &|kind| kind == SPOT_REQUEST)),
        tagged(session, ids("ec2", &|kind| !remembered(kind))),
        parameters(session, ids("ssm", &|kind| kind == "parameter")),
    )?;
    let of_ec2 = [instances, gateways, requests, others].concat();
    let of_ec2: HashSet<String> = of_ec2.into_iter().collect();
    let parameters: HashSet<String> = parameters.into_iter().collect();
    let is_there = |listed: &Listed| {
        let name = Name::of(&listed.id);
        match (name.service, name.kind) {
            ("ec2", _) => of_ec2.contains(name.id),
            // Of a path, the slash that it begins with is the one before it.
            ("ssm", "parameter") => {
                parameters.contains(name.id) || parameters.contains(&format!("/{}", name.id))
            }
            _ => true,
        }
    };
    Ok(listed.iter().filter(|one| is_there(one)).cloned().collect())
}

/// Kinds of EC2 that are listed for a while after their end, with a state that says so.
const INSTANCE: &str = "instance";
const NAT_GATEWAY: &str = "natgateway";
const SPOT_REQUEST: &str = "spot-instances-request";

async fn instances(session: &Session, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut there = Vec::new();
    for ids in ids.chunks(MOST_VALUES) {
        let request = |token| {
            let request = session.ec2.describe_instances();
            let request = request.filters(values("instance-id", ids));
            request.max_results(1000).set_next_token(token).send()
        };
        let found = session.pages("DescribeInstances", request, |page| {
            let reservations = page.reservations.unwrap_or_default().into_iter();
            let instances = reservations.flat_map(|of| of.instances.unwrap_or_default());
            (instances.collect(), page.next_token)
        });
        let alive = found.await?.into_iter();
        let alive = alive.filter(|described| Instance::read(described).0.state.is_alive());
        there.extend(alive.filter_map(|described| described.instance_id));
    }
    Ok(there)
}

async fn nat_gateways(session: &Session, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let states = ["pending", "available", "deleting"].map(str::to_owned);
    let mut there = Vec::new();
    for ids in ids.chunks(MOST_VALUES) {
        let request = |token| {
            let request = session.ec2.describe_nat_gateways();
            let request = request.filter(values("nat-gateway-id", ids));
            let request = request.filter(values("state", &states));
            request.set_next_token(token).send()
        };
        let found = session.pages("DescribeNatGateways", request, |page| {
            (page.nat_gateways.unwrap_or_default(), page.next_token)
        });
        let found = found.await?.into_iter();
        there.extend(found.filter_map(|gateway| gateway.nat_gateway_id));
    }
    Ok(there)
}

async fn spot_requests(session: &Session, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let states = ["open", "active"].map(str::to_owned);
    let mut there = Vec::new();
    for ids in ids.chunks(MOST_VALUES) {
        let request = |token| {
            let request = session.ec2.describe_spot_instance_requests();
            let request = request.filters(values("spot-instance-request-id", ids));
            let request = request.filters(values("state", &states));
            request.set_next_token(token).send()
        };
        let found = session.pages("DescribeSpotInstanceRequests", request, |page| {
            let requests = page.spot_instance_requests.unwrap_or_default();
            (requests, page.next_token)
        });
        let found = found.await?.into_iter();
        there.extend(found.filter_map(|request| request.spot_instance_request_id));
    }
    Ok(there)
}

/// Those of EC2 that have our tag: what is gone has none.
async fn tagged(session: &Session, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let key = [ENVIRONMENT.to_owned()];
    let mut there = Vec::new();
    for ids in ids.chunks(MOST_VALUES) {
        let request = |token| {
            let request = session.ec2.describe_tags();
            let request = request.filters(values("resource-id", ids));
            let request = request.filters(values("key", &key));
            request.max_results(1000).set_next_token(token).send()
        };
        let found = session.pages("DescribeTags", request, |page| {
            (page.tags.unwrap_or_default(), page.next_token)
        });
        there.extend(found.await?.into_iter().filter_map(|tag| tag.resource_id));
    }
    Ok(there)
}

async fn parameters(session: &Session, names: Vec<String>) -> Result<Vec<String>, Failure> {
    const CALL: &str = "DescribeParameters";
    let mut there = Vec::new();
    // Whether a name begins with a slash does not show in its ARN.
    let both = names
        .iter()
        .flat_map(|name| [format!("/{name}"), name.clone()]);
    for names in both.collect::<Vec<String>>().chunks(MOST_PARAMETERS) {
        let own = ParameterStringFilter::builder()
            .key("Name")
            .option("Equals")
            .set_values(Some(names.to_vec()))
            .build()
            .map_err(|error| Failure::new(FailureClass::Invalid, CALL, error.to_string()))?;
        let request = |token| {
            let request = session.ssm.describe_parameters();
            let request = request.parameter_filters(own.clone());
            request.set_next_token(token).send()
        };
        let found = session.pages(CALL, request, |page| {
            (page.parameters.unwrap_or_default(), page.next_token)
        });
        let found = found.await?.into_iter();
        there.extend(found.filter_map(|parameter| parameter.name));
    }
    Ok(there)
}

fn values(name: &str, values: &[String]) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.to_vec()))
        .build()
}

/// An ARN's parts: `arn:aws:ec2:REGION:ACCOUNT:snapshot/snap-1`.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    service: &'a str,
    kind: &'a str,
    id: &'a str,
}

impl<'a> Name<'a> {
    fn of(arn: &'a str) -> Self {
        let mut parts = arn.splitn(6, ':').skip(2);
        let service = parts.next().unwrap_or_default();
        let resource = parts.nth(2).unwrap_or_default();
        let (kind, id) = resource.split_once(['/', ':']).unwrap_or(("", resource));
        Self { service, kind, id }
    }

    /// In words.
    fn kind(&self) -> String {
        match (self.service, self.kind) {
            ("ec2", kind) => kind.to_owned(),
            (service, "") => service.to_owned(),
            (service, kind) => format!("{service} {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_services_are_taken_apart() {
        for (arn, service, kind, id, words) in [
            (
                "arn:aws:ec2:eu-central-1:1:snapshot/snap-1",
                "ec2",
                "snapshot",
                "snap-1",
                "snapshot",
            ),
            (
                "arn:aws-cn:ssm:cn-north-1:1:parameter/seatbox/t/claim",
                "ssm",
                "parameter",
                "seatbox/t/claim",
                "ssm parameter",
            ),
            (
                "arn:aws:logs:r:1:log-group:/seatbox/t",
                "logs",
                "log-group",
                "/seatbox/t",
                "logs log-group",
            ),
            ("arn:aws:s3:::bucket", "s3", "", "bucket", "s3"),
            ("nonsense", "", "", "", ""),
        ] {
            let name = Name::of(arn);
            assert_eq!(name, Name { service, kind, id }, "{arn}");
            assert_eq!(name.kind(), words);
        }
    }
}
