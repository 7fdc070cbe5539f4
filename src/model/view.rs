//! What can be seen of seats, for whoever shows it.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::seat::SeatState;
use super::stack::ContainerPort;
use super::{SeatNumber, ServiceName};

/// A seat as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatView {
    /// Which.
    pub seat: SeatNumber,
    /// The number of its group, from 1.
    pub group: u32,
    /// Its state.
    pub state: SeatState,
    /// Its services, in the stack's order.
    pub services: Vec<ServiceView>,
    /// The address of the workspace on the seat's own network.
    pub address: Option<IpAddr>,
    /// The ports that it publishes.
    pub ports: Vec<PortView>,
    /// When it may be swept away.
    pub expires: Option<Timestamp>,
    /// How long it took to come up, in the run that is being reported.
    pub took: Option<Duration>,
}

/// A service of a seat as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Which.
    pub service: ServiceName,
    /// What the provider calls what runs it, where there is such a thing.
    pub id: Option<String>,
    /// Its state in the provider's words.
    pub state: String,
    /// What is the matter with it, where something is.
    pub problem: Option<String>,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortView {
    /// The service that answers there.
    pub service: ServiceName,
    /// The port inside the seat.
    pub port: ContainerPort,
    /// The host address.
    pub address: IpAddr,
    /// The host port.
    pub host_port: u16,
}
