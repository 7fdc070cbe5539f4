//! `seatbox extend`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::args::{EnvironmentArgs, Global, NewEnd};
use super::context;
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyProvider, Place, with_provider};
use super::show;
use crate::engine::retry::with_retries;
use crate::engine::{Failure, FailureClass};
use crate::environment;
use crate::exit::Exit;
use crate::expiry::{Ends, Move, MoveError, moved, seconds_of};
use crate::model::environment::ProviderKind;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::Scheme;
use crate::provider::{Existing, Operate};
use crate::report::view::ExtensionView;

/// Which environment is meant, and how its end is to be moved.
#[derive(Debug, Clone, Copy)]
pub struct What<'a> {
    /// Its file.
    pub file: &'a EnvironmentArgs,
    /// Its name, which makes the file needless.
    pub only: Option<&'a EnvironmentName>,
    /// The region that it lives in, where that is none of the AWS configuration's.
    pub region: Option<&'a str>,
    /// Where the end goes.
    pub end: &'a NewEnd,
    /// Whether it is only said what would be done.
    pub dry_run: bool,
}

/// Gives the seats of an environment more time. None of them is touched.
pub async fn run(global: &Global, what: What<'_>, interruption: &Interruption) -> Result {
    let (name, kind, region, zone) = match what.only {
        Some(name) => {
            let kind = what.file.provider.unwrap_or(ProviderKind::Docker);
            (name.clone(), kind, what.region.map(str::to_owned), None)
        }
        None => {
            let environment = context::load(what.file, interruption)?.environment;
            let zone = TimeZone::get(&environment.event.time_zone).ok();
            let region = environment.aws.region;
            (environment.name, environment.provider, region, zone)
        }
    };
    let change = change(what.end, zone.as_ref())?;
    let place = Place::find(kind, region.as_deref(), interruption).await?;
    with_provider!(AnyProvider, place.bare(), provider => {
        extend(global, &place, &provider, name, change, zone, what.dry_run).await
    })
}

async fn extend<P: Operate>(
    global: &Global,
    place: &Place,
    provider: &P,
    name: EnvironmentName,
    change: Move,
    zone: Option<TimeZone>,
    dry_run: bool,
) -> Result {
    let clocks = with_retries(async || provider.clocks().await, |_, _| {});
    let (before, clocks) = tokio::join!(context::look(provider), clocks);
    let (before, clocks) = (before?, clocks?);
    let existing = provider.existing(&before);
    let parts = parts(&existing, &name);
    if parts.is_empty() {
        return Err(Error::usage(
            format!(
                "there is no seat of {name} to give more time to{}",
                place.words()
            ),
            format!(
                "`seatbox up` makes them; `seatbox sweep --dry-run{}` lists what else is there",
                place.arguments()
            ),
        ));
    }
    let ends = Ends::of(
        existing
            .iter()
            .map(|existing| (&existing.environment, existing.expires.as_ref())),
    );
    let end = ends.get(&name);
    let expires = moved(end.latest, change, clocks.engine).map_err(refusal)?;
    let mut notices: Vec<String> = clocks.notice().into_iter().collect();
    notices.extend(place.extension_notice());
    if let Some(over) = end.latest.filter(|end| *end <= clocks.engine) {
        notices.push(format!(
            "these seats expired {over}: what a sweep has taken since, `seatbox up` makes again"
        ));
    }
    if let Some(text) = &end.unreadable {
        notices.push(format!(
            "no sweep takes these seats away: `{text}` is on one of them for when it expires"
        ));
    }
    let mut view = ExtensionView {
        environment: name,
        before: end.latest,
        expires,
        changed: end.latest != Some(expires),
        dry_run,
        seats: parts.keys().copied().collect(),
        gone: Vec::new(),
        notices,
        zone,
    };
    if view.changed && !dry_run {
        view.gone = carry_out(provider, &view, &before, &parts).await?;
    }
    show::extended(global.output, &view);
    Ok(if view.gone.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    })
}

/// Makes it so, and says which seats have lost something meanwhile.
async fn carry_out<P: Operate>(
    provider: &P,
    view: &ExtensionView,
    seen: &P::Observed,
    before: &Parts,
) -> Result<Vec<SeatNumber>> {
    let name = &view.environment;
    provider.extend(name, view.expires, seen).await?;
    let observed = context::look(provider).await?;
    // Where somebody took all of it away, what was made for it must not be what is left.
    provider.tidy(name, &observed).await;
    let after = parts(&provider.existing(&observed), name);
    if after.is_empty() {
        return Err(Error::Call(
            Failure::new(
                FailureClass::NotFound,
                "extend",
                format!("the seats of {name} were taken away meanwhile, and none is left"),
            )
            .with_hint("`seatbox up` makes new ones"),
        ));
    }
    let whole = |(seat, parts): &(&SeatNumber, &HashSet<Arc<str>>)| {
        after.get(seat).is_some_and(|after| parts.is_subset(after))
    };
    let lost = before.iter().filter(|seat| !whole(seat));
    Ok(lost.map(|(seat, _)| *seat).collect())
}

/// What each seat has, by the place's names for it.
type Parts = BTreeMap<SeatNumber, HashSet<Arc<str>>>;

fn parts<S: Scheme>(existing: &[Existing<S>], environment: &EnvironmentName) -> Parts {
    let mut parts = Parts::new();
    let own = |existing: &&Existing<S>| existing.environment == *environment;
    for existing in existing.iter().filter(own) {
        if let Some(seat) = existing.owner.seat() {
            let id = Arc::clone(&existing.resource.id);
            parts.entry(seat).or_default().insert(id);
        }
    }
    parts
}

fn change(end: &NewEnd, zone: Option<&TimeZone>) -> Result<Move> {
    if let Some(text) = &end.by {
        let span = environment::duration(text)
            .filter(|span| span.is_positive())
            .ok_or_else(|| {
                Error::usage(
                    format!("--by {text}: this is not a span of time that leads on"),
                    "write for example --by 2h, --by 1h30m or --by 2d",
                )
            })?;
        return Ok(Move::By(span));
    }
    let text = end.until.as_deref().unwrap_or_default();
    let moment = match zone {
        Some(zone) => environment::end(text, zone),
        None => environment::absolute(text),
    };
    let hint = match zone {
        Some(_) => "write for example --until 2026-12-01T18:00, in the event's time zone",
        None => {
            "without an environment file no time zone is known: write the offset as well, as in \
             --until 2026-12-01T18:00+08:00"
        }
    };
    moment.map(Move::Until).ok_or_else(|| {
        let message = format!("--until {text}: this is not a date with a time");
        Error::usage(message, hint)
    })
}

fn refusal(error: MoveError) -> Error {
    let hint = match &error {
        MoveError::Nothing => "write for example --by 2h".to_owned(),
        MoveError::Earlier { present, .. } => format!(
            "name a moment after {}; `seatbox down` ends it now",
            seconds_of(*present)
        ),
        MoveError::Past { .. } => "name a moment to come, or write --by 2h".to_owned(),
        MoveError::TooFar { .. } => "extend it again when that time comes".to_owned(),
    };
    Error::usage(error.to_string(), hint)
}
