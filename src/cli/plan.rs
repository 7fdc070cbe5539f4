//! `seatbox plan`, and every `--dry-run`.

use jiff::Timestamp;

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::context::{self, Missing};
use super::error::Result;
use super::show;
use crate::exit::Exit;
use crate::image::Recipes;
use crate::plan::{Mode, Plan, Scheme};
use crate::provider::Provider as _;
use crate::provider::docker::offline;

/// Prints what `up` would do.
pub async fn run(global: &Global, environment: &EnvironmentArgs, seats: &SeatsArgs) -> Result {
    let (context, seats) =
        context::open(environment, Missing::Pretend, |e| context::seats(e, seats)).await?;
    let observed = context::look(&context.provider).await?;
    let plan = context
        .provider
        .converge(&observed, &seats, &Mode::Repair)
        .await?;
    show::plan(global.output, &context.environment, &plan);
    Ok(exit(&plan))
}

/// Prints what `up` would do on an engine that has nothing. None is asked, and no key is made.
pub fn offline(global: &Global, arguments: &EnvironmentArgs, seats: &SeatsArgs) -> Result {
    let now = Timestamp::now();
    let read = context::read(arguments, now)?;
    let environment = read.loaded.environment;
    let seats = context::seats(&environment, seats)?;
    let recipes = Recipes::load(environment.images.recipes.as_deref())?;
    let plan = offline::plan(&environment, &recipes, &seats, now);
    show::plan(global.output, &environment, &plan);
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
