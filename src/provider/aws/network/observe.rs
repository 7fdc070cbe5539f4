//! What there is of networks.

use std::sync::Arc;

use aws_sdk_ec2::types::{Filter, NetworkInterface, Tag as Ec2Tag, Vpc as DescribedVpc};
use ipnet::Ipv4Net;

use super::rules::{self, Rules};
use crate::engine::Failure;
use crate::model::EnvironmentName;
use crate::provider::aws::claim::{self, Claims};
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Reach, Thing};
use crate::provider::aws::scheme::AwsKind;
use crate::provider::aws::tags::Tag;
use crate::provider::aws::{Session, tags};

/// What is to be known of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Its addresses.
    pub range: Option<Ipv4Net>,
    /// Whether its main route table leads to the internet.
    pub has_route: bool,
}

/// What is to be known of a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The VPC that it is a part of.
    pub vpc: Arc<str>,
    /// Its availability zone.
    pub zone: Arc<str>,
    /// Its addresses.
    pub range: Option<Ipv4Net>,
}

/// What is to be known of a security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The VPC that it belongs to.
    pub vpc: Arc<str>,
    /// Whom it lets in.
    pub rules: Rules,
}

/// What all that is in a network needs: whoever makes one claims it first, and begins with the VPC.
#[derive(Debug)]
pub struct Foundation {
    vpcs: Vec<DescribedVpc>,
    claims: Claims,
}

impl Foundation {
    /// That of one environment, or of all: of all VPCs those that are ours.
    pub fn of(
        mut vpcs: Vec<DescribedVpc>,
        claims: Claims,
        environment: Option<&EnvironmentName>,
    ) -> Self {
        vpcs.retain(|vpc| {
            tags::read(&own_tags(vpc.tags.clone()), None)
                .is_some_and(|of| environment.is_none_or(|name| of.environment == *name))
        });
        Self { vpcs, claims }
    }

    /// Whether there is no network, nor anybody who makes one.
    pub fn is_missing(&self) -> bool {
        self.vpcs.is_empty() && self.claims.is_empty()
    }

    /// What it consists of, with what else is to be known of it.
    ///
    /// # Errors
    /// A list that could not be read to its end.
    pub async fn observe(self, session: &Session) -> Result<Vec<Thing>, Failure> {
        let (vpcs, claims) = tokio::join!(
            with_routes(session, self.vpcs),
            claim::observe(session, &self.claims),
        );
        let mut things = vpcs?;
        things.extend(claims?);
        Ok(things)
    }
}

/// Everything of networks that carries our tags, but for their foundation.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn observe(
    session: &Session,
    filter: &(String, String),
    reach: Reach,
) -> Result<Vec<Thing>, Failure> {
    let (gateways, subnets, groups) = tokio::join!(
        gateways(session, filter),
        subnets(session, filter),
        groups(session, filter),
    );
    let mut things = gateways?;
    things.extend(subnets?);
    things.extend(groups?);
    if reach == Reach::Everything {
        things.extend(interfaces(session, filter).await?);
    }
    Ok(things)
}

/// A filter of a list.
pub(in crate::provider::aws) fn filter((name, value): &(String, String)) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// EC2's tags as ours.
pub(in crate::provider::aws) fn own_tags(tags: Option<Vec<Ec2Tag>>) -> Vec<Tag> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.filter_map(|tag| Some((tag.key?, tag.value?)))
        .collect()
}

/// All VPCs, or those that carry a tag.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn vpcs(
    session: &Session,
    tag: Option<&(String, String)>,
) -> Result<Vec<DescribedVpc>, Failure> {
    let request = |token| {
        let request = session.ec2.describe_vpcs().max_results(1000);
        let request = request.set_filters(tag.map(|tag| vec![filter(tag)]));
        request.set_next_token(token).send()
    };
    let vpcs = session.pages(Action::ec2("DescribeVpcs"), request, |page| {
        (page.vpcs.unwrap_or_default(), page.next_token)
    });
    vpcs.await
}

async fn with_routes(session: &Session, vpcs: Vec<DescribedVpc>) -> Result<Vec<Thing>, Failure> {
    let ids: Vec<String> = vpcs.iter().filter_map(|vpc| vpc.vpc_id.clone()).collect();
    let with_route = routed(session, ids).await?;
    let thing = |vpc: DescribedVpc| {
        let detail = Vpc {
            range: vpc.cidr_block.and_then(|text| text.parse().ok()),
            has_route: vpc
                .vpc_id
                .as_ref()
                .is_some_and(|id| with_route.contains(id)),
        };
        let tags = own_tags(vpc.tags);
        Thing::of(AwsKind::Vpc, vpc.vpc_id, &tags, None, Detail::Vpc(detail))
    };
    Ok(vpcs.into_iter().filter_map(thing).collect())
}

/// Those of the VPCs whose main route table leads to the internet.
async fn routed(session: &Session, vpcs: Vec<String>) -> Result<Vec<String>, Failure> {
    if vpcs.is_empty() {
        return Ok(Vec::new());
    }
    let main = Filter::builder()
        .name("association.main")
        .values("true")
        .build();
    let own = Filter::builder()
        .name("vpc-id")
        .set_values(Some(vpcs))
        .build();
    let request = |token| {
        let request = session.ec2.describe_route_tables();
        let request = request.filters(main.clone()).filters(own.clone());
        request.set_next_token(token).send()
    };
    let tables = session.pages(Action::ec2("DescribeRouteTables"), request, |page| {
        (page.route_tables.unwrap_or_default(), page.next_token)
    });
    let leads_out = |table: &aws_sdk_ec2::types::RouteTable| {
        let mut routes = table.routes().iter();
        routes.any(|route| {
            route.destination_cidr_block() == Some("0.0.0.0/0")
                && route.gateway_id().is_some_and(|id| id.starts_with("igw-"))
        })
    };
    let tables = tables.await?.into_iter().filter(leads_out);
    Ok(tables.filter_map(|table| table.vpc_id).collect())
}

async fn gateways(session: &Session, tag: &(String, String)) -> Result<Vec<Thing>, Failure> {
    let request = |token| {
        let request = session.ec2.describe_internet_gateways();
        request.filters(filter(tag)).set_next_token(token).send()
    };
    let gateways = session.pages(Action::ec2("DescribeInternetGateways"), request, |page| {
        (page.internet_gateways.unwrap_or_default(), page.next_token)
    });
    let thing = |gateway: aws_sdk_ec2::types::InternetGateway| {
        let vpc = gateway.attachments().iter().find_map(|to| to.vpc_id());
        let detail = Detail::Gateway(vpc.map(Arc::from));
        let tags = own_tags(gateway.tags);
        Thing::of(
            AwsKind::Gateway,
            gateway.internet_gateway_id,
            &tags,
            None,
            detail,
        )
    };
    Ok(gateways.await?.into_iter().filter_map(thing).collect())
}

async fn subnets(session: &Session, tag: &(String, String)) -> Result<Vec<Thing>, Failure> {
    let request = |token| {
        let request = session.ec2.describe_subnets().filters(filter(tag));
        request.set_next_token(token).send()
    };
    let subnets = session.pages(Action::ec2("DescribeSubnets"), request, |page| {
        (page.subnets.unwrap_or_default(), page.next_token)
    });
    let thing = |subnet: aws_sdk_ec2::types::Subnet| {
        let detail = Detail::Subnet(Subnet {
            vpc: subnet.vpc_id.unwrap_or_default().into(),
            zone: subnet.availability_zone.unwrap_or_default().into(),
            range: subnet.cidr_block.and_then(|text| text.parse().ok()),
        });
        let tags = own_tags(subnet.tags);
        Thing::of(AwsKind::Subnet, subnet.subnet_id, &tags, None, detail)
    };
    Ok(subnets.await?.into_iter().filter_map(thing).collect())
}

async fn groups(session: &Session, tag: &(String, String)) -> Result<Vec<Thing>, Failure> {
    let request = |token| {
        let request = session.ec2.describe_security_groups();
        request.filters(filter(tag)).set_next_token(token).send()
    };
    let groups = session.pages(Action::ec2("DescribeSecurityGroups"), request, |page| {
        (page.security_groups.unwrap_or_default(), page.next_token)
    });
    let thing = |group: aws_sdk_ec2::types::SecurityGroup| {
        let detail = Detail::Group(Group {
            vpc: group.vpc_id().unwrap_or_default().into(),
            rules: rules::read(group.ip_permissions()),
        });
        let tags = own_tags(group.tags);
        Thing::of(AwsKind::SecurityGroup, group.group_id, &tags, None, detail)
    };
    Ok(groups.await?.into_iter().filter_map(thing).collect())
}

/// Interfaces that are left on their own: those that are in use go with what uses them.
async fn interfaces(session: &Session, tag: &(String, String)) -> Result<Vec<Thing>, Failure> {
    let free = Filter::builder().name("status").values("available").build();
    let request = |token| {
        let request = session
            .ec2
            .describe_network_interfaces()
            .filters(filter(tag));
        request.filters(free.clone()).set_next_token(token).send()
    };
    let interfaces = session.pages(Action::ec2("DescribeNetworkInterfaces"), request, |page| {
        (page.network_interfaces.unwrap_or_default(), page.next_token)
    });
    let thing = |interface: NetworkInterface| {
        let tags = own_tags(interface.tag_set);
        let id = interface.network_interface_id;
        Thing::of(AwsKind::Interface, id, &tags, None, Detail::None)
    };
    Ok(interfaces.await?.into_iter().filter_map(thing).collect())
}

/// The id of something of that kind that carries `tag` of this environment: what a call made whose
/// answer was lost.
///
/// # Errors
/// What AWS says.
pub(super) async fn find(
    session: &Session,
    kind: AwsKind,
    tag: &(String, String),
) -> Result<Vec<Thing>, Failure> {
    match kind {
        AwsKind::Vpc => with_routes(session, vpcs(session, Some(tag)).await?).await,
        AwsKind::Gateway => gateways(session, tag).await,
        AwsKind::Subnet => subnets(session, tag).await,
        _ => groups(session, tag).await,
    }
}
