//! What is awaited before each call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use super::governor::Count;
use super::governor::{Governor, Lane, Margin};
use super::table::Action;

/// Keeps the calls of one account in one region within AWS's buckets. One is made for each such pair,
/// and shared by all who call: each bucket is there once.
///
/// Calls that wait for the same bucket go in the order in which they came. A call that is no longer
/// wanted is dropped without taking anything. Every call asks, the second attempt at one, too.
#[derive(Debug)]
pub struct Limiter {
    start: Instant,
    state: Mutex<State>,
}

/// A call that may be made. Where nobody learns what became of it, it is dropped.
#[derive(Debug)]
#[must_use = "the limiter learns from what becomes of calls"]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    lane: Lane,
    units: u32,
}

impl Permit<'_> {
    /// AWS throttled it: the next calls of its kind are made more slowly.
    pub fn throttled(self) {
        let now = self.limiter.now();
        let governor = &mut self.limiter.state().governor;
        governor.throttled(self.lane, self.units, now);
    }

    /// AWS answered it, be it with another error than a throttle: after throttles, the next calls of
    /// its kind are made a little faster again.
    pub fn passed(self) {
        let now = self.limiter.now();
        self.limiter.state().governor.passed(self.lane, now);
    }
}

#[derive(Debug)]
struct State {
    governor: Governor,
    /// By the governor's queues. Who holds one is the first of its queue.
    queues: Vec<Arc<tokio::sync::Mutex<()>>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// One whose buckets are full.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::new(State {
                governor: Governor::new(Margin::OURS),
                queues: Vec::new(),
            }),
        }
    }

    /// Waits until a call of `action` may be made, which is then counted as made. `units` are the
    /// instances or tasks that it launches or ends; it is 1 for all others. What became of the call is
    /// told to the permit.
    pub async fn acquire(&self, action: Action, units: u32) -> Permit<'_> {
        let (lane, queue) = self.state().lane(action);
        let _first = queue.lock().await;
        loop {
            let wait = self.state().governor.take(lane, units, self.now());
            if wait.is_zero() {
                return Permit {
                    limiter: self,
                    lane,
                    units,
                };
            }
            sleep(wait).await;
        }
    }

    /// How often each action was called.
    pub fn counts(&self) -> BTreeMap<Action, Count> {
        self.state().governor.counts().collect()
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that panics leaves it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, action: Action) -> (Lane, Arc<tokio::sync::Mutex<()>>) {
        let lane = self.governor.lane(action);
        let queue = self.governor.queue(lane);
        if queue >= self.queues.len() {
            self.queues.resize_with(queue + 1, Arc::default);
        }
        (lane, Arc::clone(&self.queues[queue]))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::super::table::{Manner, Service};
    use super::*;

    const RUN: Action = Action::new(Service::Ec2, "RunInstances");
    const REGISTER: Action = Action::new(Service::Ecs, "RegisterTaskDefinition");
    const TASK: Action = Action::new(Service::Ecs, "RunTask").called(Manner::Fargate);

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_burst_are_made_at_the_rate() {
        let limiter = Limiter::new();
        let start = Instant::now();
        let calls = (0..23).map(|_| limiter.acquire(REGISTER, 1));
        join_all(calls).await;
        // 19.85 at once and the rest at 0.95 a second.
        let took = start.elapsed().as_secs_f64();
        assert!((took - 3.15 / 0.95 + 0.001).abs() < 0.01, "{took}");
        assert_eq!(limiter.counts()[&REGISTER].calls, 23);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_calls_go_in_the_order_in_which_they_came_whatever_they_need() {
        let limiter = Limiter::new();
        let order = Mutex::new(Vec::new());
        let calls = (0..40_u32).map(|n| {
            let (limiter, order) = (&limiter, &order);
            async move {
                limiter
                    .acquire(RUN, if n % 3 == 0 { 400 } else { 1 })
                    .await
                    .passed();
                order.lock().unwrap().push(n);
            }
        });
        join_all(calls).await;
        let order = order.into_inner().unwrap();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_share_a_bucket_share_its_queue() {
        let limiter = Limiter::new();
        let deregister = Action::new(Service::Ecs, "DeregisterTaskDefinition");
        let start = Instant::now();
        let both = (0..40).map(|n| limiter.acquire([REGISTER, deregister][n % 2], 1));
        join_all(both).await;
        assert!(start.elapsed() > Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_takes_nothing_and_holds_up_no_other() {
        let limiter = Limiter::new();
        while limiter.acquire(REGISTER, 1).now_or_never().is_some() {}
        let start = Instant::now();
        let calls = limiter.counts()[&REGISTER].calls;
        {
            let first =
                tokio::time::timeout(Duration::from_millis(10), limiter.acquire(REGISTER, 1));
            let second =
                tokio::time::timeout(Duration::from_millis(20), limiter.acquire(REGISTER, 1));
            let (first, second, _third) = tokio::join!(first, second, limiter.acquire(REGISTER, 1));
            assert!(first.is_err() && second.is_err());
        }
        assert!(start.elapsed() < Duration::from_secs_f64(1.1 / 0.95));
        assert_eq!(limiter.counts()[&REGISTER].calls, calls + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn throttles_slow_down_those_who_already_wait() {
        let limiter = Arc::new(Limiter::new());
        let throttled = limiter.acquire(REGISTER, 1).await;
        while limiter.acquire(REGISTER, 1).now_or_never().is_some() {}
        let start = Instant::now();
        let waiting = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.acquire(REGISTER, 1).await.passed() }
        });
        sleep(Duration::from_millis(50)).await;
        throttled.throttled();
        waiting.await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(1050));
        assert_eq!(limiter.counts()[&REGISTER].throttled, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_action_does_not_wait_for_another() {
        let limiter = Limiter::new();
        while limiter.acquire(REGISTER, 1).now_or_never().is_some() {}
        assert!(limiter.acquire(TASK, 10).now_or_never().is_some());
        assert!(limiter.acquire(RUN, 100).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_waiting_calls_cost_little() {
        let began = std::time::Instant::now();
        let limiter = Limiter::new();
        let start = Instant::now();
        join_all((0..10_000).map(|_| limiter.acquire(TASK, 1))).await;
        let took = start.elapsed().as_secs_f64();
        // 20 launches a second.
        assert!((500.0..540.0).contains(&took), "{took}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
