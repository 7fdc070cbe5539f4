//! Where seats live. A provider observes what exists, says what is wanted, and makes the calls of
//! a plan; what is done, and in which order, is never its matter.

#[cfg(feature = "aws")]
pub mod aws;
pub mod docker;
pub mod files;
pub mod labels;
pub mod lines;
pub mod notices;
pub mod preflight;
pub mod signals;
pub mod ssh;
pub mod terminal;
pub mod traits;
pub mod values;
pub mod workspace;

pub use preflight::Preflight;
pub use traits::{Existing, Listed, Logged, Logs, Operate, Provider};
