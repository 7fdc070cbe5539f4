//! Instances: one for each seat, launched many at a time, and what runs inside them.

mod desired;
pub mod guest;
pub mod guest_bundle;
pub mod guest_data;
mod image;
mod instance;
mod launch;
mod launched;
mod observe;
mod operate;
mod reading;
pub mod ssh;
mod ssh_said;
mod stack;
mod terminate;
pub mod unsupported;
mod watch;

pub use desired::{InstanceSettings, desired};
pub use image::Image;
pub use instance::{Instance, InstanceState, Place};
pub use launch::{Launch, Launcher};
pub use observe::observe;
pub use operate::{attach, logs};
pub use stack::{Stacks, mark};
pub use terminate::terminate;
pub use watch::Watch;

#[cfg(test)]
mod unsupported_tests;
