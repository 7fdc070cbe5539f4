//! The network of an environment's seats: a VPC with a subnet in each of its zones, a way to the
//! internet, and one security group that keeps the seats apart.

mod apply;
mod consistency;
mod desired;
mod gateway;
mod observe;
mod rules;
mod zones;

pub use apply::delete;
pub(super) use apply::{Builder, specification};
pub(super) use consistency::{known, let_go, until};
pub use desired::{Network, desired};
pub use observe::{Foundation, Group, Subnet, Vpc, observe, vpcs};
pub(super) use observe::{filter, own_tags};
pub use rules::{Rule, Rules, Source, wanted as wanted_rules};
pub use zones::{offered, offerings};
