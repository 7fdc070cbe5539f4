//! Who may call when, over any clock: what the limiter and the simulation share.

use std::collections::HashMap;
use std::time::Duration;

use super::bucket::TokenBucket;
use super::table::{Action, Bucket, BucketName, Cost, draws};

/// How long a bucket that throttled is left alone, twice as long after each throttle in a row.
/// AWS speaks of tokens that come "every second", so before that there may be none.
const PAUSE: Duration = Duration::from_secs(1);
/// After so many throttles in a row the pause no longer grows.
const MOST_STRIKES: u32 = 4;
/// Calls that were under way together are throttled together, which says no more than one would.
const ONE_THROTTLE: Duration = Duration::from_secs(1);
/// One throttled call in so many is borne without going slower: 1.7%.
const BORNE: u32 = 60;
/// What more of them leave of a bucket's rate.
const SLOWED_TO: f64 = 0.8;
/// What each call that went through gives back, as a part of the whole rate: about what one throttle
/// takes, in as many calls as it is borne in.
const REGAINED: f64 = 1.0 / 300.0;
/// The least that is left of a rate.
const FLOOR: f64 = 0.1;

/// How much is left to others and to chance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Margin {
    /// How much closer together than they were sent calls may arrive: what a bucket regains in that
    /// time is not spent in a burst.
    pub(super) bunching: Duration,
    /// The part of a bucket's rate that is ours.
    pub(super) share: f64,
}

impl Margin {
    /// The limiter's. docs/decisions tells how it was found.
    pub(super) const OURS: Self = Self {
        bunching: Duration::from_millis(150),
        share: 0.95,
    };
    /// That of someone who is alone and whose calls arrive as they are sent.
    pub(super) const NONE: Self = Self {
        bunching: Duration::ZERO,
        share: 1.0,
    };

    /// What a bucket is to us.
    fn of(self, published: Bucket) -> Bucket {
        let kept = published.refill_per_second * self.bunching.as_secs_f64();
        Bucket {
            // A call takes one, so less would be none.
            capacity: (published.capacity - kept).max(1.0),
            refill_per_second: published.refill_per_second * self.share,
        }
    }
}

/// How often an action was called, and how often in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls that were made, the throttled ones among them.
    pub calls: u64,
    /// Calls that AWS throttled.
    pub throttled: u64,
}

/// An action that the governor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane(usize);

#[derive(Debug)]
struct LaneState {
    action: Action,
    /// The buckets it takes from.
    draws: Vec<(usize, Cost)>,
    count: Count,
}

#[derive(Debug)]
struct Adapting {
    /// The rate when all is well.
    rate: f64,
    /// What is left of it.
    factor: f64,
    slowed_at: Option<Duration>,
    /// Throttles since the last call that went through.
    strikes: u32,
    /// Calls that went through since the last throttle.
    passed: u32,
    tokens: TokenBucket,
}

/// All buckets that were asked for.
#[derive(Debug)]
pub(super) struct Governor {
    margin: Margin,
    buckets: Vec<Adapting>,
    names: HashMap<BucketName, usize>,
    lanes: Vec<LaneState>,
    actions: HashMap<Action, Lane>,
}

impl Governor {
    pub(super) fn new(margin: Margin) -> Self {
        Self {
            margin,
            buckets: Vec::new(),
            names: HashMap::new(),
            lanes: Vec::new(),
            actions: HashMap::new(),
        }
    }

    /// The lane of `action`; its buckets are full when it is the first that needs them.
    pub(super) fn lane(&mut self, action: Action) -> Lane {
        if let Some(lane) = self.actions.get(&action) {
            return *lane;
        }
        let draws = draws(action)
            .into_iter()
            .map(|draw| {
                let index = *self.names.entry(draw.name).or_insert_with(|| {
                    let size = self.margin.of(draw.bucket);
                    self.buckets.push(Adapting {
                        rate: size.refill_per_second,
                        factor: 1.0,
                        slowed_at: None,
                        strikes: 0,
                        passed: BORNE,
                        tokens: TokenBucket::full(size),
                    });
                    self.buckets.len() - 1
                });
                (index, draw.cost)
            })
            .collect();
        let lane = Lane(self.lanes.len());
        self.lanes.push(LaneState {
            action,
            draws,
            count: Count::default(),
        });
        self.actions.insert(action, lane);
        lane
    }

    /// Where calls of this lane queue: at the bucket that the fewest share, first come, first served.
    /// Queues are numbered from 0 and fewer than the buckets.
    pub(super) fn queue(&self, lane: Lane) -> usize {
        let draws = &self.lanes[lane.0].draws;
        draws.last().map_or(0, |(bucket, _)| *bucket)
    }

    /// Lets a call with `units` go, counts it and returns zero, or returns when to ask again.
    pub(super) fn take(&mut self, lane: Lane, units: u32, now: Duration) -> Duration {
        let LaneState { draws, count, .. } = &mut self.lanes[lane.0];
        let wait = draws
            .iter()
            .map(|(bucket, cost)| self.buckets[*bucket].tokens.wait(cost.of(units), now))
            .max()
            .unwrap_or_default();
        if wait.is_zero() {
            count.calls += 1;
            for (bucket, cost) in draws {
                self.buckets[*bucket].tokens.take(cost.of(units), now);
            }
        }
        wait
    }

    /// A call of the lane with `units` was throttled, so it took nothing. AWS does not say from which
    /// bucket: to our knowledge, the one with room for the fewest such calls.
    pub(super) fn throttled(&mut self, lane: Lane, units: u32, now: Duration) {
        let LaneState { draws, count, .. } = &mut self.lanes[lane.0];
        count.throttled += 1;
        let room = |(bucket, cost): (usize, Cost)| {
            self.buckets[bucket].tokens.level(now) / cost.of(units).max(1.0)
        };
        let at_fault = draws
            .iter()
            .copied()
            .min_by(|a, b| room(*a).total_cmp(&room(*b)));
        for (bucket, cost) in draws {
            self.buckets[*bucket].tokens.give_back(cost.of(units));
        }
        if let Some((bucket, cost)) = at_fault {
            self.buckets[bucket].slow_down(cost.of(units), now);
        }
    }

    /// A call of the lane was answered otherwise than by a throttle.
    pub(super) fn passed(&mut self, lane: Lane, now: Duration) {
        for (bucket, _) in &self.lanes[lane.0].draws {
            let bucket = &mut self.buckets[*bucket];
            bucket.strikes = 0;
            bucket.passed = bucket.passed.saturating_add(1);
            if bucket.factor < 1.0 {
                bucket.fill_at((bucket.factor + REGAINED).min(1.0), now);
            }
        }
    }

    /// What was counted of each action.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Action, Count)> {
        self.lanes.iter().map(|lane| (lane.action, lane.count))
    }
}

impl Adapting {
    /// AWS's bucket had fewer than `n`; whether it has them is tried again after a pause.
    fn slow_down(&mut self, n: f64, now: Duration) {
        let before = self.slowed_at.filter(|at| now < *at + ONE_THROTTLE);
        if before.is_none() {
            self.slowed_at = Some(now);
            self.strikes = (self.strikes + 1).min(MOST_STRIKES);
            if self.passed < BORNE {
                self.fill_at((self.factor * SLOWED_TO).max(FLOOR), now);
            }
            self.passed = 0;
        }
        let pause = PAUSE * (1 << self.strikes.saturating_sub(1));
        let regained = self.tokens.size().refill_per_second * pause.as_secs_f64();
        self.tokens.leave(n - regained, now);
    }

    fn fill_at(&mut self, factor: f64, now: Duration) {
        self.factor = factor;
        self.tokens.fill_at(self.rate * factor, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Service;
    use super::*;

    const RUN: Action = Action::new(Service::Ec2, "RunInstances");
    const SECOND: Duration = Duration::from_secs(1);

    /// How long until the next call may go.
    fn next(governor: &mut Governor, lane: Lane, now: Duration) -> f64 {
        let mut now_ = now;
        loop {
            let wait = governor.take(lane, 1, now_);
            if wait.is_zero() {
                return (now_ - now).as_secs_f64();
            }
            now_ += wait;
        }
    }

    fn throttled_once() -> (Governor, Lane) {
        let mut governor = Governor::new(Margin::NONE);
        let lane = governor.lane(RUN);
        governor.take(lane, 1, SECOND);
        governor.throttled(lane, 1, SECOND);
        (governor, lane)
    }

    #[test]
    fn a_margin_is_kept_in_bursts_and_in_the_long_run() {
        let ours = Margin::OURS.of(Bucket {
            capacity: 100.0,
            refill_per_second: 20.0,
        });
        assert!((ours.capacity - 97.0).abs() < 1e-9);
        assert!((ours.refill_per_second - 19.0).abs() < 1e-9);
        let smallest = Margin::OURS.of(Bucket {
            capacity: 1.0,
            refill_per_second: 1.0,
        });
        assert!(smallest.capacity >= 1.0);
    }

    #[test]
    fn a_throttle_is_a_pause_which_others_at_the_same_time_do_not_lengthen() {
        let (mut governor, lane) = throttled_once();
        for _ in 0..20 {
            governor.throttled(lane, 1, SECOND);
        }
        let wait = next(&mut governor, lane, SECOND);
        assert!((wait - 1.0).abs() < 1e-3, "{wait}");
        // The rate is what it was.
        let wait = next(&mut governor, lane, 2 * SECOND);
        assert!((wait - 0.5).abs() < 1e-3, "{wait}");
        let counts: Vec<_> = governor.counts().collect();
        let count = Count {
            calls: 3,
            throttled: 21,
        };
        assert_eq!(counts, [(RUN, count)]);
    }

    #[test]
    fn throttles_in_a_row_are_longer_pauses_and_a_lower_rate() {
        let (mut governor, lane) = throttled_once();
        let mut now = SECOND;
        for pause in [2.0, 4.0, 8.0, 8.0] {
            now += 2 * SECOND;
            governor.throttled(lane, 1, now);
            let wait = governor.take(lane, 1, now).as_secs_f64();
            assert!((wait - pause).abs() < 1e-3, "{wait}");
        }
        let at = now + Duration::from_secs_f64(next(&mut governor, lane, now));
        let wait = next(&mut governor, lane, at);
        assert!((wait - 0.5 / SLOWED_TO.powi(4)).abs() < 1e-3, "{wait}");
    }

    #[test]
    fn throttles_without_end_leave_a_tenth_and_calls_that_go_through_bring_all_back() {
        let (mut governor, lane) = throttled_once();
        let mut now = SECOND;
        for _ in 0..40 {
            now += 10 * SECOND;
            governor.throttled(lane, 1, now);
        }
        now += 8 * SECOND;
        assert_eq!(governor.take(lane, 1, now), Duration::ZERO);
        let wait = next(&mut governor, lane, now);
        assert!((wait - 1.0 / (2.0 * FLOOR)).abs() < 1e-3, "{wait}");
        now += 20 * SECOND;
        for _ in 0..300 {
            governor.passed(lane, now);
        }
        while governor.take(lane, 1, now).is_zero() {}
        let wait = next(&mut governor, lane, now);
        assert!(wait <= 0.5, "{wait}");
    }

    #[test]
    fn what_is_throttled_is_the_bucket_with_the_least_room_and_the_others_get_theirs_back() {
        let mut governor = Governor::new(Margin::NONE);
        let lane = governor.lane(RUN);
        // 100 instances are left, but three calls: the instances it must be.
        governor.take(lane, 450, SECOND);
        governor.take(lane, 450, SECOND);
        governor.throttled(lane, 450, SECOND);
        let wait = governor.take(lane, 450, SECOND).as_secs_f64();
        assert!((wait - 1.0).abs() < 1e-3, "{wait}");
        governor.throttled(lane, 450, 4 * SECOND);
        let wait = governor.take(lane, 450, 4 * SECOND).as_secs_f64();
        assert!((wait - 2.0).abs() < 1e-3, "{wait}");
        // Two calls were given back, so five may go at once when instances are there.
        governor.passed(lane, 9 * SECOND);
        for _ in 0..5 {
            assert_eq!(governor.take(lane, 1, 9 * SECOND), Duration::ZERO);
        }
    }
}
