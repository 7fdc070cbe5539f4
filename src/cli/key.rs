//! `seatbox key`.

use secrecy::ExposeSecret as _;

use super::args::{EnvironmentArgs, Global, Output};
use super::context;
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::print::line;
use crate::exit::Exit;
use crate::provider::terminal;
use crate::secret::{EventKey, store};

/// An exported key is one short line; more is something else.
const LONGEST_INPUT: usize = 1024;

fn path(environment: &EnvironmentArgs, interruption: &Interruption) -> Result<std::path::PathBuf> {
    let environment = context::load(environment, interruption)?.environment;
    Ok(store::key_path(&environment.name, |name| {
        std::env::var(name).ok()
    })?)
}

/// Prints the key's fingerprint.
pub fn fingerprint(
    global: &Global,
    environment: &EnvironmentArgs,
    interruption: &Interruption,
) -> Result {
    let key = store::load(&path(environment, interruption)?)?;
    match global.output {
        Output::Text => line(key.fingerprint()),
        Output::Json => {
            let document = serde_json::json!({ "version": 1, "fingerprint": key.fingerprint() });
            line(document);
        }
    }
    Ok(Exit::Success)
}

/// Prints the key, which is what was asked for.
pub fn export(environment: &EnvironmentArgs, interruption: &Interruption) -> Result {
    let key = store::load(&path(environment, interruption)?)?;
    line(key.export().expose_secret());
    Ok(Exit::Success)
}

/// Takes a key from standard input; an argument would be seen by everybody on the machine.
pub async fn import(
    environment: &EnvironmentArgs,
    force: bool,
    interruption: &Interruption,
) -> Result {
    let path = path(environment, interruption)?;
    let mut given = Vec::new();
    let mut pieces = terminal::input();
    while given.len() < LONGEST_INPUT
        && let Some(piece) = pieces.recv().await
    {
        given.extend(piece);
    }
    let given = String::from_utf8_lossy(&given);
    if given.trim().is_empty() {
        return Err(Error::usage(
            "there is no key on standard input",
            "pipe in what `seatbox key export` printed",
        ));
    }
    let key = EventKey::parse(&given)?;
    store::import(&path, &key, force)?;
    line(key.fingerprint());
    Ok(Exit::Success)
}
