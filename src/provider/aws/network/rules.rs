//! Whom a security group lets in.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange};
use ipnet::Ipv4Net;

use crate::model::stack::Protocol;
use crate::model::{Environment, environment::ProviderKind};

/// The rules of a group.
pub type Rules = BTreeSet<Rule>;

/// The port at which a seat's shell is reached on EC2.
const SSH: u16 = 22;

/// One way in. A group that says nothing of itself keeps its members apart from each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// `tcp` or `udp`; `-1` is whatever there is.
    pub protocol: String,
    /// The first and the last port.
    pub ports: (i32, i32),
    /// From where.
    pub from: String,
}

/// The rules that an environment wants: the ports that its stack publishes, and on EC2 the shell's,
/// from where the environment says.
pub fn wanted(environment: &Environment) -> Rules {
    let mut ports: BTreeSet<(&str, u16)> = BTreeSet::new();
    if environment.provider == ProviderKind::Ec2 {
        ports.insert((Protocol::Tcp.as_str(), SSH));
    }
    // What has no way out is not reached either.
    if environment.isolation.internet {
        for service in environment.stack.services.values() {
            let targets = service.ports.iter().map(|port| port.target);
            ports.extend(targets.map(|port| (port.protocol.as_str(), port.number)));
        }
    }
    let rule = |(protocol, port): &(&str, u16), from: &Ipv4Net| Rule {
        protocol: (*protocol).to_owned(),
        ports: (i32::from(*port), i32::from(*port)),
        from: from.to_string(),
    };
    let venue = &environment.aws.venue;
    ports
        .iter()
        .flat_map(|port| venue.iter().map(move |from| rule(port, from)))
        .collect()
}

/// What is there, as AWS tells it. A rule for something else than a range of addresses has that
/// something as where it is from.
pub(super) fn read(permissions: &[IpPermission]) -> Rules {
    let mut rules = Rules::new();
    for permission in permissions {
        let mut add = |from: Option<&str>| {
            rules.insert(Rule {
                protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
                ports: (
                    permission.from_port().unwrap_or(-1),
                    permission.to_port().unwrap_or(-1),
                ),
                from: from.unwrap_or_default().to_owned(),
            });
        };
        permission
            .ip_ranges()
            .iter()
            .for_each(|range| add(range.cidr_ip()));
        permission
            .ipv6_ranges()
            .iter()
            .for_each(|range| add(range.cidr_ipv6()));
        permission
            .user_id_group_pairs()
            .iter()
            .for_each(|pair| add(pair.group_id()));
        permission
            .prefix_list_ids()
            .iter()
            .for_each(|list| add(list.prefix_list_id()));
    }
    rules
}

/// For a call that sets or revokes rules, which are all from ranges of addresses.
pub(super) fn permission(rule: &Rule) -> IpPermission {
    IpPermission::builder()
        .ip_protocol(&rule.protocol)
        .from_port(rule.ports.0)
        .to_port(rule.ports.1)
        .ip_ranges(IpRange::builder().cidr_ip(&rule.from).build())
        .build()
}
