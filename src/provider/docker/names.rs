//! What things are called on the engine: as Compose calls them, one project a seat.

use crate::model::{EnvironmentName, SeatNumber};

/// The Compose project of a seat: `gopher-07`.
pub fn project(environment: &EnvironmentName, seat: SeatNumber) -> String {
    format!("{environment}-{seat}")
}

/// The container of a seat's service: `gopher-07-redis-1`.
pub fn container(environment: &EnvironmentName, seat: SeatNumber, service: &str) -> String {
    format!("{environment}-{seat}-{service}-1")
}

/// The network of a seat: `gopher-07_default`.
pub fn network(environment: &EnvironmentName, seat: SeatNumber, network: &str) -> String {
    format!("{environment}-{seat}_{network}")
}

/// A lease of an environment: `gopher_lease-5d41402a`. No seat's volume is called so, for a seat's
/// number stands before its underscore.
pub fn lease(environment: &EnvironmentName, hash: &str) -> String {
    format!("{environment}_lease-{hash}")
}

/// The volume of a seat: `gopher-07_postgres`.
pub fn volume(environment: &EnvironmentName, seat: SeatNumber, volume: &str) -> String {
    format!("{environment}-{seat}_{volume}")
}
