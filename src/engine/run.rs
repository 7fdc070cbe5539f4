//! The walk over a plan's graph.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::event::millis;
use super::queue::Queue;
use super::retry::{self, with_patience};
use super::{
    ActionLabel, Event, Events, Failure, FailureClass, Outcome, Phase, SeatOutcome, SeatResult,
};
use crate::model::SeatNumber;
use crate::model::seat::Owner;
use crate::plan::{Action, ActionId, Plan, Scheme};

/// Makes the calls of a plan.
pub trait Apply<S: Scheme>: Sync {
    /// Makes one action's call. It must be possible to make it again after a failure of which
    /// nobody knows whether it worked: what is there already is success.
    fn apply(
        &self,
        action: &Action<S>,
        progress: &Progress,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes the one call that serves all of `actions`, which are of one lane and say the same of
    /// themselves ([`Step::group`](crate::plan::Step::group)), and gives what came of each. As a whole
    /// it fails where all of them may be tried again together.
    fn apply_together(
        &self,
        actions: &[&Action<S>],
        progress: &Progress,
    ) -> impl Future<Output = Result<Vec<Result<(), Failure>>, Failure>> + Send {
        async move {
            let mut results = Vec::with_capacity(actions.len());
            for action in actions {
                results.push(self.apply(action, progress).await);
            }
            Ok(results)
        }
    }
}

/// Lets an action under way say how far it is.
#[derive(Debug, Clone)]
pub struct Progress {
    action: Arc<ActionLabel>,
    events: Events,
    cancel: CancellationToken,
}

impl Progress {
    /// Ends when the run is interrupted: whoever does more than one call may leave the rest.
    pub async fn interrupted(&self) {
        self.cancel.cancelled().await;
    }

    /// Says what is being done and, where known, how much of it in bytes.
    pub fn report(&self, message: impl Into<String>, done: Option<u64>, total: Option<u64>) {
        self.events.send(Event::ActionProgress {
            action: (*self.action).clone(),
            message: message.into(),
            done,
            total,
        });
    }

    /// Says something that a person should know.
    pub fn notice(&self, message: impl Into<String>) {
        self.events.notice(message);
    }
}

/// What whoever had a plan carried out does about seats that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Nothing: what failed has failed.
    Report,
    /// Another plan is made for those of which [`FailureClass::may_be_replanned`] says so.
    Replan,
}

/// Carries out `plan`: every action once all that it comes after has succeeded, as many at a time
/// as their lanes allow, seats with low numbers first. A failure ends what depends on it and no
/// more. When `cancel` is cancelled no further action begins, and those under way end.
pub async fn run<S: Scheme, A: Apply<S>>(
    plan: &Plan<S>,
    provider: &A,
    phase: Phase,
    afterwards: Afterwards,
    events: &Events,
    cancel: &CancellationToken,
) -> Outcome {
    let mut walk = Walk::new(plan, phase, events);
    let touch = Touch::default();
    let mut under_way = FuturesUnordered::new();
    loop {
        if !cancel.is_cancelled() {
            for ids in walk.next_calls() {
                let actions: Vec<&Action<S>> = ids.iter().map(|id| &plan.actions[*id]).collect();
                under_way.push(perform(actions, provider, events, &touch, cancel));
            }
        }
        let gathered = walk.gathered_at().filter(|_| !cancel.is_cancelled());
        let (ids, results) = tokio::select! {
            Some(ended) = under_way.next() => ended,
            Some(()) = until(gathered) => continue,
            else => break,
        };
        walk.queue(ids[0]).ended();
        for (id, result) in ids.into_iter().zip(results.into_iter().flatten()) {
            let Err(failure) = result else {
                walk.succeeded(id);
                continue;
            };
            let lost_touch = touch.ever.load(Ordering::Relaxed);
            // Whoever was waited for in vain is not waited for in another plan.
            let deferred = afterwards == Afterwards::Replan
                && failure.class != FailureClass::Unreachable
                && failure.class.may_be_replanned(lost_touch);
            walk.give_up(id, &failure, deferred);
            if failure.class == FailureClass::Unreachable {
                walk.abandon(&failure);
            }
        }
    }
    let mut outcome = walk.finish(cancel.is_cancelled());
    outcome.lost_touch = touch.ever.load(Ordering::Relaxed);
    outcome
}

async fn until(moment: Option<time::Instant>) -> Option<()> {
    time::sleep_until(moment?).await;
    Some(())
}

/// Whether the other side answers, as far as the calls of one plan can tell.
#[derive(Default)]
struct Touch {
    /// It does not answer at the moment.
    lost: AtomicBool,
    /// It did not answer at some moment.
    ever: AtomicBool,
}

impl Touch {
    /// Tells a person once that the other side is gone, not once a call.
    fn lost(&self, failure: &Failure, events: &Events) {
        self.ever.store(true, Ordering::Relaxed);
        if !self.lost.swap(true, Ordering::Relaxed) {
            events.notice(format!(
                "nobody answers any more ({}); waiting for it, up to {} s",
                failure.message,
                retry::AWAY.as_secs()
            ));
        }
    }

    fn found(&self, events: &Events) {
        if self.lost.swap(false, Ordering::Relaxed) {
            events.notice("it answers again, and the work goes on");
        }
    }
}

/// Makes the call of an action, or the one that serves several. Without results it was given up,
/// since somebody interrupted the run.
async fn perform<S: Scheme, A: Apply<S>>(
    actions: Vec<&Action<S>>,
    provider: &A,
    events: &Events,
    touch: &Touch,
    cancel: &CancellationToken,
) -> (Vec<ActionId>, Option<Vec<Result<(), Failure>>>) {
    let ids: Vec<ActionId> = actions.iter().map(|action| action.id).collect();
    let labels: Vec<ActionLabel> = actions.iter().map(|&a| ActionLabel::from(a)).collect();
    let started = Instant::now();
    for action in labels.iter().cloned() {
        events.send(Event::ActionStarted { action });
    }
    let progress = Progress {
        action: Arc::new(labels[0].clone()),
        events: events.clone(),
        cancel: cancel.clone(),
    };
    let attempts = with_patience(
        async || {
            let result = match actions.as_slice() {
                [action] => provider
                    .apply(action, &progress)
                    .await
                    .map(|()| vec![Ok(())]),
                several => provider.apply_together(several, &progress).await,
            };
            // A connection that broke is no answer.
            if !matches!(&result, Err(failure) if failure.class.is_retryable()) {
                touch.found(events);
            }
            result
        },
        |failure, pause| {
            if failure.class == FailureClass::Unreachable {
                touch.lost(failure, events);
                return;
            }
            for action in labels.iter().cloned() {
                events.send(Event::ActionRetried {
                    action,
                    failure: failure.clone(),
                    pause_ms: millis(pause),
                });
            }
        },
        cancel,
    );
    let result = if actions.iter().all(|action| action.is_check()) {
        // To look on is of no use to somebody who wants it to end, and may take minutes.
        tokio::select! {
            result = attempts => result,
            () = cancel.cancelled() => return (ids, None),
        }
    } else {
        attempts.await
    };
    let results = match result {
        // It is not tried again, and whether it failed is not known.
        Err(failure) if failure.class.is_retryable() && cancel.is_cancelled() => {
            return (ids, None);
        }
        Err(failure) => vec![Err(failure); ids.len()],
        Ok(results) => results,
    };
    for (action, result) in labels.into_iter().zip(&results) {
        events.send(match result {
            Ok(()) => Event::ActionFinished {
                action,
                took_ms: millis(started.elapsed()),
            },
            Err(failure) => Event::ActionFailed {
                action,
                failure: failure.clone(),
            },
        });
    }
    (ids, Some(results))
}

/// What a seat still has to do, and what went wrong.
struct SeatTally {
    left: usize,
    /// Whether anything of it was to be changed, and not only looked at.
    changes: bool,
    failure: Option<Failure>,
    last: Instant,
}

struct Walk<'a, S: Scheme> {
    plan: &'a Plan<S>,
    phase: Phase,
    events: &'a Events,
    begun: Instant,
    /// How many predecessors of each action have not succeeded yet.
    waiting_for: Vec<usize>,
    dependents: Vec<Vec<ActionId>>,
    lost: Vec<bool>,
    queues: HashMap<&'static str, Queue>,
    seats: HashMap<SeatNumber, SeatTally>,
    shared: Vec<Failure>,
    failures: BTreeMap<ActionId, Failure>,
    deferred: usize,
    done: usize,
}

impl<'a, S: Scheme> Walk<'a, S> {
    fn new(plan: &'a Plan<S>, phase: Phase, events: &'a Events) -> Self {
        let begun = Instant::now();
        let count = plan.actions.len();
        let mut walk = Self {
            plan,
            phase,
            events,
            begun,
            waiting_for: vec![0; count],
            dependents: vec![Vec::new(); count],
            lost: vec![false; count],
            queues: HashMap::new(),
            seats: HashMap::new(),
            shared: Vec::new(),
            failures: BTreeMap::new(),
            deferred: 0,
            done: 0,
        };
        for action in &plan.actions {
            walk.waiting_for[action.id] = action.after.len();
            for &earlier in &action.after {
                walk.dependents[earlier].push(action.id);
            }
            if let Owner::Seat(seat) = action.owner {
                let tally = walk.tally(seat);
                tally.left += 1;
                tally.changes |= !action.is_check();
            }
            walk.queue(action.id).expect();
        }
        for action in plan.actions.iter().filter(|action| action.after.is_empty()) {
            walk.queue(action.id).push(action.id);
        }
        let mut seats: Vec<(SeatNumber, usize)> = walk
            .seats
            .iter()
            .map(|(seat, tally)| (*seat, tally.left))
            .collect();
        seats.sort_unstable();
        events.send(Event::Started {
            phase,
            actions: count,
            seats,
        });
        walk
    }

    fn tally(&mut self, seat: SeatNumber) -> &mut SeatTally {
        let begun = self.begun;
        self.seats.entry(seat).or_insert(SeatTally {
            left: 0,
            changes: false,
            failure: None,
            last: begun,
        })
    }

    fn queue(&mut self, id: ActionId) -> &mut Queue {
        let lane = self.plan.actions[id].lane();
        let queue = self.queues.entry(lane.name);
        queue.or_insert_with(|| Queue::new(lane))
    }

    /// The actions of each call that may begin now.
    fn next_calls(&mut self) -> Vec<Vec<ActionId>> {
        let group = |id: ActionId| self.plan.actions[id].group();
        let mut calls = Vec::new();
        for queue in self.queues.values_mut() {
            calls.extend(std::iter::from_fn(|| queue.next_call(group)));
        }
        // Lanes may wait for the same thing, and what is earlier in the plan holds up more.
        calls.sort_unstable();
        calls
    }

    /// When the next call may begin, if none that is under way ends before.
    fn gathered_at(&self) -> Option<time::Instant> {
        self.queues.values().filter_map(Queue::next_at).min()
    }

    fn succeeded(&mut self, id: ActionId) {
        self.done += 1;
        for dependent in std::mem::take(&mut self.dependents[id]) {
            self.waiting_for[dependent] -= 1;
            if self.waiting_for[dependent] == 0 && !self.lost[dependent] {
                self.queue(dependent).push(dependent);
            }
        }
        if let Owner::Seat(seat) = self.plan.actions[id].owner {
            let begun = self.begun;
            let tally = self.tally(seat);
            tally.left -= 1;
            tally.last = Instant::now();
            if tally.left == 0 && tally.failure.is_none() {
                let after_ms = millis(begun.elapsed());
                self.events.send(Event::SeatFinished { seat, after_ms });
            }
        }
    }

    /// Gives up all that queues: whoever was waited for in vain by one is not waited for by all the
    /// others in turn.
    fn abandon(&mut self, failure: &Failure) {
        let queues = self.queues.values_mut();
        let waiting: Vec<ActionId> = queues.flat_map(Queue::take).collect();
        for id in waiting {
            self.give_up(id, failure, false);
        }
    }

    /// Gives up an action and all that comes after it; a seat's first failure is its failure.
    fn give_up(&mut self, id: ActionId, failure: &Failure, deferred: bool) {
        self.failures.insert(id, failure.clone());
        if self.plan.actions[id].owner == Owner::Shared {
            self.shared.push(failure.clone());
        }
        self.lost[id] = true;
        let mut given_up = vec![id];
        while let Some(id) = given_up.pop() {
            // What comes after it is not ready, and won't be.
            for dependent in std::mem::take(&mut self.dependents[id]) {
                if !std::mem::replace(&mut self.lost[dependent], true) {
                    self.queue(dependent).give_up();
                    given_up.push(dependent);
                }
            }
            if let Owner::Seat(seat) = self.plan.actions[id].owner {
                let tally = self.tally(seat);
                tally.last = Instant::now();
                if tally.failure.is_none() {
                    let failure = failure.clone();
                    tally.failure = Some(failure.clone());
                    self.deferred += usize::from(deferred);
                    self.events.send(if deferred {
                        Event::SeatDeferred { seat, failure }
                    } else {
                        Event::SeatFailed { seat, failure }
                    });
                }
            }
        }
    }

    fn finish(self, interrupted: bool) -> Outcome {
        let deferred = self.deferred;
        let mut outcome = Outcome {
            interrupted: interrupted && self.done < self.plan.actions.len(),
            shared: self.shared,
            failures: self.failures,
            done: self.done,
            took: self.begun.elapsed(),
            ..Outcome::default()
        };
        for (seat, tally) in self.seats {
            let result = match tally.failure {
                Some(failure) => SeatResult::Failed(failure),
                None if tally.left > 0 => SeatResult::Interrupted,
                None if tally.changes => SeatResult::Done,
                None => SeatResult::Unchanged,
            };
            let took = tally.last - self.begun;
            outcome.seats.insert(seat, SeatOutcome { result, took });
        }
        for seat in &self.plan.seats {
            outcome.seats.entry(*seat).or_insert(SeatOutcome {
                result: SeatResult::Unchanged,
                took: std::time::Duration::ZERO,
            });
        }
        for blocked in &self.plan.blocked {
            outcome.seats.insert(
                blocked.seat,
                SeatOutcome {
                    result: SeatResult::Failed(Failure::new(
                        FailureClass::Conflict,
                        "plan",
                        blocked.reason.clone(),
                    )),
                    took: std::time::Duration::ZERO,
                },
            );
        }
        self.events.send(Event::Finished {
            phase: self.phase,
            took_ms: millis(outcome.took),
            failed: outcome.failed().count() - deferred,
            interrupted: outcome.interrupted,
        });
        outcome
    }
}
