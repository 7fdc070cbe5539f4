//! The queue of a lane: what may begin, and how much is under way.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::plan::{ActionId, Lane};

/// A lane's queue.
pub struct Queue {
    lane: Lane,
    ready: BTreeSet<ActionId>,
    /// When the first of those that are ready was.
    since: Instant,
    under_way: usize,
}

impl Queue {
    /// That of `lane`, empty.
    pub fn new(lane: Lane) -> Self {
        Self {
            lane,
            ready: BTreeSet::new(),
            since: Instant::now(),
            under_way: 0,
        }
    }

    /// Lets an action queue that may begin.
    pub fn push(&mut self, id: ActionId) {
        if self.ready.is_empty() {
            self.since = Instant::now();
        }
        self.ready.insert(id);
    }

    /// When the next call may begin; none where it takes another one to end before.
    pub fn next_at(&self) -> Option<Instant> {
        if self.ready.is_empty() || self.under_way >= self.lane.width {
            return None;
        }
        let is_full = self.ready.len() >= self.lane.batch;
        Some(match is_full {
            true => self.since,
            false => self.since + self.lane.linger,
        })
    }

    /// The actions of a call that begins now, lowest place in the plan first: those of one group.
    pub fn next_call(&mut self, group: impl Fn(ActionId) -> u64) -> Option<Vec<ActionId>> {
        if self.next_at()? > Instant::now() {
            return None;
        }
        let mut call = vec![self.ready.pop_first()?];
        if self.lane.batch > 1 {
            let alike = |id: &&ActionId| group(**id) == group(call[0]);
            let room = self.lane.batch - 1;
            let others: Vec<ActionId> = self
                .ready
                .iter()
                .filter(alike)
                .take(room)
                .copied()
                .collect();
            for id in &others {
                self.ready.remove(id);
            }
            call.extend(others);
        }
        self.under_way += 1;
        Some(call)
    }

    /// Says that one of its calls has ended.
    pub fn ended(&mut self) {
        self.under_way -= 1;
    }

    /// Empties it of what has not begun.
    pub fn take(&mut self) -> BTreeSet<ActionId> {
        std::mem::take(&mut self.ready)
    }
}
