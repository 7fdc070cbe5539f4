//! What the tests of all groups work with.

pub mod aws;
pub mod bundle;
pub mod desk;
pub mod kills;
pub mod scale;
pub mod schema;
