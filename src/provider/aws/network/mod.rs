//! The network of an environment's seats: a VPC with a subnet in each of its zones, a way to the
//! internet, and one security group that keeps the seats apart.

mod apply;
mod desired;
mod gateway;
mod observe;
mod rules;
mod zones;

pub use apply::delete;
pub(super) use apply::{Builder, known, let_go, specification};
pub use desired::{Network, desired};
pub use observe::{Subnet, Vpc, observe};
pub(super) use observe::{filter, own_tags};
pub use rules::{Rule, Rules};
pub use zones::{offered, offerings};
