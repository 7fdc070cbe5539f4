//! Planning published ports: one block a seat, and what is in the way of it.

use std::net::IpAddr;

use super::observe::Published;
use crate::model::environment::PortPlan;
use crate::model::stack::{Port, Protocol};
use crate::model::{SeatNumber, Stack};

/// A port that something on the engine's host listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The address it listens on.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// Who it is, as a person would name it (`container web-1`, `process nginx (812)`).
    pub name: String,
}

impl From<&Published> for Holder {
    fn from(published: &Published) -> Self {
        Self {
            address: published.address,
            port: published.port,
            protocol: published.protocol,
            name: format!("container {}", published.container),
        }
    }
}

/// The host port of every published port of a seat, service by service in the stack's order.
/// A seat's block is one after the seat before it, so a seat's ports follow from its number alone.
/// `None` where the block is too small or ends beyond 65535.
pub fn plan(stack: &Stack, ports: &PortPlan, seat: SeatNumber) -> Option<Vec<Vec<u16>>> {
    let mut next = 0;
    stack
        .services
        .values()
        .map(|service| {
            service
                .ports
                .iter()
                .map(|port| match port.published {
                    Some(fixed) => Some(fixed),
                    None => {
                        let planned = ports.port(seat, next);
                        next += 1;
                        planned
                    }
                })
                .collect()
        })
        .collect()
}

/// Where a port is published.
pub fn address(port: &Port, plan: &PortPlan) -> IpAddr {
    port.host_ip.unwrap_or(plan.address)
}

/// Who among `holders` already has that port, if anybody.
pub fn holder(
    holders: &[Holder],
    address: IpAddr,
    port: u16,
    protocol: Protocol,
) -> Option<&Holder> {
    holders.iter().find(|holder| {
        holder.port == port
            && holder.protocol == protocol
            && (holder.address == address
                || holder.address.is_unspecified()
                || address.is_unspecified())
    })
}
