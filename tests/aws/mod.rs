//! Seats on AWS.

pub mod guest;
