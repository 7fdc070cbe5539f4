//! Seats on AWS: an EC2 instance or an ECS task for each.

pub mod ec2;
pub mod ecs;
pub mod unsupported;
