//! What the tests of all groups work with.

// What none of these tests needs is for those of seats on AWS, and for benchmarks.
#[allow(dead_code)]
pub mod aws;
pub mod bundle;
pub mod desk;
pub mod schema;
