//! What the proxy does beyond passing calls on. All of it is off until a test turns it on, and may be
//! changed while calls go through.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::answer::Refusal;
use super::capacity::Capacity;
use super::clock::Clock;
use super::exec::Exec;
use super::faults::Faults;
use super::lifecycle::Lifecycle;
use super::lingering::Lingering;
use super::pages::Pages;
use super::throttle::Throttle;
use super::tokens::Tokens;
use super::visibility::Visibility;

/// What the proxy is to do.
#[derive(Debug, Default)]
pub struct Settings {
    /// How much later than without the proxy an answer comes: half of it on the way there.
    pub latency: Duration,
    /// AWS's buckets.
    pub throttle: Throttle,
    /// What goes wrong for no reason.
    pub faults: Faults,
    /// AWS's clock, and how long credentials last.
    pub clock: Clock,
    /// Whether a client token keeps things from being made twice.
    pub tokens: Tokens,
    /// How long new things are hidden.
    pub visibility: Visibility,
    /// What there is, and the account's quotas.
    pub capacity: Capacity,
    /// How long instances and tasks take to start and to end.
    pub lifecycle: Lifecycle,
    /// How tasks are fit for commands.
    pub exec: Exec,
    /// What is gone and listed still.
    pub lingering: Lingering,
    /// Lists in pages.
    pub pages: Pages,
    /// What is always refused, by action: what a caller may not do, what never goes away.
    pub refused: BTreeMap<String, Refusal>,
    /// Whether the caller may not read the parameters that are AWS's and everybody's.
    pub public_parameters_refused: bool,
    /// Regions in which no call is ever answered.
    pub silent_regions: BTreeSet<String>,
    /// Regions that the account has not enabled.
    pub closed_regions: BTreeSet<String>,
    /// Whether what is in use can't be deleted.
    pub dependencies: bool,
    /// Whether Fargate and RunTask take only what they take.
    pub fargate: bool,
    /// Whether the limits of single calls hold.
    pub shapes: bool,
}

impl Settings {
    /// Refuses all calls of an action from now on.
    pub fn refuse(&mut self, action: &str, refusal: Refusal) {
        self.refused.insert(action.to_owned(), refusal);
    }

    /// Turns on all in which AWS is always stricter than the emulator. What depends on the account, on
    /// the load or on luck stays as it is.
    pub fn be_strict(&mut self) {
        self.clock.judges = true;
        self.tokens.count = true;
        self.pages.longest = Some(1000);
        self.dependencies = true;
        self.fargate = true;
        self.shapes = true;
    }
}
