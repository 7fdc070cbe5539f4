//! Whom a security group lets in.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
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
    /// The first and the last port, where the protocol has any.
    pub ports: Option<(i32, i32)>,
    /// From where.
    pub from: Source,
}

/// Where a rule lets in from. Ours are all ranges of addresses; others are what people add by hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A range of IPv4 addresses.
    Range(String),
    /// A range of IPv6 addresses.
    Range6(String),
    /// The members of a group, which may be another account's.
    Group {
        /// Its id.
        id: String,
        /// The account's number.
        account: Option<String>,
    },
    /// A list of ranges.
    PrefixList(String),
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
        ports: Some((i32::from(*port), i32::from(*port))),
        from: Source::Range(from.to_string()),
    };
    let venue = &environment.aws.venue;
    ports
        .iter()
        .flat_map(|port| venue.iter().map(move |from| rule(port, from)))
        .collect()
}

/// What is there, as AWS tells it.
pub(super) fn read(permissions: &[IpPermission]) -> Rules {
    permissions.iter().flat_map(rules_of).collect()
}

fn rules_of(permission: &IpPermission) -> impl Iterator<Item = Rule> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let ranges = permission.ip_ranges().iter();
    let ranges6 = permission.ipv6_ranges().iter();
    let groups = permission.user_id_group_pairs().iter();
    let lists = permission.prefix_list_ids().iter();
    let sources = ranges
        .map(move |range| Source::Range(text(range.cidr_ip())))
        .chain(ranges6.map(move |range| Source::Range6(text(range.cidr_ipv6()))))
        .chain(groups.map(move |group| Source::Group {
            id: text(group.group_id()),
            account: group.user_id().map(str::to_owned),
        }))
        .chain(lists.map(move |list| Source::PrefixList(text(list.prefix_list_id()))));
    sources.map(|from| Rule {
        protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
        ports: permission.from_port().zip(permission.to_port()),
        from,
    })
}

/// For a call that sets or revokes rules.
pub(super) fn permission(rule: &Rule) -> IpPermission {
    let permission = IpPermission::builder().ip_protocol(&rule.protocol);
    let permission = permission
        .set_from_port(rule.ports.map(|(first, _)| first))
        .set_to_port(rule.ports.map(|(_, last)| last));
    match &rule.from {
        Source::Range(range) => permission.ip_ranges(IpRange::builder().cidr_ip(range).build()),
        Source::Range6(range) => {
            permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(range).build())
        }
        Source::Group { id, account } => {
            let group = UserIdGroupPair::builder().group_id(id);
            permission.user_id_group_pairs(group.set_user_id(account.clone()).build())
        }
        Source::PrefixList(list) => {
            permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(list).build())
        }
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_revoked_as_what_it_was_read_as() {
        let permission_of = |permission: aws_sdk_ec2::types::builders::IpPermissionBuilder| {
            let permission = permission.ip_protocol("tcp").from_port(22).to_port(23);
            permission.build()
        };
        let builder = IpPermission::builder;
        let range = IpRange::builder().cidr_ip("192.0.2.0/24").build();
        let range6 = Ipv6Range::builder().cidr_ipv6("2001:db8::/32").build();
        let group = UserIdGroupPair::builder().group_id("sg-1");
        let group = group.user_id("210987654321").build();
        let list = PrefixListId::builder().prefix_list_id("pl-1").build();
        for whole in [
            permission_of(builder().ip_ranges(range.clone())),
            permission_of(builder().ipv6_ranges(range6)),
            permission_of(builder().user_id_group_pairs(group)),
            permission_of(builder().prefix_list_ids(list)),
            builder().ip_protocol("-1").ip_ranges(range.clone()).build(),
            // Encapsulating Security Payload.
            builder().ip_protocol("50").ip_ranges(range).build(),
        ] {
            let rules = read(std::slice::from_ref(&whole));
            assert_eq!(rules.len(), 1, "{whole:?}");
            let told: Vec<IpPermission> = rules.iter().map(permission).collect();
            assert_eq!(told, [whole]);
        }
    }
}
