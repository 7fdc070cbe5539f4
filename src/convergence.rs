//! Bringing seats to what their environment says, in as many rounds of looking, planning and doing
//! as it takes: engines restart, and others work on the same engine at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::engine::retry::with_patience;
use crate::engine::{Afterwards, Events, Failure, FailureClass, Outcome, Phase, SeatResult, run};
use crate::model::SeatNumber;
use crate::model::seat::SeatState;
use crate::model::view::SeatView;
use crate::plan::{Cause, Mode, Operation, Plan, Scheme};
use crate::provider::{Preflight, Provider};

/// How many plans are made for a seat at most.
const MOST_ROUNDS: u32 = 4;
/// The pause before the second round; it doubles from one to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of it all.
#[derive(Debug)]
pub struct Converged {
    /// What came of each seat, over all rounds.
    pub outcome: Outcome,
    /// How the seats are now.
    pub views: Vec<SeatView>,
}

/// Why nothing can be said of the seats.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A look or a plan failed.
    #[error(transparent)]
    Call(#[from] Failure),
    /// What is planned can't be had, and nothing was created.
    #[error("nothing was created: {}", failures(.0))]
    Refused(Preflight),
}

fn failures(preflight: &Preflight) -> String {
    let failures: Vec<String> = preflight.failures().map(ToString::to_string).collect();
    failures.join("; ")
}

/// Brings `seats` to what the environment says. Seats for which another look may find a way around
/// what failed ([`FailureClass::may_be_replanned`]), or which are not as this run left them, have
/// another round, in which only they are planned for; of a reset only what is left is made then
/// ([`Mode::after`]). Where nothing is to be done it is one look, or none where what was `seen` is new.
///
/// # Errors
///
/// A look or a plan that failed: without it nothing can be said of the seats. Or a preflight that did,
/// before anything was created.
pub async fn converge<P: Provider>(
    provider: &P,
    seen: Option<P::Observed>,
    seats: &[SeatNumber],
    phase: Phase,
    mode: Mode,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Converged, Error> {
    let begun = Instant::now();
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut total = Outcome::default();
    let mut before = Round::default();
    let mut known = match seen {
        Some(seen) => seen,
        None => look(provider, cancel).await?,
    };
    let mut mode = mode;
    let mut scope = seats.to_vec();
    for number in 1.. {
        let afterwards = match number {
            MOST_ROUNDS => Afterwards::Report,
            _ => Afterwards::Replan,
        };
        let plan = provider.converge(&known, &scope, &mode).await?;
        let preflight = match number == 1 && plan.creates() {
            true => provider.preflight(&known, &plan).await,
            false => Preflight::default(),
        };
        let notices = plan.notices.iter().cloned().chain(replaced(&plan));
        for notice in notices.chain(preflight.notices()) {
            if told.insert(notice.clone()) {
                events.notice(notice);
            }
        }
        if preflight.failures().next().is_some() {
            return Err(Error::Refused(preflight));
        }
        let phase = match plan.changes_nothing() {
            true => Phase::Check,
            false => phase,
        };
        let offset = begun.elapsed();
        let outcome = run(&plan, provider, phase, afterwards, events, cancel).await;
        let round = Round::of(&plan, &outcome);
        mode = mode.after(&plan, |id| outcome.failures.contains_key(&id));
        merge(&mut total, outcome, offset);
        total.took = begun.elapsed();
        if round.acted {
            // Whoever was waited for in vain is not waited for again.
            known = match round.in_vain {
                true => provider.look_again(&known).await?,
                false => look_again(provider, &known, cancel).await?,
            };
        }
        let mut views = provider.seats(&known, seats);
        settle(&mut views, &total);
        let again = round.again(&before, &views, &total);
        if again.is_empty() || round.in_vain || number == MOST_ROUNDS || total.interrupted {
            return Ok(Converged {
                outcome: total,
                views,
            });
        }
        events.notice(looking_again(&again, &total));
        tokio::select! {
            () = tokio::time::sleep(PAUSE * 2u32.pow(number - 1)) => {}
            () = cancel.cancelled() => {}
        }
        known = look(provider, cancel).await?;
        scope = again;
        before = round;
    }
    unreachable!("the last round returns")
}

async fn look<P: Provider>(
    provider: &P,
    cancel: &CancellationToken,
) -> Result<P::Observed, Failure> {
    with_patience(async || provider.observe().await, |_, _| {}, cancel).await
}

/// The same once a plan has been carried out, at what seats live in.
async fn look_again<P: Provider>(
    provider: &P,
    known: &P::Observed,
    cancel: &CancellationToken,
) -> Result<P::Observed, Failure> {
    with_patience(async || provider.look_again(known).await, |_, _| {}, cancel).await
}

/// What one round was about, and what of it decides whether there is another one.
#[derive(Default)]
struct Round {
    /// Whether there was anything to do, so that what was seen before it is old.
    acted: bool,
    /// Whether somebody was waited for who did not come back.
    in_vain: bool,
    /// Whether somebody did not answer for a while.
    lost_touch: bool,
    /// The seats that it was about.
    scope: BTreeSet<SeatNumber>,
    /// Seats that could not be planned for, and why.
    blocked: BTreeMap<SeatNumber, String>,
}

impl Round {
    fn of<S: Scheme>(plan: &Plan<S>, outcome: &Outcome) -> Self {
        let unreachable = |failure: &Failure| failure.class == FailureClass::Unreachable;
        let blocked = plan.blocked.iter();
        Self {
            acted: !plan.actions.is_empty(),
            in_vain: outcome.failures.values().any(unreachable),
            lost_touch: outcome.lost_touch,
            scope: plan.seats.iter().copied().collect(),
            blocked: blocked
                .map(|blocked| (blocked.seat, blocked.reason.clone()))
                .collect(),
        }
    }

    /// The seats that are worth another round.
    fn again(&self, before: &Self, views: &[SeatView], total: &Outcome) -> Vec<SeatNumber> {
        let worth = |view: &&SeatView| match total.seats.get(&view.seat).map(|seat| &seat.result) {
            Some(SeatResult::Failed(failure)) => {
                let blocked = self.blocked.get(&view.seat);
                self.scope.contains(&view.seat)
                    && failure.class.may_be_replanned(self.lost_touch)
                    // What is in the way may be another run's, which is on its way; what stays
                    // there is not.
                    && (blocked.is_none() || before.blocked.get(&view.seat) != blocked)
            }
            Some(SeatResult::Done | SeatResult::Unchanged) => {
                self.acted && view.state != SeatState::Ready
            }
            Some(SeatResult::Interrupted) | None => false,
        };
        let worth = views.iter().filter(worth);
        worth.map(|view| view.seat).collect()
    }
}

/// Adds what came of a round that began `offset` after the first one.
fn merge(total: &mut Outcome, round: Outcome, offset: Duration) {
    for (seat, mut outcome) in round.seats {
        outcome.took += offset;
        if let Some(earlier) = total.seats.get(&seat)
            && outcome.result == SeatResult::Unchanged
        {
            outcome.took = earlier.took;
            // Somebody had to do something for it, be it this run or one beside it.
            outcome.result = SeatResult::Done;
        }
        total.seats.insert(seat, outcome);
    }
    total.shared = round.shared;
    total.failures = round.failures;
    total.interrupted = round.interrupted;
    total.lost_touch |= round.lost_touch;
    total.done += round.done;
}

/// Takes into account what this run knows better than the engine: every check has just passed,
/// and the engine's own may say so only after its interval. What does not run any more is another
/// matter.
fn settle(views: &mut [SeatView], outcome: &Outcome) {
    for view in views {
        let Some(seat) = outcome.seats.get(&view.seat) else {
            continue;
        };
        view.took = Some(seat.took);
        let runs = view
            .services
            .iter()
            .all(|service| service.problem.is_none() || service.state == "unhealthy");
        let passed = match seat.result {
            SeatResult::Done => runs && view.state != SeatState::Absent,
            SeatResult::Unchanged => view.state == SeatState::Starting,
            SeatResult::Failed(_) | SeatResult::Interrupted => false,
        };
        if passed {
            view.state = SeatState::Ready;
        }
    }
}

fn looking_again(again: &[SeatNumber], total: &Outcome) -> String {
    let why = again
        .iter()
        .find_map(|seat| match &total.seats.get(seat)?.result {
            SeatResult::Failed(failure) => Some(failure.to_string()),
            _ => None,
        })
        .unwrap_or_else(|| "not as they were left any more".to_owned());
    let seats = match again.len() {
        1 => "1 seat".to_owned(),
        more => format!("{more} seats"),
    };
    format!("looking again at {seats}: {why}")
}

/// Says what is deleted and made anew, and why: people may be at work in it.
fn replaced<S: Scheme>(plan: &Plan<S>) -> Vec<String> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for action in &plan.actions {
        let why = match &action.cause {
            // Asked for, or told of by what they follow.
            Cause::Reset | Cause::Follows(_) | Cause::Down | Cause::Expired(_) => continue,
            cause => cause.to_string(),
        };
        if matches!(action.operation, Operation::Delete(_)) {
            *counts
                .entry((action.key.kind.to_string(), why))
                .or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|((kind, why), count)| format!("taking away {count} × {kind}: {why}"))
        .collect()
}

#[cfg(test)]
#[path = "convergence_tests.rs"]
mod tests;
