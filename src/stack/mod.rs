//! Reading a Compose file into a [`Stack`](crate::model::Stack), and writing one back.
//!
//! The tree of the file (with the place of every value) is interpolated, then read attribute by
//! attribute, then checked as a whole. Each step goes on after an error, so that one run shows
//! them all. What the reader does not know is an error and never ignored.

mod check;
mod dotenv;
mod emit;
pub mod export;
pub mod harden;
mod hosts;
mod interpolate;
pub mod isolation;
mod load;
mod read;
mod service_attributes;
mod units;
mod variables;

pub use hosts::variable as host_variable;
pub use load::{Request, Source, load};

#[cfg(test)]
mod tests;
