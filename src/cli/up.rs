//! `seatbox up`.

use std::collections::BTreeMap;

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::bundle;
use super::context::{self, Context, Missing};
use super::error::{Error, Result};
use super::progress::Shown;
use super::run::interruption;
use super::show;
use crate::engine::retry::with_retries;
use crate::engine::{Outcome, Phase, SeatResult, run as carry_out};
use crate::exit::Exit;
use crate::model::SeatNumber;
use crate::model::seat::SeatState;
use crate::model::view::SeatView;
use crate::plan::{Cause, Mode, Operation, Plan, Scheme};
use crate::provider::Provider;

/// Brings seats up, or puts them right.
pub async fn run(global: &Global, environment: &EnvironmentArgs, seats: &SeatsArgs) -> Result {
    bundle::bring(global, environment, |e| context::seats(e, seats)).await?;
    let (context, seats) =
        context::open(environment, Missing::Create, |e| context::seats(e, seats)).await?;
    converge(global, &context, &seats, Phase::Up, Mode::Repair).await
}

/// Brings `seats` to what the environment says, and shows what came of it.
pub async fn converge(
    global: &Global,
    context: &Context,
    seats: &[SeatNumber],
    phase: Phase,
    mode: Mode,
) -> Result {
    let provider = &context.provider;
    let cancel = interruption();
    let shown = Shown::start(global);
    let result = async {
        let look = async || with_retries(async || provider.observe().await, |_, _| {}).await;
        let observed = look().await?;
        let plan = provider.converge(&observed, seats, mode).await?;
        for notice in plan.notices.iter().chain(&replaced(&plan)) {
            shown.events.notice(notice);
        }
        let phase = if plan.changes_nothing() {
            Phase::Check
        } else {
            phase
        };
        let outcome = carry_out(&plan, provider, phase, &shown.events, &cancel).await;
        let observed = look().await?;
        Ok((outcome, provider.seats(&observed, seats)))
    }
    .await;
    shown.finish().await;
    let (outcome, mut views) = result.map_err(Error::Call)?;
    for view in &mut views {
        if let Some(seat) = outcome.seats.get(&view.seat) {
            view.took = Some(seat.took);
            // Every check has just passed; the engine's own may say so only after its interval.
            // What does not run any more is another matter.
            let runs = view
                .services
                .iter()
                .all(|service| service.problem.is_none() || service.state == "unhealthy");
            let passed = match seat.result {
                SeatResult::Done => runs,
                SeatResult::Unchanged => view.state == SeatState::Starting,
                SeatResult::Failed(_) | SeatResult::Interrupted => false,
            };
            if passed {
                view.state = SeatState::Ready;
            }
        }
    }
    show::converged(
        global.output,
        &context.environment,
        phase,
        &context.arguments,
        &views,
        &outcome,
    );
    Ok(exit(&outcome, &views))
}

fn exit(outcome: &Outcome, views: &[SeatView]) -> Exit {
    if outcome.interrupted {
        Exit::Interrupted
    } else if outcome.is_complete() && views.iter().all(|view| view.state == SeatState::Ready) {
        Exit::Success
    } else {
        Exit::Partial
    }
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
