//! Seats on AWS.

mod guest;
