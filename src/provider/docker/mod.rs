//! Seats on a Docker engine: a Compose project for each, on networks of its own.

pub mod connect;
pub mod exec;
pub mod listening;
pub mod logs;
pub mod routes;
pub mod terminal;
