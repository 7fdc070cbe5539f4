//! Kills at moments spread over all that a verb does.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::scale::{record, seed};

/// Whatever time a verb takes: what it does is cut into as many parts as there are kills, and each kill
/// hits one part at random.
pub struct Kills {
    random: StdRng,
    seed: u64,
    /// How many steps the verb takes: lines that it tells, or calls that it makes.
    length: usize,
    count: usize,
    made: usize,
    under_way: usize,
    /// How many came at such a moment as they are made for.
    telling: usize,
}

impl Kills {
    pub fn new(length: usize, count: usize) -> Self {
        let seed = seed();
        Self {
            random: StdRng::seed_from_u64(seed),
            seed,
            length,
            count,
            made: 0,
            under_way: 0,
            telling: 0,
        }
    }

    /// After how many steps the next kill comes, and how long after the last of them; nothing after the
    /// last one. Where only few are made luck may let none of them tell anything, or most come too late:
    /// then others follow.
    pub fn next(&mut self, latest: Duration) -> Option<(usize, Duration)> {
        let is_enough = self.telling > 0 && self.most_are_in_time();
        if self.made >= self.count && (is_enough || self.made >= 10 * self.count) {
            return None;
        }
        let part = |number: usize| number * self.length / self.count;
        let number = self.made % self.count;
        let step = self.random.random_range(part(number)..=part(number + 1));
        Some((step, self.random.random_range(Duration::ZERO..latest)))
    }

    /// Notes a kill: whether the verb was under way still, and whether it tells what they are made for.
    pub fn note(&mut self, under_way: bool, telling: bool) {
        self.made += 1;
        self.under_way += usize::from(under_way);
        self.telling += usize::from(telling);
    }

    /// All but the last parts are well before its end.
    fn most_are_in_time(&self) -> bool {
        self.under_way * 2 > self.made
    }

    /// How many were noted that tell what they are made for.
    pub fn telling(&self) -> usize {
        self.telling
    }

    /// Whether the kill that was noted last is one of every other.
    pub fn is_odd(&self) -> bool {
        self.made % 2 == 1
    }

    /// Records what was done, and what came of it.
    pub fn record(&self, what: &str, came_of_it: &str) {
        let Self {
            made,
            under_way,
            seed,
            ..
        } = self;
        let result =
            format!("{made} kills, {under_way} of them under way{came_of_it} (seed {seed})");
        assert!(self.most_are_in_time(), "most came too late: {result}");
        assert!(self.telling > 0, "none came at such a moment: {result}");
        record(what, &result);
    }
}
