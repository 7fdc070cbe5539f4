//! `seatbox reset`.

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::context::{self, Missing};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyContext, with_provider};
use super::{plan, up};
use crate::engine::Phase;
use crate::model::Environment;
use crate::model::environment::ProviderKind;
use crate::plan::Mode;

/// How a reset is meant.
#[derive(Debug, Clone, Copy)]
pub struct What {
    /// Whether the workspace goes back to its first files as well.
    pub workspace: bool,
    /// Whether every seat is meant, of more than one.
    pub all: bool,
    /// Whether only the plan is printed.
    pub dry_run: bool,
}

/// Gives seats a fresh stack.
pub async fn run(
    global: &Global,
    environment: &EnvironmentArgs,
    seats: &SeatsArgs,
    what: What,
    interruption: &Interruption,
) -> Result {
    let missing = if what.dry_run {
        Missing::Pretend
    } else {
        Missing::Create
    };
    let meant = |environment: &Environment| {
        // A forgotten option must not cost everybody their work. Who has one seat means that one.
        if seats.seats.is_none() && !what.all && environment.seats.total() > 1 {
            return Err(Error::usage(
                format!("which of the {} seats?", environment.seats.total()),
                "name them, as in --seats 7, or say --all",
            ));
        }
        // A task's files go with it, and nothing keeps them from one to the next.
        let is_lost = environment.provider == ProviderKind::Ecs && !what.workspace;
        if is_lost && environment.stack.workspace().is_some() {
            return Err(Error::usage(
                "on ecs a fresh stack has a fresh workspace: what was written there is lost",
                "say so by --workspace",
            ));
        }
        context::seats(environment, seats)
    };
    let (context, seats) = context::open(environment, missing, interruption, meant).await?;
    let mode = Mode::Reset {
        workspace: what.workspace,
    };
    with_provider!(AnyContext, context, context => {
        if what.dry_run {
            return plan::print(global, &context, &seats, &mode).await;
        }
        up::converge(global, context, &seats, Phase::Reset, mode, interruption).await
    })
}
