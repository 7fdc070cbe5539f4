//! The words of Seatbox as types: environment, seat, stack, service.
//!
//! Nothing here does I/O, and nothing here knows a provider.

pub mod aws;
pub mod environment;
pub mod id;
pub mod seat;
pub mod stack;
pub mod text;
pub mod view;

pub use environment::{BundledImage, Environment};
pub use id::{EnvironmentName, SeatNumber, SeatSet, ServiceName};
pub use stack::{Service, Stack};
pub use text::{SeatValues, SeatVariable, Text};
