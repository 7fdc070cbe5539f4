//! A token bucket over any clock.

use std::time::Duration;

use super::table::Bucket;

/// A bucket of tokens that fills at a steady rate. What it knows is the moment at which it will be full
/// again, so nothing is added up while time goes by and nothing drifts. Moments are counted from
/// whatever start the caller likes.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    size: Bucket,
    full_at: Duration,
}

impl TokenBucket {
    /// A full one. Both figures of its size are above zero.
    pub fn full(size: Bucket) -> Self {
        Self {
            size,
            full_at: Duration::ZERO,
        }
    }

    /// Takes `n` tokens and returns zero, or takes none and returns how long it takes until they are
    /// there, unless others take some before. More than the bucket can hold is there once it is
    /// full; what is missing comes back before anything else is given.
    pub fn take(&mut self, n: f64, now: Duration) -> Duration {
        let wait = self.wait(n, now);
        if wait.is_zero() {
            self.full_at = self.full_at.max(now) + self.time_for(n);
        }
        wait
    }

    /// How long it takes until `n` tokens are there.
    pub fn wait(&self, n: f64, now: Duration) -> Duration {
        let to_spare = self.size.capacity - n.min(self.size.capacity);
        // Rounded down, where the time for what is taken is rounded up: never too early.
        let to_spare = nanoseconds((to_spare / self.size.refill_per_second * 1e9).floor());
        self.full_at.saturating_sub(to_spare).saturating_sub(now)
    }

    /// The tokens in it; fewer than none where more was taken than it holds.
    pub fn level(&self, now: Duration) -> f64 {
        let until_full = self.full_at.saturating_sub(now).as_secs_f64();
        self.size.capacity - until_full * self.size.refill_per_second
    }

    /// How much it holds, and how fast it fills.
    pub fn size(&self) -> Bucket {
        self.size
    }

    /// Puts back what was taken for something that did not happen.
    pub fn give_back(&mut self, n: f64) {
        self.full_at = self.full_at.saturating_sub(self.time_for(n));
    }

    /// Pours out what is more than `level`, which may be below none.
    pub fn leave(&mut self, level: f64, now: Duration) {
        let missing = (self.size.capacity - level).max(0.0);
        self.full_at = self.full_at.max(now + self.time_for(missing));
    }

    /// Lets it fill at another rate, above zero, from now on.
    pub fn fill_at(&mut self, refill_per_second: f64, now: Duration) {
        let missing = self.size.capacity - self.level(now);
        self.size.refill_per_second = refill_per_second;
        self.full_at = now + self.time_for(missing);
    }

    fn time_for(&self, tokens: f64) -> Duration {
        nanoseconds((tokens / self.size.refill_per_second * 1e9).ceil())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the ends of the integer"
)]
fn nanoseconds(n: f64) -> Duration {
    Duration::from_nanos(n as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(capacity: f64, refill_per_second: f64) -> TokenBucket {
        TokenBucket::full(Bucket {
            capacity,
            refill_per_second,
        })
    }

    #[test]
    fn a_full_bucket_gives_all_it_has_and_then_at_its_rate() {
        let mut bucket = bucket(5.0, 2.0);
        for _ in 0..5 {
            assert_eq!(bucket.take(1.0, SECOND), Duration::ZERO);
        }
        assert_eq!(bucket.take(1.0, SECOND), Duration::from_millis(500));
        assert_eq!(bucket.take(4.0, SECOND), 2 * SECOND);
        assert_eq!(bucket.take(4.0, 3 * SECOND), Duration::ZERO);
        assert!(bucket.level(3 * SECOND).abs() < 1e-6);
    }

    #[test]
    fn ten_thousand_seconds_of_thirds_do_not_drift() {
        let mut bucket = bucket(1.0, 3.0);
        let mut now = Duration::ZERO;
        for _ in 0..30_001 {
            now += bucket.take(1.0, now);
            if bucket.level(now) > 0.5 {
                assert_eq!(bucket.take(1.0, now), Duration::ZERO);
            }
        }
        let late = now.saturating_sub(10_000 * SECOND);
        assert!(late < Duration::from_millis(1), "{now:?}");
        assert!(now >= 10_000 * SECOND, "{now:?}");
    }

    #[test]
    fn more_than_it_holds_is_given_when_it_is_full_and_paid_back() {
        let mut bucket = bucket(10.0, 1.0);
        assert_eq!(bucket.take(15.0, SECOND), Duration::ZERO);
        assert!((bucket.level(SECOND) + 5.0).abs() < 1e-6);
        assert_eq!(bucket.take(1.0, SECOND), 6 * SECOND);
        assert_eq!(bucket.take(15.0, SECOND), 15 * SECOND);
    }

    #[test]
    fn another_rate_keeps_what_is_there() {
        let mut bucket = bucket(10.0, 2.0);
        bucket.take(8.0, SECOND);
        bucket.fill_at(1.0, SECOND);
        assert!((bucket.level(SECOND) - 2.0).abs() < 1e-6);
        assert_eq!(bucket.take(4.0, SECOND), 2 * SECOND);
        bucket.leave(-1.0, SECOND);
        assert_eq!(bucket.take(4.0, SECOND), 5 * SECOND);
        bucket.leave(9.0, SECOND);
        assert_eq!(bucket.take(4.0, SECOND), 5 * SECOND);
    }

    #[test]
    fn what_is_put_back_is_there_at_once() {
        let mut bucket = bucket(10.0, 2.0);
        bucket.take(8.0, SECOND);
        bucket.give_back(3.0);
        assert!((bucket.level(SECOND) - 5.0).abs() < 1e-6);
        bucket.give_back(30.0);
        assert!((bucket.level(SECOND) - 10.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn in_no_span_is_more_given_than_it_holds_and_what_came_in(
            capacity in 1.0..200.0,
            refill in 0.1..100.0,
            steps in proptest::collection::vec((0_u64..2_000, 0.1..20.0), 1..60),
        ) {
            let mut bucket = bucket(capacity, refill);
            let mut now = Duration::ZERO;
            let mut given: Vec<(Duration, f64)> = Vec::new();
            for (pause, n) in steps {
                now += Duration::from_millis(pause);
                let n = f64::min(n, capacity);
                let wait = bucket.take(n, now);
                if wait.is_zero() {
                    given.push((now, n));
                }
            }
            for (i, (from, _)) in given.iter().enumerate() {
                let mut sum = 0.0;
                for (at, n) in &given[i..] {
                    sum += n;
                    let span = (*at - *from).as_secs_f64();
                    prop_assert!(sum <= capacity + refill * span + 1e-6);
                }
            }
        }

        #[test]
        fn the_wait_that_is_told_is_enough_and_not_too_long(
            capacity in 1.0..200.0,
            refill in 0.1..100.0,
            takes in proptest::collection::vec(0.1..300.0, 1..40),
        ) {
            let mut bucket = bucket(capacity, refill);
            let mut now = SECOND;
            for n in takes {
                let wait = bucket.take(n, now);
                if wait.is_zero() {
                    continue;
                }
                let almost = now + wait - Duration::from_nanos(1);
                prop_assert!(!bucket.clone().take(n, almost).is_zero());
                prop_assert!(bucket.level(now + wait) >= n.min(capacity) - 1e-6);
                now += wait;
                prop_assert!(bucket.take(n, now).is_zero());
            }
        }
    }
}
