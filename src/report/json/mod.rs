//! Output for programs: versioned types of its own, so that what is inside may change freely.

pub mod lines;
pub mod v1;

pub use lines::JsonLines;
