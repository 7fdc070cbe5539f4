//! How fast AWS lets itself be called: the token buckets that it publishes, a limiter that keeps
//! within them, and how long a run takes because of them.
//!
//! ```text
//! table ──▶ governor (over any clock) ──▶ limiter: what is awaited before each call
//!                                    └──▶ simulate: how long a plan will take
//! ```

pub mod bucket;
mod governor;
pub mod limiter;
pub mod simulate;
pub mod table;

#[cfg(test)]
mod simulate_tests;

pub use limiter::{Count, Limiter, Permit};
pub use simulate::{After, Demand, at_best, expected};
pub use table::{Action, Manner, Service};
