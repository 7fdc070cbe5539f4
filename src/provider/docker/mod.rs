//! Seats on a Docker engine: a Compose project for each, on networks of its own.

pub mod apply;
pub mod clock;
pub mod connect;
pub mod container;
mod create;
pub mod desired;
mod door;
pub mod errors;
pub mod exec;
pub mod found;
pub mod layout;
pub mod lease;
pub mod listening;
pub mod logs;
pub mod names;
pub mod observe;
pub mod offline;
pub mod ports;
pub mod provider;
pub mod ready;
pub mod routes;
pub mod scheme;
mod snapshot;
pub mod status;
pub mod subnets;

pub use provider::DockerProvider;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod scene;
