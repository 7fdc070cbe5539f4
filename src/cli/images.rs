//! `seatbox images`.

use super::args::{EnvironmentArgs, Global};
use super::bundle;
use super::context::{self, Missing};
use super::error::Result;
use super::progress::Shown;
use super::run::interruption;
use super::show;
use crate::engine::{Afterwards, Phase, run as carry_out};
use crate::exit::Exit;
use crate::image::Origin;
use crate::plan::Mode;
use crate::provider::Provider as _;

/// Shows where each image comes from, or gets those that are missing.
pub async fn run(global: &Global, environment: &EnvironmentArgs, fetch: bool) -> Result {
    if fetch {
        bundle::bring(global, environment, |_| Ok(())).await?;
    }
    let (context, ()) = context::open(environment, Missing::Pretend, |_| Ok(())).await?;
    let provider = &context.provider;
    let mut observed = context::look(provider).await?;
    let mut complete = true;
    if fetch {
        // A plan for no seats at all is one for what they share: the images.
        let plan = provider.converge(&observed, &[], &Mode::Repair).await?;
        let shown = Shown::start(global);
        let cancel = interruption();
        let outcome = carry_out(
            &plan,
            provider,
            Phase::Images,
            Afterwards::Report,
            &shown.events,
            &cancel,
        )
        .await;
        shown.finish().await;
        for failure in &outcome.shared {
            anstream::eprintln!("{failure}");
        }
        if outcome.interrupted {
            return Ok(Exit::Interrupted);
        }
        complete = outcome.is_complete();
        observed = context::look(provider).await?;
    }
    let choices = provider.choices(&observed).await;
    show::images(global.output, &choices);
    let nowhere = choices
        .iter()
        .any(|choice| matches!(choice.origin, Origin::Nowhere { .. }));
    Ok(if complete && !nowhere {
        Exit::Success
    } else {
        Exit::Partial
    })
}
