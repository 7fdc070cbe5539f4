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

impl Holder {
    /// Whether this one keeps another from `port` on `address`. An unspecified address, of either
    /// family, overlaps every other: a socket on `::` takes IPv4 too unless it was told not to,
    /// and a clash that is foreseen wrongly costs less than one that is missed.
    pub fn clashes(&self, protocol: Protocol, address: IpAddr, port: u16) -> bool {
        let (own, wanted) = (self.address.to_canonical(), address.to_canonical());
        self.protocol == protocol
            && self.port == port
            && (own == wanted || own.is_unspecified() || wanted.is_unspecified())
    }
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
    holders
        .iter()
        .find(|holder| holder.clashes(protocol, address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(address: &str) -> Holder {
        Holder {
            address: address.parse().unwrap(),
            port: 5432,
            protocol: Protocol::Tcp,
            name: "somebody".to_owned(),
        }
    }

    #[test]
    fn an_unspecified_address_clashes_with_every_other() {
        let clashes = |own: &str, wanted: &str| {
            holder(own).clashes(Protocol::Tcp, wanted.parse().unwrap(), 5432)
        };
        assert!(clashes("127.0.0.1", "127.0.0.1"));
        assert!(clashes("0.0.0.0", "127.0.0.1"));
        assert!(clashes("127.0.0.1", "0.0.0.0"));
        assert!(clashes("::", "192.0.2.2"));
        assert!(clashes("0.0.0.0", "::"));
        assert!(clashes("::ffff:127.0.0.1", "127.0.0.1"));
        assert!(!clashes("127.0.0.1", "192.0.2.2"));
        assert!(!clashes("::1", "127.0.0.1"));
    }

    #[test]
    fn another_port_or_protocol_does_not_clash() {
        let any = "0.0.0.0".parse().unwrap();
        assert!(!holder("0.0.0.0").clashes(Protocol::Tcp, any, 5433));
        assert!(!holder("0.0.0.0").clashes(Protocol::Udp, any, 5432));
    }
}
