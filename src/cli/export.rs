//! `seatbox export`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::args::{EnvironmentArgs, SeatArgs};
use super::context::{self, Missing};
use super::error::{Error, Result, io};
use super::interruption::Interruption;
use super::place;
use super::print::line;
use crate::exit::Exit;
use crate::image::Recipes;
use crate::image::reference::familiar;
use crate::model::environment::ProviderKind;
use crate::model::{Environment, SeatNumber};
use crate::provider::docker::connect::Engine;
use crate::provider::docker::{observe, ports};
use crate::provider::values::seat_values;
use crate::stack::export::{PortAssignment, export};

/// Writes one seat as a Compose file with its env file. An engine is asked only whether it has the
/// images under their own names, and not missed where there is none.
pub async fn compose(
    arguments: &EnvironmentArgs,
    seat: SeatNumber,
    directory: &Path,
    force: bool,
    interruption: &Interruption,
) -> Result {
    // Plain Compose runs on an engine, where services are reached by their names.
    let arguments = EnvironmentArgs {
        provider: Some(ProviderKind::Docker),
        ..arguments.clone()
    };
    // Recipes that came in a bundle are read further below.
    let read = context::read(&arguments, Timestamp::MIN, interruption)?;
    let mut environment = read.loaded.environment;
    let one = SeatArgs {
        seat: Some(seat),
        service: None,
    };
    let seat = context::one_seat(&environment, &one)?;
    let key = match context::engine().await {
        Ok(engine) => {
            take_stand_ins(&engine, &mut environment).await?;
            let bare = place::bare_engine(&engine);
            let beside = context::key_beside(&bare, &environment.name, Missing::Create);
            beside.await?.0
        }
        Err(_) => context::key(&environment.name, Missing::Create)?,
    };
    let assignments = assignments(&environment, seat)?;
    let exported = export(
        &environment,
        seat,
        &assignments,
        &seat_values(&environment, &key, seat),
    );
    let mut files = vec![
        (
            directory.join("compose.yaml"),
            exported.compose.into_bytes(),
            0o644,
        ),
        // The seat's passwords are in it.
        (
            directory.join(".env"),
            exported.environment.into_bytes(),
            0o600,
        ),
    ];
    for file in exported.files {
        files.push((directory.join(file.path), file.bytes, file.mode));
    }
    write_all(&files, force)?;
    line(format_args!(
        "next: docker compose --project-directory {} up --detach --wait",
        shell_words::quote(&directory.display().to_string())
    ));
    Ok(Exit::Success)
}

/// Names the stand-ins where this machine's engine has those and not the images themselves, so
/// that what is written runs here without a registry.
async fn take_stand_ins(engine: &Engine, environment: &mut Environment) -> Result<()> {
    let Ok(observed) = observe::observe(&engine.docker).await else {
        return Ok(());
    };
    let recipes = Recipes::load(environment.images.recipes.as_deref())?;
    let has = |reference: &str| observed.images.contains_key(&familiar(reference));
    for service in environment.stack.services.values_mut() {
        if has(&service.image) {
            continue;
        }
        if let Some(recipe) = recipes.standing_in_for(&service.image)
            && has(&recipe.name)
        {
            anstream::eprintln!("note: {} stands in for {}", recipe.name, service.image);
            service.image.clone_from(&recipe.name);
        }
    }
    Ok(())
}

/// The seat's ports as `up` would plan them.
fn assignments(environment: &Environment, seat: SeatNumber) -> Result<Vec<PortAssignment>> {
    let plan =
        ports::plan(&environment.stack, &environment.docker.ports, seat).ok_or_else(|| {
            Error::usage(
                "the seat's ports do not fit",
                "raise docker.ports.per_seat, or lower docker.ports.first",
            )
        })?;
    Ok(environment
        .stack
        .services
        .values()
        .zip(plan)
        .flat_map(|(service, hosts)| {
            service
                .ports
                .iter()
                .zip(hosts)
                .map(|(port, host)| PortAssignment {
                    service: service.name.clone(),
                    target: port.target,
                    host,
                })
        })
        .collect())
}

/// Writes files, each with its mode, or none of them where one is there already and `force` is not.
pub fn write_all(files: &[(PathBuf, Vec<u8>, u32)], force: bool) -> Result<()> {
    if let Some((path, ..)) = files
        .iter()
        .find(|(path, ..)| !force && path.symlink_metadata().is_ok())
    {
        return Err(Error::usage(
            format!("{} exists already", path.display()),
            "name another directory, or say --force",
        ));
    }
    for (path, bytes, mode) in files {
        write(path, bytes, *mode).map_err(io(path.display().to_string()))?;
        line(format_args!("wrote {}", path.display()));
    }
    Ok(())
}

/// Writes a file whose permissions are right from the first byte on.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let temporary = path.with_extension("seatbox-new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
