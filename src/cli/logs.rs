//! `seatbox logs`.

use jiff::Timestamp;

use super::args::{EnvironmentArgs, SeatsArgs};
use super::context::{self, Missing};
use super::error::{Error, Result, io};
use super::interruption::Interruption;
use crate::exit::Exit;
use crate::model::seat::Owner;
use crate::model::{Environment, ServiceName};
use crate::provider::docker::logs::{LogSettings, LogSource, parse_since, write_logs};

/// What is to be printed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// One service, or all.
    pub service: Option<ServiceName>,
    /// Whether to go on.
    pub follow: bool,
    /// How many lines before the end to begin.
    pub tail: Option<u64>,
    /// How long ago, or when, to begin.
    pub since: Option<String>,
    /// Whether to print when a line was written.
    pub timestamps: bool,
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
        if let Some(service) = &wanted.service
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
    let name = &context.environment.name;
    let observed = context::look(&context.provider).await?.of(name);
    let mut sources: Vec<LogSource> = observed
        .containers
        .iter()
        .filter_map(|container| {
            let Owner::Seat(seat) = container.ownership.owner else {
                return None;
            };
            let service: ServiceName = container.ownership.service.as_deref()?.parse().ok()?;
            let meant = seats.contains(&seat)
                && wanted
                    .service
                    .as_ref()
                    .is_none_or(|wanted| *wanted == service);
            meant.then(|| LogSource {
                seat,
                service,
                container: container.id.clone(),
            })
        })
        .collect();
    sources.sort_by(|a, b| (a.seat, &a.service).cmp(&(b.seat, &b.service)));
    if sources.is_empty() {
        return Err(Error::usage(
            "none of these seats has a container",
            "`seatbox status` shows which seats there are",
        ));
    }
    let settings = LogSettings {
        follow: wanted.follow,
        tail: wanted.tail,
        since,
        timestamps: wanted.timestamps,
    };
    let client = &context.provider.engine().docker;
    let mut out = anstream::stdout();
    let failures = write_logs(client, &sources, settings, &mut out)
        .await
        .map_err(io("standard output"))?;
    for failure in &failures {
        anstream::eprintln!(
            "{} {}: {}",
            failure.source.seat,
            failure.source.service,
            crate::provider::docker::errors::message(&failure.error)
        );
    }
    Ok(if failures.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    })
}
