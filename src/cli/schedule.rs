//! `seatbox export systemd` and `seatbox export cron`.

use std::path::{Path, PathBuf};

use super::args::ScheduleArgs;
use super::error::{Error, Result, io};
use super::export::write_all;
use super::print::{line, print};
use crate::exit::Exit;
use crate::model::environment::ProviderKind;
use crate::provider::docker::connect;
use crate::schedule::{self, SERVICE_FILE, Sweeper, TIMER_FILE};

/// Prints the two units, or writes them to a directory.
pub fn systemd(what: &ScheduleArgs, directory: Option<&Path>, force: bool) -> Result {
    let sweeper = sweeper(what)?;
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
pub fn cron(what: &ScheduleArgs) -> Result {
    print(sweeper(what)?.crontab());
    Ok(Exit::Success)
}

/// This program, and the engine or the account that it would use here.
fn sweeper(what: &ScheduleArgs) -> Result<Sweeper> {
    what.places.check()?;
    let program = std::env::current_exe().map_err(io("this program's own path"))?;
    let (variables, mut arguments) = match what.places.provider {
        ProviderKind::Docker => (of_engine()?, Vec::new()),
        kind => (of_aws()?, vec!["--provider".to_owned(), kind.to_string()]),
    };
    for region in what.places.distinct_regions() {
        arguments.extend(["--region".to_owned(), region.to_owned()]);
    }
    if let Some(only) = &what.only {
        arguments.extend(["--only".to_owned(), only.to_string()]);
    }
    Sweeper::new(&program, variables, arguments).map_err(|error| {
        Error::usage(
            error.to_string(),
            "install seatbox, and have the files that it is led by, where paths are plain text",
        )
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn of_engine() -> Result<Vec<(String, String)>> {
    let endpoint = connect::resolve(variable, Path::new("/"))?;
    let settings = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")));
    let settings = settings
        .map(std::path::absolute)
        .transpose()
        .map_err(io("DOCKER_CONFIG"))?;
    Ok(schedule::of_engine(&endpoint, settings.as_deref()))
}

fn of_aws() -> Result<Vec<(String, String)>> {
    schedule::of_aws(variable).map_err(|name| {
        Error::usage(
            format!("{name} is set, and a unit or a crontab is no place for credentials"),
            "keep them in a profile (`aws configure --profile sweeper`), unset the variable, and set \
             AWS_PROFILE",
        )
    })
}
