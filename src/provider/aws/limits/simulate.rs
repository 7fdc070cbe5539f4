//! How long calls take because of AWS's buckets: the limiter's own governor in a time of its own,
//! where ten thousand seats take milliseconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::governor::{Governor, Lane, Margin};
use super::table::Action;

/// How long a call takes that nothing holds up, unless said otherwise.
pub const LATENCY: Duration = Duration::from_millis(150);

/// Calls of one action that a plan makes.
#[derive(Debug, Clone)]
pub struct Demand {
    /// What is called.
    pub action: Action,
    /// How often.
    pub calls: u32,
    /// The instances or tasks in each call, where [`super::table`] counts them.
    pub units_per_call: u32,
    /// What comes before.
    pub after: Vec<After>,
    /// How many may be waited for at the same time; 1 is one by one.
    pub at_once: u32,
    /// How long a call takes.
    pub latency: Duration,
    /// How long after what comes before it a call begins: the time between two looks, where
    /// `at_once` is 1.
    pub pause: Duration,
}

/// What calls come after. The numbers are places of earlier demands in the same list; what is not
/// there is not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// All calls of that demand.
    All(usize),
    /// Seat by seat: the same part of that demand's calls.
    Each(usize),
}

impl Demand {
    /// So many calls of `action`, with one unit each, as many at once as may be, after nothing.
    pub fn new(action: Action, calls: u32) -> Self {
        Self {
            action,
            calls,
            units_per_call: 1,
            after: Vec::new(),
            at_once: u32::MAX,
            latency: LATENCY,
            pause: Duration::ZERO,
        }
    }

    /// The same after something else, too.
    #[must_use]
    pub fn after(mut self, after: After) -> Self {
        self.after.push(after);
        self
    }
}

/// How long `demands` are expected to take with our limiter, when the buckets are full and nothing
/// else is slow.
pub fn expected(demands: &[Demand]) -> Duration {
    simulate(demands, Margin::OURS)
}

/// How long `demands` take at best: by one who is alone in the account, knows AWS's buckets to the
/// token, and is never throttled.
pub fn at_best(demands: &[Demand]) -> Duration {
    simulate(demands, Margin::NONE)
}

fn simulate(demands: &[Demand], margin: Margin) -> Duration {
    let mut simulation = Simulation::new(demands, margin, Willing);
    simulation.run();
    simulation.took
}

/// The other side.
pub(super) trait Aws {
    /// How long a call that takes `latency` is on its way there, and how long the answer is back.
    fn travel(&mut self, latency: Duration) -> (Duration, Duration);
    /// Whether a call that arrives is not throttled.
    fn admits(&mut self, action: Action, units: u32, now: Duration) -> bool;
}

/// Throttles nothing: whoever keeps within the buckets finds it so.
struct Willing;

impl Aws for Willing {
    fn travel(&mut self, latency: Duration) -> (Duration, Duration) {
        (Duration::ZERO, latency)
    }

    fn admits(&mut self, _: Action, _: u32, _: Duration) -> bool {
        true
    }
}

/// What happens at a moment. Those at the same moment come in the order in which they were planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A call of this demand queues.
    Queues(usize),
    /// The first of this queue asks again.
    Asks(usize),
    /// A call of this demand is there, and its answer takes so long.
    Arrives(usize, Duration),
    /// A call of this demand is answered, with a throttle or without.
    Answered { demand: usize, throttled: bool },
}

#[derive(Debug)]
struct Progress {
    lane: Lane,
    queue: usize,
    begun: u32,
    ended: u32,
    /// Whether it is one of no calls, and all before it is done.
    skipped: bool,
    followers: Vec<usize>,
}

#[derive(Debug, Default)]
struct Queue {
    calls: VecDeque<usize>,
    /// Whether its first has a moment at which it asks again.
    asks: bool,
}

pub(super) struct Simulation<'a, A> {
    demands: &'a [Demand],
    progress: Vec<Progress>,
    queues: Vec<Queue>,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    planned: u64,
    aws: A,
    pub(super) governor: Governor,
    /// When the last call was answered.
    pub(super) took: Duration,
}

impl<'a, A: Aws> Simulation<'a, A> {
    pub(super) fn new(demands: &'a [Demand], margin: Margin, aws: A) -> Self {
        let mut governor = Governor::new(margin);
        let mut progress: Vec<Progress> = Vec::with_capacity(demands.len());
        let mut queues = Vec::new();
        for (place, demand) in demands.iter().enumerate() {
            let lane = governor.lane(demand.action);
            let queue = governor.queue(lane);
            if queue >= queues.len() {
                queues.resize_with(queue + 1, Queue::default);
            }
            for After::All(earlier) | After::Each(earlier) in &demand.after {
                if let Some(earlier) = progress.get_mut(*earlier) {
                    earlier.followers.push(place);
                }
            }
            progress.push(Progress {
                lane,
                queue,
                begun: 0,
                ended: 0,
                skipped: false,
                followers: Vec::new(),
            });
        }
        Self {
            demands,
            progress,
            queues,
            events: BinaryHeap::new(),
            planned: 0,
            aws,
            governor,
            took: Duration::ZERO,
        }
    }

    /// Makes all calls.
    pub(super) fn run(&mut self) {
        for demand in 0..self.demands.len() {
            self.begin(demand, Duration::ZERO);
        }
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            match event {
                Event::Queues(demand) => self.enqueue(demand, now),
                Event::Asks(queue) => {
                    self.queues[queue].asks = false;
                    self.serve(queue, now);
                }
                Event::Arrives(demand, back) => {
                    let Demand {
                        action,
                        units_per_call,
                        ..
                    } = self.demands[demand];
                    let throttled = !self.aws.admits(action, units_per_call, now);
                    self.plan(now + back, Event::Answered { demand, throttled });
                }
                Event::Answered { demand, throttled } => self.answered(demand, throttled, now),
            }
        }
    }

    fn plan(&mut self, at: Duration, event: Event) {
        self.planned += 1;
        self.events.push(Reverse((at, self.planned, event)));
    }

    /// Begins the calls of `demand` that nothing stands before.
    fn begin(&mut self, demand: usize, now: Duration) {
        let Demand {
            calls,
            at_once,
            pause,
            ..
        } = self.demands[demand];
        if calls == 0 && !self.progress[demand].skipped && self.may_begin(demand) {
            self.progress[demand].skipped = true;
            self.followers_begin(demand, now);
        }
        loop {
            let Progress { begun, ended, .. } = self.progress[demand];
            if begun == calls || begun - ended >= at_once || !self.may_begin(demand) {
                return;
            }
            self.progress[demand].begun += 1;
            if pause.is_zero() {
                self.enqueue(demand, now);
            } else {
                self.plan(now + pause, Event::Queues(demand));
            }
        }
    }

    fn followers_begin(&mut self, demand: usize, now: Duration) {
        for follower in 0..self.progress[demand].followers.len() {
            self.begin(self.progress[demand].followers[follower], now);
        }
    }

    /// Whether what comes before the next call of `demand` is done.
    fn may_begin(&self, demand: usize) -> bool {
        let next = u64::from(self.progress[demand].begun) + 1;
        let calls = u64::from(self.demands[demand].calls.max(1));
        self.demands[demand].after.iter().all(|after| {
            let (After::All(earlier) | After::Each(earlier)) = *after;
            if earlier >= demand {
                return true;
            }
            let all = u64::from(self.demands[earlier].calls);
            if all == 0 {
                return self.progress[earlier].skipped;
            }
            let needed = match after {
                After::All(_) => all,
                After::Each(_) => (next * all).div_ceil(calls),
            };
            u64::from(self.progress[earlier].ended) >= needed
        })
    }

    fn enqueue(&mut self, demand: usize, now: Duration) {
        let queue = self.progress[demand].queue;
        self.queues[queue].calls.push_back(demand);
        if !self.queues[queue].asks {
            self.serve(queue, now);
        }
    }

    /// Lets calls go from the front of a queue, as the limiter does.
    fn serve(&mut self, queue: usize, now: Duration) {
        while let Some(demand) = self.queues[queue].calls.front().copied() {
            let Demand {
                units_per_call,
                latency,
                ..
            } = self.demands[demand];
            let lane = self.progress[demand].lane;
            let wait = self.governor.take(lane, units_per_call, now);
            if !wait.is_zero() {
                self.queues[queue].asks = true;
                self.plan(now + wait, Event::Asks(queue));
                return;
            }
            self.queues[queue].calls.pop_front();
            let (there, back) = self.aws.travel(latency);
            self.plan(now + there, Event::Arrives(demand, back));
        }
    }

    fn answered(&mut self, demand: usize, throttled: bool, now: Duration) {
        let lane = self.progress[demand].lane;
        if throttled {
            let units = self.demands[demand].units_per_call;
            self.governor.throttled(lane, units, now);
            self.enqueue(demand, now);
            return;
        }
        self.governor.passed(lane, now);
        self.progress[demand].ended += 1;
        self.took = now;
        self.begin(demand, now);
        self.followers_begin(demand, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Service;
    use super::*;

    const REGISTER: Action = Action::new(Service::Ecs, "RegisterTaskDefinition");
    const RUN: Action = Action::new(Service::Ecs, "RunTask");
    const DESCRIBE: Action = Action::new(Service::Ecs, "DescribeTasks");

    fn seconds(duration: Duration) -> f64 {
        (duration.as_secs_f64() * 1000.0).round() / 1000.0
    }

    #[test]
    fn what_is_within_the_burst_takes_one_latency() {
        let demands = [Demand::new(REGISTER, 19)];
        assert_eq!(expected(&demands), LATENCY);
        assert_eq!(expected(&[]), Duration::ZERO);
    }

    #[test]
    fn what_is_beyond_the_burst_waits_for_the_bucket() {
        let demands = [Demand::new(REGISTER, 23)];
        assert_eq!(seconds(at_best(&demands)), 3.15);
        // 19.85 at once, and the rest at 0.95 a second.
        assert_eq!(seconds(expected(&demands)), 3.466);
    }

    #[test]
    fn one_by_one_is_a_latency_each_and_all_comes_after_all() {
        let one_by_one = Demand {
            at_once: 1,
            ..Demand::new(RUN, 10)
        };
        let then = Demand::new(DESCRIBE, 5).after(After::All(0));
        assert_eq!(seconds(at_best(&[one_by_one, then])), 1.65);
    }

    #[test]
    fn seats_go_on_while_others_wait() {
        let each = [
            Demand::new(REGISTER, 120),
            Demand::new(RUN, 120).after(After::Each(0)),
        ];
        let all = [
            Demand::new(REGISTER, 120),
            Demand::new(RUN, 120).after(After::All(0)),
        ];
        assert_eq!(seconds(at_best(&each)), 100.3);
        // 100 at once, and 20 at 40 a second.
        assert_eq!(seconds(at_best(&all)), 100.8);
    }

    #[test]
    fn looks_are_a_pause_apart() {
        let looks = Demand {
            at_once: 1,
            pause: Duration::from_secs(5),
            ..Demand::new(DESCRIBE, 4)
        };
        let demands = [Demand::new(RUN, 1), looks.after(After::All(0))];
        assert_eq!(seconds(at_best(&demands)), 20.75);
    }

    #[test]
    fn what_is_not_earlier_is_not_waited_for() {
        let demands = [Demand::new(RUN, 1)
            .after(After::All(7))
            .after(After::All(0))];
        assert_eq!(expected(&demands), LATENCY);
    }

    #[test]
    fn no_calls_at_all_come_after_what_is_before_them() {
        let demands = [
            Demand::new(RUN, 1),
            Demand::new(REGISTER, 0).after(After::All(0)),
            Demand::new(DESCRIBE, 1).after(After::Each(1)),
        ];
        assert_eq!(expected(&demands), 2 * LATENCY);
    }
}
