//! What most verbs begin with: the environment, the key, the place where its seats live.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{EnvironmentArgs, SeatArgs, SeatsArgs};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{self, AnyContext, Place};
use crate::bundle::{Bundle, Unpacked, is_bundle};
use crate::diagnostic::Diagnostics;
use crate::engine::Failure;
use crate::engine::retry::with_retries;
use crate::environment::{self, Loaded, Overrides};
use crate::image::Recipes;
#[cfg(feature = "aws")]
use crate::model::environment::ProviderKind;
use crate::model::{Environment, EnvironmentName, SeatNumber, SeatSet};
use crate::provider::Provider;
#[cfg(feature = "aws")]
use crate::provider::aws::AwsProvider;
#[cfg(feature = "aws")]
use crate::provider::aws::ec2::ssh::Ssh;
#[cfg(feature = "aws")]
use crate::provider::aws::unsupported;
use crate::provider::docker::DockerProvider;
use crate::provider::docker::connect::{self, Engine};
use crate::secret::{EventKey, KeyError, store};

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads the environment file with all that goes over it. Its time may be over: whoever only looks,
/// or takes away, comes after the end too.
pub fn load(arguments: &EnvironmentArgs, interruption: &Interruption) -> Result<Loaded> {
    Ok(read(arguments, Timestamp::MIN, interruption)?.loaded)
}

/// An environment that was read, with where it was read from.
pub struct FromFile {
    /// The environment.
    pub loaded: Loaded,
    /// Its file.
    pub file: PathBuf,
    /// What was laid over that.
    pub overrides: Overrides,
    /// Where the file is unpacked, if it came in a bundle: there for as long as this is.
    pub unpacked: Option<Unpacked>,
}

/// Reads the environment file, or that of a bundle, for seats that are made at `now`.
pub fn read(
    arguments: &EnvironmentArgs,
    now: Timestamp,
    interruption: &Interruption,
) -> Result<FromFile> {
    // What must be one is opened whatever it is: that says why it is none.
    let unpacked = match arguments.is_bundle || is_bundle(&arguments.environment) {
        true => {
            let bundle = Arc::new(Bundle::open(&arguments.environment)?);
            Some(Unpacked::from(bundle, &interruption.cancel)?)
        }
        false => None,
    };
    // A variable that is not UTF-8 is nothing that a file could name.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let saved = unpacked
        .iter()
        .flat_map(|bundle| &bundle.manifest().settings);
    let overrides = Overrides {
        set: saved.chain(&arguments.set).cloned().collect(),
        provider: arguments.provider,
        ..Overrides::new(variables, now)
    };
    let file = match &unpacked {
        Some(bundle) => bundle.file(),
        None => arguments.environment.clone(),
    };
    let mut loaded = environment::load(&file, &overrides)?;
    if let Some(bundle) = &unpacked {
        bundle.supply(&mut loaded.environment);
    }
    Ok(FromFile {
        loaded,
        file,
        overrides,
        unpacked,
    })
}

/// The same, of the environment in `bundle` where there is one.
pub fn or_bundle(arguments: EnvironmentArgs, bundle: Option<PathBuf>) -> Result<EnvironmentArgs> {
    let Some(path) = bundle else {
        return Ok(arguments);
    };
    if !is_implied(&arguments.environment) {
        return Err(Error::usage(
            "an environment comes from a file or from a bundle, not from both",
            "leave one of them out",
        ));
    }
    Ok(EnvironmentArgs {
        environment: path,
        is_bundle: true,
        ..arguments
    })
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

/// The event key of an environment, of which there may be seats with `provider` already. A key is
/// never made where those were made with another: half of an event would then have passwords that
/// the other machine does not know. Where that had to be looked at, the look comes with it.
pub async fn key_beside<P: Provider>(
    provider: &P,
    environment: &EnvironmentName,
    missing: Missing,
) -> Result<(EventKey, Option<P::Observed>)> {
    let path = store::key_path(environment, variable)?;
    let mut seen = None;
    if missing == Missing::Create && matches!(store::load(&path), Err(KeyError::Missing { .. })) {
        let observed = look(provider).await?;
        let made = provider
            .existing(&observed)
            .into_iter()
            .filter(|existing| existing.environment == *environment)
            .find_map(|existing| existing.key);
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
        seen = Some(observed);
    }
    Ok((key(environment, missing)?, seen))
}

/// Forgets what the instances of an environment showed to be known by: they are gone. What is left of
/// it does no harm, for no other instance has their names.
pub fn forget_hosts(environment: &Environment) {
    #[cfg(feature = "aws")]
    if environment.provider == ProviderKind::Ec2
        && let Ok(path) = store::key_path(&environment.name, variable)
    {
        let _ = Ssh::forget(&path);
    }
    #[cfg(not(feature = "aws"))]
    let _ = environment;
}

/// One look; one that stumbles is asked again.
pub async fn look<P: Provider>(provider: &P) -> std::result::Result<P::Observed, Failure> {
    with_retries(async || provider.observe().await, |_, _| {}).await
}

/// The engine that the `docker` command would use here.
pub async fn engine() -> Result<Engine> {
    let endpoint = connect::resolve(variable, Path::new("/"))?;
    Ok(connect::connect(&endpoint).await?)
}

/// An environment, and the provider that its seats live with.
pub struct Context<P: Provider> {
    /// The environment.
    pub environment: Arc<Environment>,
    /// Its provider.
    pub provider: P,
    /// How a command names this environment, for advice on what to type next: nothing where the
    /// process environment names it, or the usual file does.
    pub arguments: String,
    /// A look that was made on the way here: nothing has been done since.
    pub seen: Option<P::Observed>,
    /// Where its files are, if they came in a bundle and something may be made of them: whoever
    /// only looks has read all there is, and leaves no secrets lying about while looking.
    _unpacked: Option<Unpacked>,
}

/// An environment that makes sense, before anybody is asked for anything.
pub struct Prepared {
    read: FromFile,
    recipes: Recipes,
    arguments: String,
    missing: Missing,
}

impl Prepared {
    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.read.loaded.environment
    }

    /// The bundle that it came in.
    pub fn bundle(&self) -> Option<&Arc<Bundle>> {
        self.read.unpacked.as_ref().map(|files| &files.bundle)
    }

    /// The environment in that place, with its key.
    pub async fn on(self, place: Place) -> Result<AnyContext> {
        match place {
            Place::Docker(engine) => Ok(AnyContext::Docker(self.on_engine(engine).await?)),
            #[cfg(feature = "aws")]
            Place::Aws(session, kind) => {
                let path = store::key_path(&self.environment().name, variable)?;
                let known_hosts = Ssh::known_hosts(&path);
                // It looks at this environment alone: whose key it has is all that is asked for.
                let here = session.clone();
                let bare = |environment| {
                    AwsProvider::new(here, kind, Some(environment), None, PathBuf::new())
                };
                let context = self.with(bare, |environment, key, _| {
                    AwsProvider::new(session, kind, Some(environment), Some(key), known_hosts)
                });
                Ok(AnyContext::Aws(context.await?))
            }
        }
    }

    /// The environment on that engine, with its key.
    pub async fn on_engine(self, engine: Engine) -> Result<Context<DockerProvider>> {
        let bare = place::bare_engine(&engine);
        let context = self.with(
            |_| bare,
            |environment, key, recipes| {
                DockerProvider::new(
                    engine,
                    Some(environment),
                    Some(key),
                    recipes,
                    Timestamp::now(),
                )
            },
        );
        // With its own first look the provider asks for the engine's clock.
        Ok(Context {
            seen: None,
            ..context.await?
        })
    }

    /// With the provider that `make` makes; one that `bare` makes has no key yet.
    async fn with<P: Provider>(
        self,
        bare: impl FnOnce(Arc<Environment>) -> P,
        make: impl FnOnce(Arc<Environment>, Arc<EventKey>, Recipes) -> P,
    ) -> Result<Context<P>> {
        let environment = Arc::new(self.read.loaded.environment);
        let bare = bare(Arc::clone(&environment));
        let (key, seen) = key_beside(&bare, &environment.name, self.missing).await?;
        Ok(Context {
            provider: make(Arc::clone(&environment), Arc::new(key), self.recipes),
            environment,
            arguments: self.arguments,
            seen,
            _unpacked: self
                .read
                .unpacked
                .filter(|_| self.missing != Missing::NotNeeded),
        })
    }
}

/// Reads the environment, and lets `check` say what of it is meant. What makes no sense with the
/// environment is so told before anything is asked for or a key is made.
pub fn prepare<T>(
    arguments: &EnvironmentArgs,
    missing: Missing,
    interruption: &Interruption,
    check: impl FnOnce(&Environment) -> Result<T>,
) -> Result<(Prepared, T)> {
    let now = match missing {
        Missing::Create | Missing::Pretend => Timestamp::now(),
        Missing::NotNeeded => Timestamp::MIN,
    };
    let read = read(arguments, now, interruption)?;
    let environment = &read.loaded.environment;
    let meant = check(environment)?;
    // Whoever only looks, or takes away, may do so whatever is written now.
    if missing != Missing::NotNeeded {
        supported(environment)?;
    }
    let prepared = Prepared {
        recipes: Recipes::load(environment.images.recipes.as_deref())?,
        read,
        arguments: named(arguments),
        missing,
    };
    Ok((prepared, meant))
}

/// Whether the environment's provider can do all that it uses.
///
/// # Errors
/// All that it can't.
pub fn supported(environment: &Environment) -> Result<()> {
    #[cfg(feature = "aws")]
    let problems = unsupported::problems(environment);
    #[cfg(not(feature = "aws"))]
    let problems = {
        let _ = environment;
        Vec::new()
    };
    Ok(Diagnostics::none_or(problems, ())?)
}

/// An environment that was read and checked, in the place where its seats live.
pub async fn open<T>(
    arguments: &EnvironmentArgs,
    missing: Missing,
    interruption: &Interruption,
    check: impl FnOnce(&Environment) -> Result<T>,
) -> Result<(AnyContext, T)> {
    let (prepared, meant) = prepare(arguments, missing, interruption, check)?;
    let place = Place::of(prepared.environment(), interruption).await?;
    Ok((prepared.on(place).await?, meant))
}

fn named(arguments: &EnvironmentArgs) -> String {
    let mut words = Vec::new();
    if !is_implied(&arguments.environment) {
        words.push(arguments.environment.display().to_string());
    }
    for set in &arguments.set {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    words
        .iter()
        .map(|word| format!(" {}", shell_words::quote(word)))
        .collect()
}

/// Whether a command means that file without naming it.
fn is_implied(file: &Path) -> bool {
    std::env::var_os("SEATBOX_ENVIRONMENT").is_some_and(|named| named == file)
        || file == Path::new("seatbox.yaml")
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
