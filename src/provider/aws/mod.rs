//! Seats on AWS: an EC2 instance or an ECS task for each, in a network of the environment's own.

pub mod apply;
pub mod calls;
pub mod census;
pub mod claim;
pub mod clock;
pub mod desired;
pub mod ec2;
pub mod ecs;
pub mod errors;
pub mod extend;
pub mod forecast;
pub mod found;
pub mod ids;
pub mod limits;
pub mod names;
pub mod network;
pub mod observe;
pub mod offline;
mod operate;
mod pace;
mod parameters;
pub mod preflight;
pub mod provider;
pub mod quotas;
pub mod scheme;
pub mod session;
mod silence;
pub mod status;
pub mod tags;
pub mod unsupported;

pub use provider::AwsProvider;
pub use session::{Session, SessionError};
