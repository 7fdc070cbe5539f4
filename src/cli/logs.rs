//! `seatbox logs`.

use jiff::{Span, Timestamp};

use super::args::{EnvironmentArgs, SeatsArgs};
use super::context::{self, Missing};
use super::error::{Error, Result, io};
use super::interruption::Interruption;
use super::place::{AnyContext, with_provider};
use crate::exit::Exit;
use crate::model::{Environment, ServiceName};
use crate::provider::{Logs, Operate};

/// What is to be printed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which lines, but for the seats and the begin.
    pub logs: Logs,
    /// How long ago, or when, to begin.
    pub since: Option<String>,
}

/// Prints what services wrote.
pub async fn run(
    environment: &EnvironmentArgs,
    seats: &SeatsArgs,
    wanted: Wanted,
    interruption: &Interruption,
) -> Result {
    let since = wanted
        .since
        .as_deref()
        .map(|text| parse_since(text, Timestamp::now()))
        .transpose()
        .map_err(|hint| Error::usage("--since is not understood", hint))?;
    let meant = |environment: &Environment| {
        let services = &environment.stack.services;
        if let Some(service) = &wanted.logs.service
            && !services.contains_key(service)
        {
            let names: Vec<&str> = services.keys().map(ServiceName::as_str).collect();
            return Err(Error::usage(
                format!("the stack has no service {service}"),
                format!("it has {}", names.join(", ")),
            ));
        }
        context::seats(environment, seats)
    };
    let (context, seats) =
        context::open(environment, Missing::NotNeeded, interruption, meant).await?;
    let logs = Logs {
        seats,
        since,
        ..wanted.logs
    };
    with_provider!(AnyContext, context, context => write(&context.provider, &logs).await)
}

async fn write<P: Operate>(provider: &P, wanted: &Logs) -> Result {
    let observed = context::look(provider).await?;
    let mut out = anstream::stdout();
    let logged = provider.logs(&observed, wanted, &mut out).await?;
    if let Some(error) = logged.unwritten {
        return Err(io("standard output")(error));
    }
    if logged.sources == 0 {
        return Err(Error::usage(
            "none of these seats has a container",
            "`seatbox status` shows which seats there are",
        ));
    }
    if !wanted.follow {
        for failure in &logged.failures {
            anstream::eprintln!("{failure}");
        }
    }
    Ok(if logged.failures.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    })
}

/// Reads what `--since` takes: a duration back from `now` (`10m`, `1h30m`, `2 days`) or a moment
/// (`2024-10-19T13:30:00+08:00`).
///
/// # Errors
/// What forms there are.
fn parse_since(text: &str, now: Timestamp) -> std::result::Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let back = |span: Span| {
        // Days have 24 hours here: it is a distance in time, not in a calendar.
        let length = span
            .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .ok()?;
        now.checked_sub(length.abs()).ok()
    };
    text.parse::<Span>().ok().and_then(back).ok_or_else(|| {
        "write how long ago (10m, 1h30m) or a moment (2024-10-19T13:30:00+08:00)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_duration_back_or_a_moment() {
        let now: Timestamp = "2024-10-19T06:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("10m", "2024-10-19T05:50:00Z"),
            ("1h30m", "2024-10-19T04:30:00Z"),
            ("2 days", "2024-10-17T06:00:00Z"),
            ("2024-10-19T13:30:00+08:00", "2024-10-19T05:30:00Z"),
        ] {
            assert_eq!(
                parse_since(text, now).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        for text in ["", "ten minutes", "10", "1 month", "9999999999h"] {
            assert!(parse_since(text, now).is_err(), "{text}");
        }
    }
}
