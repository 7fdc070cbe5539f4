//! What became of the calls, by action.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::call::Call;

/// What became of a call, as the caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It worked.
    Answered,
    /// It was too much for a bucket, or was said to be.
    Throttled,
    /// It was answered with any other error.
    Failed,
    /// It was not answered at all.
    Lost,
}

/// How many calls of one action there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub answered: usize,
    pub throttled: usize,
    pub failed: usize,
    pub lost: usize,
}

impl Tally {
    pub fn total(&self) -> usize {
        self.answered + self.throttled + self.failed + self.lost
    }

    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Throttled => self.throttled += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Lost => self.lost += 1,
        }
    }
}

/// A call that came, and what became of it; nothing as long as it is under way.
#[derive(Debug, Clone)]
pub struct Record {
    pub call: Arc<Call>,
    #[allow(dead_code, reason = "it is the race that wants to know when")]
    pub arrived: Instant,
    pub outcome: Option<Outcome>,
}

/// All calls since the last reset.
#[derive(Debug, Default)]
pub struct Counts {
    records: Mutex<Vec<Record>>,
    arrived: Condvar,
}

impl Counts {
    /// Takes a call down that arrives.
    pub(super) fn arrives(&self, call: Arc<Call>) -> usize {
        let mut records = self.records.lock().expect("nobody panics");
        records.push(Record {
            call,
            arrived: Instant::now(),
            outcome: None,
        });
        self.arrived.notify_all();
        records.len() - 1
    }

    /// Takes down what became of it; of one that came before a reset nobody wants to know.
    pub(super) fn ends(&self, number: usize, call: &Arc<Call>, outcome: Outcome) {
        let mut records = self.records.lock().expect("nobody panics");
        if let Some(record) = records.get_mut(number)
            && Arc::ptr_eq(&record.call, call)
        {
            record.outcome = Some(outcome);
        }
    }

    /// Forgets all calls.
    pub fn reset(&self) {
        self.records.lock().expect("nobody panics").clear();
    }

    /// The calls in the order in which they came.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().expect("nobody panics").clone()
    }

    /// How many calls came, answered or not.
    pub fn arrived(&self) -> usize {
        self.records.lock().expect("nobody panics").len()
    }

    /// How many calls of each action came to what; those under way are not among them.
    pub fn by_action(&self) -> BTreeMap<String, Tally> {
        let mut tallies = BTreeMap::<String, Tally>::new();
        for Record { call, outcome, .. } in self.records.lock().expect("nobody panics").iter() {
            if let Some(outcome) = outcome {
                tallies
                    .entry(call.action.clone())
                    .or_default()
                    .add(*outcome);
            }
        }
        tallies
    }

    /// How many calls of this action came to what.
    pub fn of(&self, action: &str) -> Tally {
        self.by_action().remove(action).unwrap_or_default()
    }

    /// How many calls of all actions came to what.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.by_action().values() {
            total.answered += tally.answered;
            total.throttled += tally.throttled;
            total.failed += tally.failed;
            total.lost += tally.lost;
        }
        total
    }

    /// Waits until so many calls have come since the last reset, as when a program is to be killed
    /// at one of them; says whether they came within that time.
    pub fn await_arrival(&self, number: usize, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut records = self.records.lock().expect("nobody panics");
        while records.len() < number {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let (guard, _) = self
                .arrived
                .wait_timeout(records, left)
                .expect("nobody panics");
            records = guard;
        }
        true
    }
}
