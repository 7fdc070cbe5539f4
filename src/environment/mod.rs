//! From an environment file to an [`Environment`](crate::model::Environment).
//!
//! Four layers of trees are laid upon each other, read into raw types, resolved and checked. Each
//! step goes on after an error, so that one run reports them all.

mod aws;
mod checker;
mod files;
mod layers;
mod load;
mod network;
mod raw;
mod resolve;
mod schema;
mod show;
mod stack;
mod units;

pub use load::{Loaded, Overrides, load};
pub use schema::{SCHEMA_ID, schema};
pub use show::{Setting, settings};
pub use stack::template;
pub use units::{absolute, duration, end};

#[cfg(test)]
mod tests;

#[cfg(test)]
mod aws_tests;

#[cfg(test)]
mod corpus_tests;
