//! `seatbox up`.

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::bundle;
use super::context::{self, Context, Missing};
use super::error::Result;
use super::interruption::Interruption;
use super::place::{AnyContext, Place, with_provider};
use super::progress::Shown;
use super::show;
use crate::convergence::{Converged, converge as bring};
use crate::engine::{Outcome, Phase};
use crate::exit::Exit;
use crate::model::SeatNumber;
use crate::model::seat::SeatState;
use crate::model::view::SeatView;
use crate::plan::Mode;
use crate::provider::Provider;

/// Brings seats up, or puts them right.
pub async fn run(
    global: &Global,
    environment: &EnvironmentArgs,
    seats: &SeatsArgs,
    interruption: &Interruption,
) -> Result {
    let (prepared, seats) = context::prepare(environment, Missing::Create, interruption, |e| {
        context::seats(e, seats)
    })?;
    let place = Place::of(prepared.environment(), interruption).await?;
    bundle::bring(global, &prepared, &place, interruption).await?;
    let (phase, mode) = (Phase::Up, Mode::Repair);
    with_provider!(AnyContext, prepared.on(place).await?, context => {
        converge(global, context, &seats, phase, mode, interruption).await
    })
}

/// Brings `seats` to what the environment says, and shows what came of it.
pub async fn converge<P: Provider>(
    global: &Global,
    mut context: Context<P>,
    seats: &[SeatNumber],
    phase: Phase,
    mode: Mode,
    interruption: &Interruption,
) -> Result {
    let _attended = interruption.attend()?;
    let cancel = &interruption.cancel;
    let shown = Shown::start(global);
    let seen = context.seen.take();
    let provider = &context.provider;
    let result = bring(provider, seen, seats, phase, mode, &shown.events, cancel).await;
    shown.finish().await;
    let Converged { outcome, views } = result?;
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
