//! `seatbox key`.

use std::io::Read as _;

use secrecy::ExposeSecret as _;

use super::args::{EnvironmentArgs, Global, Output};
use super::context;
use super::error::{Error, Result, io};
use super::print::line;
use crate::exit::Exit;
use crate::secret::{EventKey, store};

/// An exported key is one short line; more is something else.
const LONGEST_INPUT: u64 = 1024;

fn path(environment: &EnvironmentArgs) -> Result<std::path::PathBuf> {
    let environment = context::load(environment)?.environment;
    Ok(store::key_path(&environment.name, |name| {
        std::env::var(name).ok()
    })?)
}

/// Prints the key's fingerprint.
pub fn fingerprint(global: &Global, environment: &EnvironmentArgs) -> Result {
    let key = store::load(&path(environment)?)?;
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
pub fn export(environment: &EnvironmentArgs) -> Result {
    let key = store::load(&path(environment)?)?;
    line(key.export().expose_secret());
    Ok(Exit::Success)
}

/// Takes a key from standard input; an argument would be seen by everybody on the machine.
pub fn import(environment: &EnvironmentArgs, force: bool) -> Result {
    let path = path(environment)?;
    let mut given = String::new();
    std::io::stdin()
        .take(LONGEST_INPUT)
        .read_to_string(&mut given)
        .map_err(io("standard input"))?;
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
