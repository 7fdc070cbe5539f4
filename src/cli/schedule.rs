//! `seatbox export systemd` and `seatbox export cron`.

use std::path::{Path, PathBuf};

use super::error::{Error, Result, io};
use super::export::write_all;
use super::print::{line, print};
use crate::exit::Exit;
use crate::model::EnvironmentName;
use crate::provider::docker::connect;
use crate::schedule::{SERVICE_FILE, Sweeper, TIMER_FILE};

/// Prints the two units, or writes them to a directory.
pub fn systemd(only: Option<EnvironmentName>, directory: Option<&Path>, force: bool) -> Result {
    let sweeper = sweeper(only)?;
    let units = [
        (SERVICE_FILE, sweeper.service()),
        (TIMER_FILE, sweeper.timer()),
    ];
    let Some(directory) = directory else {
        for (name, text) in units {
            print(format_args!("# {name}\n{text}\n"));
        }
        return Ok(Exit::Success);
    };
    let files: Vec<_> = units
        .into_iter()
        .map(|(name, text)| (directory.join(name), text.into_bytes(), 0o644))
        .collect();
    write_all(&files, force)?;
    line(format_args!(
        "next, as root, once they are in /etc/systemd/system: systemctl daemon-reload && systemctl \
         enable --now {TIMER_FILE}"
    ));
    Ok(Exit::Success)
}

/// Prints a line for a crontab.
pub fn cron(only: Option<EnvironmentName>) -> Result {
    print(sweeper(only)?.crontab());
    Ok(Exit::Success)
}

/// This program, and the engine that it would use here.
fn sweeper(only: Option<EnvironmentName>) -> Result<Sweeper> {
    let variable = |name: &str| std::env::var(name).ok();
    let program = std::env::current_exe().map_err(io("this program's own path"))?;
    let endpoint = connect::resolve(variable, Path::new("/"))?;
    let settings = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")));
    let settings = settings
        .map(std::path::absolute)
        .transpose()
        .map_err(io("DOCKER_CONFIG"))?;
    let sweeper = Sweeper::new(&program, &endpoint, settings.as_deref()).map_err(|error| {
        Error::usage(
            error.to_string(),
            "install seatbox, and have the engine's files, where paths are plain text",
        )
    })?;
    Ok(Sweeper { only, ..sweeper })
}
