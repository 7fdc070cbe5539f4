//! `seatbox plan`, and every `--dry-run`.

use jiff::Timestamp;

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::context::{self, Context, Missing};
use super::error::Result;
use super::interruption::Interruption;
#[cfg(not(feature = "aws"))]
use super::place;
use super::place::{AnyContext, with_provider};
use super::show;
use crate::exit::Exit;
use crate::image::Recipes;
use crate::model::SeatNumber;
use crate::model::environment::ProviderKind;
use crate::plan::{Mode, Plan, Scheme};
#[cfg(feature = "aws")]
use crate::provider::aws;
use crate::provider::docker::offline;
use crate::provider::{Preflight, Provider};

/// Prints what `up` would do.
pub async fn run(
    global: &Global,
    environment: &EnvironmentArgs,
    seats: &SeatsArgs,
    interruption: &Interruption,
) -> Result {
    let (context, seats) = context::open(environment, Missing::Pretend, interruption, |e| {
        context::seats(e, seats)
    })
    .await?;
    with_provider!(AnyContext, context, context => {
        print(global, &context, &seats, &Mode::Repair).await
    })
}

/// Prints what bringing `seats` to what the environment says would do.
pub async fn print<P: Provider>(
    global: &Global,
    context: &Context<P>,
    seats: &[SeatNumber],
    mode: &Mode,
) -> Result {
    let provider = &context.provider;
    let observed = context::look(provider).await?;
    let plan = provider.converge(&observed, seats, mode).await?;
    let preflight = match plan.creates() {
        true => provider.preflight(&observed, &plan).await,
        false => Preflight::default(),
    };
    let expected = provider.expected(&plan);
    show::plan(
        global.output,
        &context.environment,
        &plan,
        &preflight,
        expected,
    );
    match preflight.failures().next() {
        // As `up` would end, too.
        Some(_) => Ok(Exit::Input),
        None => Ok(exit(&plan)),
    }
}

/// Prints what `up` would do where there is nothing yet. Nobody is asked, and no key is made.
pub fn offline(
    global: &Global,
    arguments: &EnvironmentArgs,
    seats: &SeatsArgs,
    interruption: &Interruption,
) -> Result {
    let now = Timestamp::now();
    let read = context::read(arguments, now, interruption)?;
    let environment = read.loaded.environment;
    let seats = context::seats(&environment, seats)?;
    context::supported(&environment)?;
    match environment.provider {
        ProviderKind::Docker => {
            let recipes = Recipes::load(environment.images.recipes.as_deref())?;
            let plan = offline::plan(&environment, &recipes, &seats, now);
            let preflight = Preflight::default();
            show::plan(global.output, &environment, &plan, &preflight, None);
            Ok(exit(&plan))
        }
        #[cfg(feature = "aws")]
        ProviderKind::Ec2 | ProviderKind::Ecs => {
            let plan = aws::offline::plan(&environment, &seats, now)?;
            let preflight = Preflight::default();
            let expected = aws::forecast::forecast(&plan, environment.ecs.capacity);
            show::plan(
                global.output,
                &environment,
                &plan,
                &preflight,
                Some(expected),
            );
            Ok(exit(&plan))
        }
        #[cfg(not(feature = "aws"))]
        kind => Err(place::without_aws(kind)),
    }
}

/// A plan that leaves seats out is not what was asked for.
fn exit<S: Scheme>(plan: &Plan<S>) -> Exit {
    if plan.blocked.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    }
}
