//! `seatbox status`.

use std::io::IsTerminal as _;
use std::time::Duration;

use super::args::{EnvironmentArgs, Global, Output, SeatsArgs};
use super::context::{self, Context, Missing};
use super::error::Result;
use super::interruption::Interruption;
use super::place::{AnyContext, with_provider};
use super::print::print;
use super::show as results;
use crate::exit::Exit;
use crate::model::SeatNumber;
use crate::model::seat::SeatState;
use crate::provider::Operate;

/// Shows how seats are, once or every `interval`.
pub async fn run(
    global: &Global,
    environment: &EnvironmentArgs,
    seats: &SeatsArgs,
    interval: Option<Duration>,
    interruption: &Interruption,
) -> Result {
    let (context, seats) = context::open(environment, Missing::NotNeeded, interruption, |e| {
        context::seats(e, seats)
    })
    .await?;
    with_provider!(AnyContext, context, context => {
        show(global, &context, &seats, interval).await
    })
}

async fn show<P: Operate>(
    global: &Global,
    context: &Context<P>,
    seats: &[SeatNumber],
    interval: Option<Duration>,
) -> Result {
    loop {
        let mut observed = context::look(&context.provider).await?;
        context.provider.look_closer(&mut observed, seats).await;
        let views = context.provider.seats(&observed, seats);
        let ready = views.iter().all(|view| view.state == SeatState::Ready);
        if interval.is_some() && global.output == Output::Text && std::io::stdout().is_terminal() {
            // Home, and clear from there: nothing flickers.
            print("\x1b[H\x1b[J");
        }
        let notices = context.provider.end_notices(&observed);
        results::status(global.output, &context.environment, &views, &notices);
        let Some(interval) = interval else {
            return Ok(if ready { Exit::Success } else { Exit::Partial });
        };
        tokio::time::sleep(interval).await;
    }
}
