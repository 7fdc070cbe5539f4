//! `seatbox images`.

use super::args::{EnvironmentArgs, Global};
use super::bundle;
use super::context::{self, Missing};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::Place;
use super::progress::Shown;
use super::show;
use crate::engine::{Afterwards, Phase, run as carry_out};
use crate::exit::Exit;
use crate::image::Origin;
use crate::model::environment::ProviderKind;
use crate::plan::Mode;
use crate::provider::Provider as _;

/// Shows where each image comes from, or gets those that are missing.
pub async fn run(
    global: &Global,
    environment: &EnvironmentArgs,
    fetch: bool,
    interruption: &Interruption,
) -> Result {
    let (prepared, ()) = context::prepare(environment, Missing::Pretend, interruption, |_| Ok(()))?;
    let provider = prepared.environment().provider;
    if provider != ProviderKind::Docker {
        return Err(Error::usage(
            format!("on {provider} each seat gets its images from their registries itself"),
            "`--provider docker` shows where an engine would get them",
        ));
    }
    let engine = context::engine().await?;
    if fetch {
        let place = Place::Docker(engine.clone());
        bundle::bring(global, &prepared, &place, interruption).await?;
    }
    let context = prepared.on_engine(engine).await?;
    let provider = &context.provider;
    let mut observed = context::look(provider).await?;
    let mut complete = true;
    if fetch {
        // A plan for no seats at all is one for what they share: the images.
        let plan = provider.converge(&observed, &[], &Mode::Repair).await?;
        let shown = Shown::start(global);
        let attended = interruption.attend()?;
        let outcome = carry_out(
            &plan,
            provider,
            Phase::Images,
            Afterwards::Report,
            &shown.events,
            &interruption.cancel,
        )
        .await;
        shown.finish().await;
        for failure in &outcome.shared {
            anstream::eprintln!("{failure}");
        }
        if outcome.interrupted {
            return Ok(Exit::Interrupted);
        }
        drop(attended);
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
