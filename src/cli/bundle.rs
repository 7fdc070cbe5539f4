//! `seatbox images save` and `seatbox images load`, and what other verbs do with a bundle.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{EnvironmentArgs, Global};
use super::context::{self, Prepared};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::Place;
use super::progress::Shown;
use super::show;
use crate::bundle::save::Request;
use crate::bundle::{self, Brought, Bundle};
use crate::exit::Exit;
use crate::image::{self, Recipes};
use crate::model::environment::ImageSource;
use crate::provider::docker::connect::Engine;
use crate::provider::docker::observe;

/// Writes a bundle of an environment.
pub async fn save(
    global: &Global,
    arguments: &EnvironmentArgs,
    to: Option<PathBuf>,
    force: bool,
    interruption: &Interruption,
) -> Result {
    let read = context::read(arguments, Timestamp::now(), interruption)?;
    if read.unpacked.is_some() {
        return Err(Error::usage(
            format!("{} is a bundle already", arguments.environment.display()),
            "copy it, or save its environment file",
        ));
    }
    let environment = &read.loaded.environment;
    let recipes = Recipes::load(environment.images.recipes.as_deref())?;
    let engine = context::engine().await?;
    let observed = observe::observe(&engine.docker).await?;
    // What the engine lacks can't be saved, wherever it may be had, so no registry is asked.
    let mut policy = environment.images.clone();
    policy
        .sources
        .retain(|source| *source == ImageSource::Recipe);
    let services = environment.stack.services.values();
    let wanted = services.map(|service| service.image.as_str());
    let choices = image::resolve(&engine.docker, wanted, &observed.images, &policy, &recipes).await;
    let to = to.unwrap_or_else(|| PathBuf::from(format!("{}.seatbox", environment.name)));
    let request = Request {
        environment,
        file: &read.file,
        overrides: &read.overrides,
        choices: &choices,
        engine: &engine,
        to: &to,
        force,
    };
    let _attended = interruption.attend()?;
    let shown = Shown::start(global);
    let saved = bundle::save(&request, &shown.events, &interruption.cancel).await;
    shown.finish().await;
    show::saved(global.output, &saved?);
    Ok(Exit::Success)
}

/// Checks a bundle, and gives the engine what it lacks of its images.
pub async fn load(global: &Global, path: &Path, interruption: &Interruption) -> Result {
    let bundle = Arc::new(Bundle::open(path)?);
    let engine = context::engine().await?;
    let brought = bring_images(global, &bundle, &engine, interruption).await?;
    show::loaded(global.output, &bundle, &brought);
    Ok(Exit::Success)
}

/// Where the environment came in a bundle, makes sure that the engine has its images.
pub async fn bring(
    global: &Global,
    prepared: &Prepared,
    place: &Place,
    interruption: &Interruption,
) -> Result<()> {
    match (prepared.bundle(), place) {
        (None, _) => Ok(()),
        (Some(bundle), Place::Docker(engine)) => {
            bring_images(global, bundle, engine, interruption).await?;
            Ok(())
        }
        #[cfg(feature = "aws")]
        (Some(_), Place::Aws(..)) => Err(Error::usage(
            "a bundle's images are for a Docker engine; on AWS each seat gets its own",
            "name the environment file instead",
        )),
    }
}

async fn bring_images(
    global: &Global,
    bundle: &Arc<Bundle>,
    engine: &Engine,
    interruption: &Interruption,
) -> Result<Brought> {
    let _attended = interruption.attend()?;
    let shown = Shown::start(global);
    shown
        .events
        .notice(format!("{} is {}", bundle.name(), bundle.digest));
    let cancel = &interruption.cancel;
    let brought = bundle::load(Arc::clone(bundle), engine, &shown.events, cancel).await;
    shown.finish().await;
    Ok(brought?)
}
