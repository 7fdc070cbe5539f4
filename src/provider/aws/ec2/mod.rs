//! Instances: one for each seat, launched many at a time.

mod instance;
mod launch;
mod observe;
mod terminate;
mod watch;

pub use instance::{Instance, InstanceState};
pub use launch::{Launch, Launcher};
pub use observe::observe;
pub use terminate::terminate;
pub use watch::Watch;
