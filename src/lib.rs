//! Seatbox: a sandbox for every seat of a hands-on event, and all of them taken away again.
//!
//! ```text
//! environment file ──load──▶ Environment ──┐
//!                                          ├──plan (pure)──▶ Plan ──engine──▶ events ──▶ reporters
//! labels and tags ──observe──▶ Observed ───┘
//! ```
//!
//! The folders of this crate are the stations of that line, in its order: [`environment`] loads,
//! [`provider`] observes and applies, [`plan`] decides, [`engine`] walks the plan, [`report`]
//! renders what happened, and [`cli`] puts them together, one file a verb.
#![warn(missing_docs)]
// The futures of the AWS SDK are nested deeply.
#![recursion_limit = "256"]

pub mod bundle;
pub mod cli;
pub mod convergence;
pub mod diagnostic;
pub mod engine;
pub mod environment;
pub mod exit;
pub mod expiry;
pub mod image;
pub mod model;
pub mod plan;
pub mod provider;
pub mod removal;
pub mod report;
pub mod schedule;
pub mod secret;
pub mod stack;
pub mod yaml;

use std::fmt::Write as _;

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
