//! What of EC2 is there.

use aws_sdk_ec2::types::Filter;

use super::name::Name;
use crate::engine::Failure;
use crate::provider::aws::Session;
use crate::provider::aws::ec2::Instance;
use crate::provider::aws::limits::Action;
use crate::provider::labels::ENVIRONMENT;

/// How many values a filter takes (Amazon EC2 API reference, "Filter").
const MOST_VALUES: usize = 200;

/// Kinds of EC2 that are listed for a while after their end, with a state that says so.
const INSTANCE: &str = "instance";
const NAT_GATEWAY: &str = "natgateway";
const SPOT_REQUEST: &str = "spot-instances-request";

/// The ids of those that are there.
///
/// # Errors
/// What AWS says.
pub(super) async fn there(session: &Session, names: &[Name<'_>]) -> Result<Vec<String>, Failure> {
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        let names = names.iter().filter(|name| wanted(name.kind));
        names.map(|name| name.id.to_owned()).collect()
    };
    let remembered = |kind: &str| matches!(kind, INSTANCE | NAT_GATEWAY | SPOT_REQUEST);
    let (instances, gateways, requests, others) = tokio::try_join!(
        instances(session, of(&|kind| kind == INSTANCE)),
        nat_gateways(session, of(&|kind| kind == NAT_GATEWAY)),
        spot_requests(session, of(&|kind| kind == SPOT_REQUEST)),
        tagged(session, of(&|kind| !remembered(kind))),
    )?;
    Ok([instances, gateways, requests, others].concat())
}

async fn instances(session: &Session, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut there = Vec::new();
    for ids in ids.chunks(MOST_VALUES) {
        let request = |token| {
            let request = session.ec2.describe_instances();
            let request = request.filters(values("instance-id", ids));
            request.max_results(1000).set_next_token(token).send()
        };
        let found = session.pages(Action::ec2("DescribeInstances"), request, |page| {
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
        let found = session.pages(Action::ec2("DescribeNatGateways"), request, |page| {
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
        let found = session.pages(
            Action::ec2("DescribeSpotInstanceRequests"),
            request,
            |page| {
                let requests = page.spot_instance_requests.unwrap_or_default();
                (requests, page.next_token)
            },
        );
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
        let found = session.pages(Action::ec2("DescribeTags"), request, |page| {
            (page.tags.unwrap_or_default(), page.next_token)
        });
        there.extend(found.await?.into_iter().filter_map(|tag| tag.resource_id));
    }
    Ok(there)
}

fn values(name: &str, values: &[String]) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.to_vec()))
        .build()
}
