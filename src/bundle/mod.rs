//! Bundles: an environment in one file, with its images, for a room without a network.
//!
//! ```text
//! save:  files ──collect──┐                        load:  bundle ──read, check──┬──▶ files
//!        engine ──export──┴──write──▶ bundle                                     └──▶ engine
//! ```
//!
//! The format is described in `docs/bundles.md`. What is read is checked whole, digest by digest,
//! before anything of it reaches an engine.

pub mod bridge;
pub mod collect;
pub mod error;
pub mod export;
pub mod load;
pub mod manifest;
pub mod read;
pub mod room;
pub mod save;
pub mod scratch;
pub mod sizes;
pub mod steps;
pub mod unpack;
pub mod write;

pub use error::Error;
pub use load::{Brought, LoadedImage, Outcome, load};
pub use manifest::Manifest;
pub use read::{Bundle, is_bundle};
pub use save::{Saved, save};
pub use unpack::Unpacked;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod tampered_tests;
