//! The queue of a lane: what may begin, and how much is under way.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::plan::{ActionId, Lane};

/// A lane's queue.
pub struct Queue {
    lane: Lane,
    ready: BTreeSet<ActionId>,
    /// When the first of those that are ready was, unless a call has begun since.
    since: Instant,
    /// How many others may still come.
    coming: usize,
    under_way: usize,
}

impl Queue {
    /// That of `lane`, empty.
    pub fn new(lane: Lane) -> Self {
        Self {
            lane,
            ready: BTreeSet::new(),
            since: Instant::now(),
            coming: 0,
            under_way: 0,
        }
    }

    /// Says that an action will come, or be [given up](Self::give_up).
    pub fn expect(&mut self) {
        self.coming += 1;
    }

    /// Says that an action that was expected will never come.
    pub fn give_up(&mut self) {
        self.coming -= 1;
    }

    /// Lets an action queue that was expected and may begin.
    pub fn push(&mut self, id: ActionId) {
        self.coming -= 1;
        if self.ready.is_empty() {
            self.since = Instant::now();
        }
        self.ready.insert(id);
    }

    /// When the next call may begin; none where nothing is ready, or another one must end before.
    pub fn next_at(&self) -> Option<Instant> {
        if self.ready.is_empty() || self.under_way >= self.lane.width {
            return None;
        }
        let has_all = self.coming == 0 || self.ready.len() >= self.lane.batch;
        Some(match has_all {
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
        self.since = Instant::now();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LINGER: Duration = Duration::from_millis(100);

    /// The queue of a lane for calls of three, one at a time, of which so many actions are to come.
    fn queue(coming: usize) -> Queue {
        let mut queue = Queue::new(Lane::new("lane", 1).serving(3).lingering(LINGER));
        for _ in 0..coming {
            queue.expect();
        }
        queue
    }

    fn next(queue: &mut Queue) -> Option<Vec<ActionId>> {
        queue.next_call(|_| 0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_call_waits_for_nobody_and_what_is_left_waits_anew() {
        let mut queue = queue(9);
        let begun = Instant::now();
        queue.push(0);
        tokio::time::advance(LINGER / 2).await;
        assert_eq!(next(&mut queue), None);
        for id in 1..4 {
            queue.push(id);
        }
        assert_eq!(next(&mut queue), Some(vec![0, 1, 2]));
        assert_eq!(queue.next_at(), None, "one at a time");
        queue.ended();
        assert_eq!(queue.next_at(), Some(begun + LINGER / 2 + LINGER));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_while_a_call_was_under_way_has_waited() {
        let mut queue = queue(9);
        queue.push(0);
        tokio::time::advance(LINGER).await;
        assert_eq!(next(&mut queue), Some(vec![0]));
        queue.push(1);
        tokio::time::advance(LINGER).await;
        queue.ended();
        assert_eq!(next(&mut queue), Some(vec![1]));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_nobody_is_to_come() {
        let mut queue = queue(2);
        queue.push(0);
        assert_eq!(next(&mut queue), None);
        queue.give_up();
        assert_eq!(next(&mut queue), Some(vec![0]));
    }
}
