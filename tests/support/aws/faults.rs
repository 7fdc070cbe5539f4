//! Calls that go wrong for no reason of theirs, as they do on every network and in every large
//! service: some of them by chance, and any one that a test names.

use std::collections::{BTreeMap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::answer::Refusal;
use super::call::Call;
use super::throttle;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Nothing.
    Pass,
    /// The connection is closed, and the emulator never hears of it.
    LoseCall,
    /// It works, and the connection is closed without an answer.
    LoseReply,
    /// It is answered with an inner error, and the emulator never hears of it.
    ErrorBefore,
    /// It works, and is answered with an inner error.
    ErrorAfter,
    /// The service says that it is not there, and the emulator never hears of it.
    Unavailable,
    /// It is throttled, whatever the buckets say.
    Throttle,
}

/// How many calls go wrong. Which of them follows from the seed and from how the calls fall.
#[derive(Debug)]
pub struct Faults {
    /// How many of a hundred are answered with an inner error, in its three kinds in turn.
    pub errors: f64,
    /// How many of a hundred are throttled.
    pub throttles: f64,
    /// How many of a hundred are lost on the way there.
    pub lost_calls: f64,
    /// How many of a hundred work, and their answer is lost.
    pub lost_replies: f64,
    random: StdRng,
    planned: VecDeque<(String, Fate)>,
    counts: BTreeMap<Fate, usize>,
    errors_so_far: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl Faults {
    /// None yet, and chance by that seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            errors: 0.0,
            throttles: 0.0,
            lost_calls: 0.0,
            lost_replies: 0.0,
            random: StdRng::seed_from_u64(seed),
            planned: VecDeque::new(),
            counts: BTreeMap::new(),
            errors_so_far: 0,
        }
    }

    /// The next call of that action has that fate; said twice, the next two have theirs in turn.
    pub fn plan(&mut self, action: &str, fate: Fate) {
        self.planned.push_back((action.to_owned(), fate));
    }

    /// How many calls there were of each fate.
    pub fn counts(&self) -> &BTreeMap<Fate, usize> {
        &self.counts
    }

    pub(super) fn decide(&mut self, call: &Call) -> Fate {
        let planned = self
            .planned
            .iter()
            .position(|(action, _)| *action == call.action);
        let fate = match planned.and_then(|at| self.planned.remove(at)) {
            Some((_, fate)) => fate,
            None => self.chance(),
        };
        *self.counts.entry(fate).or_default() += 1;
        fate
    }

    fn chance(&mut self) -> Fate {
        let mut drawn = self.random.random_range(0.0..100.0);
        for (share, fate) in [
            (self.errors, Fate::ErrorBefore),
            (self.throttles, Fate::Throttle),
            (self.lost_calls, Fate::LoseCall),
            (self.lost_replies, Fate::LoseReply),
        ] {
            if drawn < share {
                return if fate == Fate::ErrorBefore {
                    self.next_error()
                } else {
                    fate
                };
            }
            drawn -= share;
        }
        Fate::Pass
    }

    /// In turn, so that a handful is one of each kind.
    fn next_error(&mut self) -> Fate {
        self.errors_so_far += 1;
        let kinds = [Fate::ErrorAfter, Fate::ErrorBefore, Fate::Unavailable];
        kinds[self.errors_so_far % kinds.len()]
    }
}

impl Fate {
    /// What the service says, if it says anything of its own.
    pub(super) fn refusal(self, call: &Call) -> Option<Refusal> {
        let form = matches!(&*call.service, "ec2" | "iam" | "sts");
        Some(match self {
            Self::Pass | Self::LoseCall | Self::LoseReply => return None,
            Self::Throttle => throttle::refusal(call),
            Self::ErrorBefore | Self::ErrorAfter => {
                let code = match &*call.service {
                    "ec2" => "InternalError",
                    "iam" | "sts" => "InternalFailure",
                    "ecs" => "ServerException",
                    "logs" => "InternalFailure",
                    "tagging" => "InternalServiceException",
                    "servicequotas" => "ServiceException",
                    _ => "InternalServerError",
                };
                Refusal::with_status(500, code, "An internal error has occurred")
            }
            Self::Unavailable => {
                let code = match &*call.service {
                    "ec2" => "Unavailable",
                    _ if form => "ServiceUnavailable",
                    _ => "ServiceUnavailableException",
                };
                Refusal::with_status(503, code, "The service is unavailable. Try again shortly.")
            }
        })
    }

    /// Whether the emulator hears of the call.
    pub(super) fn arrives(self) -> bool {
        matches!(self, Self::Pass | Self::LoseReply | Self::ErrorAfter)
    }

    /// Whether the caller hears anything.
    pub(super) fn answers(self) -> bool {
        !matches!(self, Self::LoseCall | Self::LoseReply)
    }
}
