//! `seatbox plan`, and every `--dry-run`.

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::context::{self, Missing};
use super::error::Result;
use super::show;
use crate::exit::Exit;
use crate::plan::{Mode, Plan, Scheme};
use crate::provider::Provider as _;

/// Prints what `up` would do.
pub async fn run(global: &Global, environment: &EnvironmentArgs, seats: &SeatsArgs) -> Result {
    let (context, seats) =
        context::open(environment, Missing::Pretend, |e| context::seats(e, seats)).await?;
    let observed = context::look(&context.provider).await?;
    let plan = context
        .provider
        .converge(&observed, &seats, Mode::Repair)
        .await?;
    show::plan(global.output, &context.environment, &plan);
    Ok(exit(&plan))
}

/// A plan that leaves seats out is not what was asked for.
pub fn exit<S: Scheme>(plan: &Plan<S>) -> Exit {
    if plan.blocked.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    }
}
