//! Seats as EC2 instances.

pub mod guest;
pub mod guest_bundle;
pub mod guest_data;
pub mod ssh;
mod ssh_said;
