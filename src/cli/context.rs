//! What most verbs begin with: the environment, the key, the engine.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{EnvironmentArgs, SeatArgs, SeatsArgs};
use super::error::{Error, Result};
use crate::engine::Failure;
use crate::engine::retry::with_retries;
use crate::environment::{self, Loaded, Overrides};
use crate::image::Recipes;
use crate::model::{Environment, EnvironmentName, SeatNumber, SeatSet};
use crate::provider::Provider;
use crate::provider::docker::DockerProvider;
use crate::provider::docker::connect::{self, Engine};
use crate::provider::docker::observe;
use crate::secret::{EventKey, KeyError, store};

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads the environment file with all that goes over it. Its time may be over: whoever only looks,
/// or takes away, comes after the end too.
pub fn load(arguments: &EnvironmentArgs) -> Result<Loaded> {
    load_at(arguments, Timestamp::MIN)
}

/// Reads the environment file for seats that are made now: its time must not be over.
pub fn load_for_now(arguments: &EnvironmentArgs) -> Result<Loaded> {
    load_at(arguments, Timestamp::now())
}

/// Reads the environment file for seats that are made at `now`.
fn load_at(arguments: &EnvironmentArgs, now: Timestamp) -> Result<Loaded> {
    // A variable that is not UTF-8 is nothing that a file could name.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let overrides = Overrides {
        set: arguments.set.clone(),
        provider: arguments.provider,
        ..Overrides::new(variables, now)
    };
    Ok(environment::load(&arguments.environment, &overrides)?)
}

/// What to do where there is no event key yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make one and keep it.
    Create,
    /// Make one for the moment, to plan with.
    Pretend,
    /// Do without: nothing is made or planned.
    NotNeeded,
}

/// The event key of an environment.
pub fn key(environment: &EnvironmentName, missing: Missing) -> Result<EventKey> {
    let path = store::key_path(environment, variable)?;
    match missing {
        Missing::Create => Ok(store::load_or_create(&path)?),
        Missing::Pretend | Missing::NotNeeded => match store::load(&path) {
            Err(KeyError::Missing { .. }) => Ok(EventKey::generate()?),
            result => Ok(result?),
        },
    }
}

/// The event key of an environment, of which `engine` may already have seats. A key is never made
/// where those were made with another: half of an event would then have passwords that the other
/// machine does not know.
pub async fn key_beside(
    engine: &Engine,
    environment: &EnvironmentName,
    missing: Missing,
) -> Result<EventKey> {
    let path = store::key_path(environment, variable)?;
    if missing == Missing::Create && matches!(store::load(&path), Err(KeyError::Missing { .. })) {
        let observed =
            with_retries(async || observe::observe(&engine.docker).await, |_, _| {}).await?;
        let made = observed
            .ownerships()
            .filter(|ownership| ownership.environment == *environment)
            .find_map(|ownership| ownership.key.as_deref());
        // Who made them may have put the key here in the meantime: another first `up` beside this.
        if let Some(made) = made
            && matches!(store::load(&path), Err(KeyError::Missing { .. }))
        {
            return Err(Error::usage(
                format!(
                    "{environment} has seats that were made with event key {made}, which is not on \
                     this machine"
                ),
                "bring it here: `seatbox key export` where the seats were made, `seatbox key \
                 import` here; or take the seats down",
            ));
        }
    }
    key(environment, missing)
}

/// One look at the engine; one that stumbles is asked again.
pub async fn look<P: Provider>(provider: &P) -> std::result::Result<P::Observed, Failure> {
    with_retries(async || provider.observe().await, |_, _| {}).await
}

/// The engine that the `docker` command would use here.
pub async fn engine() -> Result<Engine> {
    let endpoint = connect::resolve(variable, Path::new("/"))?;
    Ok(connect::connect(&endpoint).await?)
}

/// An environment, and the provider that its seats live with.
pub struct Context {
    /// The environment.
    pub environment: Arc<Environment>,
    /// Its provider.
    pub provider: DockerProvider,
    /// How a command names this environment, for advice on what to type next: nothing where the
    /// process environment names it, or the usual file does.
    pub arguments: String,
}

/// Reads the environment, lets `check` say what of it is meant, and reaches the engine. What makes
/// no sense with the environment is so told before anything is asked for or a key is made.
pub async fn open<T>(
    arguments: &EnvironmentArgs,
    missing: Missing,
    check: impl FnOnce(&Environment) -> Result<T>,
) -> Result<(Context, T)> {
    let now = match missing {
        Missing::Create | Missing::Pretend => Timestamp::now(),
        Missing::NotNeeded => Timestamp::MIN,
    };
    let environment = Arc::new(load_at(arguments, now)?.environment);
    let meant = check(&environment)?;
    let recipes = Recipes::load(environment.images.recipes.as_deref())?;
    let engine = engine().await?;
    let key = Arc::new(key_beside(&engine, &environment.name, missing).await?);
    let provider = DockerProvider::new(
        engine,
        Some(Arc::clone(&environment)),
        Some(key),
        recipes,
        Timestamp::now(),
    );
    let context = Context {
        environment,
        provider,
        arguments: named(arguments),
    };
    Ok((context, meant))
}

fn named(arguments: &EnvironmentArgs) -> String {
    let path = arguments.environment.display().to_string();
    let implied = variable("SEATBOX_ENVIRONMENT").is_some_and(|named| named == path)
        || path == "seatbox.yaml";
    let mut words = Vec::new();
    if !implied {
        words.push(path);
    }
    for set in &arguments.set {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    words
        .iter()
        .map(|word| format!(" {}", shell_words::quote(word)))
        .collect()
}

/// The seats that are meant. One that the environment does not have is an error: whoever names it
/// means something else.
pub fn seats(environment: &Environment, arguments: &SeatsArgs) -> Result<Vec<SeatNumber>> {
    let all = SeatSet::all();
    let selection = arguments.seats.as_ref().unwrap_or(&all);
    if let Some(seat) = selection.highest_named()
        && seat.get() > environment.seats.total()
    {
        return Err(beyond(environment, seat));
    }
    Ok(environment.selected(selection))
}

fn beyond(environment: &Environment, seat: SeatNumber) -> Error {
    Error::usage(
        format!(
            "{} has no seat {}: it has {}",
            environment.name,
            seat.get(),
            environment.seats.total()
        ),
        "raise seats.count, or name another seat",
    )
}

/// The one seat that is meant.
pub fn one_seat(environment: &Environment, arguments: &SeatArgs) -> Result<SeatNumber> {
    match arguments.seat {
        Some(seat) if seat.get() > environment.seats.total() => Err(beyond(environment, seat)),
        Some(seat) => Ok(seat),
        None if environment.seats.total() == 1 => Ok(SeatNumber::FIRST),
        None => Err(Error::usage(
            format!("which of the {} seats?", environment.seats.total()),
            "name it, as in --seat 7",
        )),
    }
}
