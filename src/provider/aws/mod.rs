//! Seats on AWS.

pub mod ec2;
