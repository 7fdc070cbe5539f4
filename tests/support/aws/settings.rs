//! What the proxy does beyond passing calls on. All of it is off until a test turns it on, and may be
//! changed while calls go through.

use std::time::Duration;

/// What the proxy is to do.
#[derive(Debug, Default)]
pub struct Settings {
    /// How much later than without the proxy an answer comes: half of it on the way there.
    pub latency: Duration,
}
