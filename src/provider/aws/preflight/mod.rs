//! What an account has, may have and is offered, against what a plan needs, before the first call that
//! creates anything. What can't be found out keeps nobody from trying.

mod allowance;
mod container_instances;
mod fargate;
mod identity;
mod image;
mod need;
mod quota;
mod rules;
mod run;
mod types;
mod vcpus;
mod vpcs;
mod zones;

pub use allowance::{Allowance, ask};
pub use fargate::quota_of as fargate_quota;
pub use need::Need;
pub use run::{Surroundings, run};
pub(super) use types::describe as describe_types;
pub use vcpus::quota_of as vcpu_quota;
