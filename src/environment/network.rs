//! Whether there are subnets and ports enough for all seats.

use std::net::IpAddr;

use ipnet::Ipv4Net;

use super::checker::Checker;
use super::raw::{RawDocker, RawPorts};
use crate::model::Stack;
use crate::model::environment::{DockerSettings, PortPlan, Seats};

/// The ranges that are nobody's on the internet (RFC 1918, and RFC 6598's carrier range).
const PRIVATE: [&str; 4] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
];

/// Addresses of a network that no service gets: the network's own, the broadcast address, and the
/// gateway.
const TAKEN_ADDRESSES: u64 = 3;

/// The lowest port that may be published: those below are the system's (RFC 6335, section 6).
const FIRST_PORT: u16 = 1024;

pub(super) fn docker(c: &mut Checker<'_>, raw: RawDocker) -> Option<DockerSettings> {
    let subnets = raw
        .subnets
        .and_then(|text| range(c, "docker.subnets", &text));
    let ports = ports(c, raw.ports.unwrap_or_default());
    let prefix = raw.subnet_prefix?;
    let lowest = subnets.map_or(8, |range| range.prefix_len());
    if !(lowest.max(8)..=29).contains(&prefix) {
        let message = "a network of that size is not possible here";
        let hint = format!(
            "from {} (the whole range) to 29 (5 services)",
            lowest.max(8)
        );
        c.problem(
            "docker.subnet_prefix",
            "environment::subnets",
            message,
            &hint,
        );
        return None;
    }
    Some(DockerSettings {
        subnets: subnets?,
        subnet_prefix: prefix,
        ports: ports?,
    })
}

/// A private IPv4 range.
pub(super) fn range(c: &mut Checker<'_>, field: &str, text: &str) -> Option<Ipv4Net> {
    let code = "environment::subnets";
    let Ok(range) = text.parse::<Ipv4Net>() else {
        c.problem(
            field,
            code,
            "this is not an IPv4 range",
            "write for example 10.213.0.0/16",
        );
        return None;
    };
    if range != range.trunc() {
        let hint = format!("write {}", range.trunc());
        c.problem(
            field,
            code,
            "this is an address in a range, not a range",
            &hint,
        );
        return None;
    }
    let private = PRIVATE
        .iter()
        .filter_map(|private| private.parse::<Ipv4Net>().ok())
        .any(|private| private.contains(&range));
    if !private {
        let message = "this range is not private: seats would hide parts of the internet";
        let hint = format!("take a range within {}", PRIVATE.join(", "));
        c.problem(field, code, message, &hint);
        return None;
    }
    Some(range)
}

fn ports(c: &mut Checker<'_>, raw: RawPorts) -> Option<PortPlan> {
    let code = "environment::ports";
    let address = raw.address.and_then(|text| {
        let address = text.parse::<IpAddr>().ok();
        if address.is_none() {
            let hint = "127.0.0.1 for this machine alone, 0.0.0.0 for everybody";
            c.problem(
                "docker.ports.address",
                code,
                "this is not an IP address",
                hint,
            );
        }
        address
    });
    if raw.first.is_some_and(|first| first < FIRST_PORT) {
        let message = "ports below 1024 are the system's";
        c.problem("docker.ports.first", code, message, "20000 is a good begin");
    }
    if raw.per_seat == Some(0) {
        c.problem(
            "docker.ports.per_seat",
            code,
            "a seat's block has a port at least",
            "",
        );
    }
    Some(PortPlan {
        address: address?,
        first: raw.first.filter(|first| *first >= FIRST_PORT)?,
        per_seat: raw.per_seat.filter(|count| *count > 0)?,
    })
}

/// Checks that the range has a network for each network of each seat, and that a network has an
/// address for each service.
pub(super) fn check_subnets(
    c: &mut Checker<'_>,
    docker: &DockerSettings,
    seats: Seats,
    stack: &Stack,
) {
    let code = "environment::subnets";
    let networks = stack.networks.len().max(1) as u64;
    let available = 1_u64 << (docker.subnet_prefix - docker.subnets.prefix_len());
    let fit = available / networks;
    if u64::from(seats.total()) > fit {
        let message = format!(
            "{} has {available} networks of /{}: too few for {} seats",
            docker.subnets,
            docker.subnet_prefix,
            seats.total()
        );
        let hint = format!("{fit} seats fit; take a larger range or smaller networks");
        c.problem("docker.subnets", code, message, &hint);
    }
    let addresses = (1_u64 << (32 - docker.subnet_prefix)) - TAKEN_ADDRESSES;
    if stack.services.len() as u64 > addresses {
        let message = format!("such a network has addresses for {addresses} services");
        let hint = format!(
            "the stack has {}; take a smaller number",
            stack.services.len()
        );
        c.problem("docker.subnet_prefix", code, message, &hint);
    }
}

/// Checks that there are host ports for every published port of every seat.
pub(super) fn check_ports(c: &mut Checker<'_>, plan: &PortPlan, seats: Seats, stack: &Stack) {
    let code = "environment::ports";
    let published: usize = stack
        .services
        .values()
        .map(|service| service.ports.len())
        .sum();
    if published == 0 {
        return;
    }
    if published > usize::from(plan.per_seat) {
        let message = format!("the stack publishes {published} ports of each seat");
        let hint = format!("write `per_seat: {published}` at least");
        c.problem("docker.ports.per_seat", code, message, &hint);
    }
    let room = u32::from(u16::MAX) - u32::from(plan.first) + 1;
    let fit = room / u32::from(plan.per_seat);
    if seats.total() > fit {
        let message = format!(
            "{} seats of {} ports from {} on go beyond port 65535",
            seats.total(),
            plan.per_seat,
            plan.first
        );
        let hint = format!("{fit} seats fit; begin lower or give a seat fewer ports");
        c.problem("docker.ports.first", code, message, &hint);
    }
}
