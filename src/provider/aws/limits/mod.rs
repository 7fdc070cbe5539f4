//! How fast AWS lets itself be called: the token buckets that it publishes.

pub mod bucket;
pub mod table;

pub use table::{Action, Manner, Service};
