//! `seatbox shell` and `seatbox exec`.

use super::args::{EnvironmentArgs, SeatArgs};
use super::context::{self, Missing};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyContext, with_provider};
use crate::exit::Exit;
use crate::model::{Environment, SeatNumber, Service};
use crate::provider::Operate as _;

/// What `shell` runs where nothing else is said: a login shell where there is bash, sh elsewhere.
const SHELL: [&str; 3] = [
    "/bin/sh",
    "-c",
    "if command -v bash >/dev/null; then exec bash -l; fi; exec sh",
];

/// Opens a shell in a seat.
pub async fn shell(
    environment: &EnvironmentArgs,
    seat: &SeatArgs,
    interruption: &Interruption,
) -> Result {
    let (context, (seat, service)) =
        context::open(environment, Missing::NotNeeded, interruption, |e| {
            target(e, seat)
        })
        .await?;
    let argv = service
        .seatbox
        .shell
        .clone()
        .unwrap_or_else(|| SHELL.map(str::to_owned).to_vec());
    attach(&context, seat, &service, argv, interruption).await
}

/// Runs a command in a seat.
pub async fn run(
    environment: &EnvironmentArgs,
    seat: &SeatArgs,
    argv: &[String],
    interruption: &Interruption,
) -> Result {
    let (context, (seat, service)) =
        context::open(environment, Missing::NotNeeded, interruption, |e| {
            target(e, seat)
        })
        .await?;
    attach(&context, seat, &service, argv.to_vec(), interruption).await
}

fn target(environment: &Environment, arguments: &SeatArgs) -> Result<(SeatNumber, Service)> {
    let seat = context::one_seat(environment, arguments)?;
    let stack = &environment.stack;
    let service = match &arguments.service {
        None => stack.shell_service(),
        Some(name) => stack.services.get(name),
    };
    let service = service.ok_or_else(|| {
        let names: Vec<&str> = stack.services.keys().map(|name| name.as_str()).collect();
        Error::usage(
            "the stack has no such service",
            format!("it has {}", names.join(", ")),
        )
    })?;
    Ok((seat, service.clone()))
}

async fn attach(
    context: &AnyContext,
    seat: SeatNumber,
    service: &Service,
    argv: Vec<String>,
    interruption: &Interruption,
) -> Result {
    let _left = interruption.leave_to_command()?;
    let code = with_provider!(AnyContext, context, context => {
        context.provider.attach(seat, service, argv).await
    });
    let code = code.map_err(|failure| {
        let hint = format!(
            "`seatbox status --seats {}` shows how the seat is",
            seat.get()
        );
        Error::Call(match failure.hint {
            Some(_) => failure,
            None => failure.with_hint(hint),
        })
    })?;
    Ok(match u8::try_from(code) {
        Ok(0) => Exit::Success,
        Ok(code) => Exit::Command(code),
        Err(_) => Exit::Failure,
    })
}
