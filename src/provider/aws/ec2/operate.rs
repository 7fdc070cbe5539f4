//! Commands that people run in instances, and the lines that services write there.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::guest::{Command, Guest};
use super::ssh::{Host, Ssh};
use super::{Instance, InstanceState, observe};
use crate::engine::{Failure, FailureClass};
use crate::model::{EnvironmentName, SeatNumber, Service, ServiceName};
use crate::provider::aws::apply::Applier;
use crate::provider::aws::observe::{Observed, Reach, Thing};
use crate::provider::aws::tags;
use crate::provider::lines::{Piece, write_pieces};
use crate::provider::terminal;
use crate::provider::{Logged, Logs};

/// The call that fails where there is no way to an instance.
const CALL: &str = "reach instance";

/// How many instances are asked for lines at once, where one after the other is written.
const AHEAD: usize = 8;

/// Runs a command in a service of a seat, with this process's own input and output, and gives its exit
/// code.
///
/// # Errors
/// There is no such seat, or it was not reached.
pub async fn attach(
    applier: &Applier,
    seat: SeatNumber,
    service: &Service,
    argv: &[String],
) -> Result<i64, Failure> {
    let name = &applier.environment().name;
    let tag = tags::of(Some(name));
    let things = observe(&applier.session, &tag, Reach::Instances).await?;
    let found = of_seat(things.iter(), name, seat).ok_or_else(|| {
        let message = format!("seat {seat} has no instance");
        Failure::new(FailureClass::NotFound, CALL, message)
            .with_hint(format!("`seatbox up --seats {}` makes one", seat.get()))
    })?;
    let host = host(applier, seat, found)?;
    let term = std::env::var("TERM").ok();
    let term = term.map(|term| format!("TERM={term}"));
    let command = Command {
        service: service.name.as_str(),
        directory: service.seatbox.workspace.as_deref(),
        // What the terminal can do is known on this side only.
        variables: term.as_slice(),
        argv,
    };
    let guest = Guest {
        ssh: &applier.stacks().ssh(),
        host: &host,
    };
    guest
        .exec(&command, terminal::is_one())
        .await
        .map(i64::from)
}

/// Writes what services wrote to `out`, each line with its seat and service before it.
///
/// # Errors
/// None of the seats was made with this machine's event key. Instances that are not reached are in the
/// answer.
pub async fn logs(
    applier: &Applier,
    observed: &Observed,
    wanted: &Logs,
    out: &mut (impl Write + Send),
) -> Result<Logged, Failure> {
    let environment = applier.environment();
    let services: Vec<&ServiceName> = match &wanted.service {
        Some(service) => vec![service],
        None => environment.stack.services.keys().collect(),
    };
    let way = |seat: &SeatNumber| {
        let found = of_seat(observed.of(&environment.name), &environment.name, *seat)?;
        Some((*seat, host(applier, *seat, found)))
    };
    let ways: Vec<_> = wanted.seats.iter().filter_map(way).collect();
    // Said once, where it is so of every seat.
    let denied = |failure: &Failure| failure.class == FailureClass::Denied;
    if let Some((_, Err(failure))) = ways.first()
        && ways
            .iter()
            .all(|(_, host)| host.as_ref().is_err_and(denied))
    {
        return Err(failure.clone());
    }
    let mut names: Vec<(SeatNumber, ServiceName)> = Vec::new();
    let mut sources = Vec::new();
    for (seat, host) in ways {
        let own = services.iter().zip(names.len()..);
        let places = own.map(|(service, place)| (service.as_str().into(), place));
        sources.push(Source {
            seat,
            host,
            places: places.collect(),
        });
        names.extend(services.iter().map(|service| (seat, (*service).clone())));
    }
    let ssh = applier.stacks().ssh();
    let options = options(wanted);
    let services: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
    let read = |source: Source| source.read(&ssh, &options, &services);
    let pieces: BoxStream<'_, Piece> = if wanted.follow {
        stream::select_all(sources.into_iter().map(read)).boxed()
    } else {
        // Those that are asked already wait until it is their turn.
        let asked = stream::iter(sources).map(|source| std::future::ready(read(source)));
        asked.buffered(AHEAD).flatten().boxed()
    };
    Ok(write_pieces(&names, pieces, wanted, out).await)
}

/// One seat whose lines are wanted.
struct Source {
    seat: SeatNumber,
    host: Result<Host, Failure>,
    /// Each service's place among all sources.
    places: HashMap<Arc<str>, usize>,
}

impl Source {
    /// Asks for its lines.
    fn read(self, ssh: &Ssh, options: &[String], services: &[&str]) -> BoxStream<'static, Piece> {
        let Self { seat, host, places } = self;
        let failed = move |failure: Failure| Piece::Failed(format!("{seat}: {}", failure.message));
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let begun = host.and_then(|host| Guest { ssh, host: &host }.logs(&options, services));
        match begun {
            Err(failure) => stream::once(std::future::ready(failed(failure))).boxed(),
            Ok(reading) => {
                let mut last = places.values().copied().min().unwrap_or_default();
                let piece = move |line| match line {
                    Ok(line) => piece(&places, &mut last, line),
                    Err(failure) => failed(failure),
                };
                reading.lines().map(piece).boxed()
            }
        }
    }
}

/// A line as `seatbox-stack logs` writes it. What is too long for a line was cut: what comes after the
/// cut has no service before it, and is of the `last` one.
fn piece(places: &HashMap<Arc<str>, usize>, last: &mut usize, mut line: Vec<u8>) -> Piece {
    let known = line
        .iter()
        .position(|byte| *byte == b' ')
        .and_then(|blank| {
            let service = std::str::from_utf8(&line[..blank]).ok()?;
            Some((*places.get(service)?, blank + 1))
        });
    let (place, begin) = known.unwrap_or((*last, 0));
    *last = place;
    Piece::Line(place, line.split_off(begin))
}

fn options(wanted: &Logs) -> Vec<String> {
    let mut options = Vec::new();
    if wanted.follow {
        options.push("--follow".to_owned());
    }
    if wanted.timestamps {
        options.push("--timestamps".to_owned());
    }
    if let Some(tail) = wanted.tail {
        options.extend(["--tail".to_owned(), tail.to_string()]);
    }
    if let Some(since) = wanted.since {
        options.extend(["--since".to_owned(), since.to_string()]);
    }
    options
}

/// A seat's instance: that with its stack, where it should have several.
fn of_seat<'a>(
    things: impl Iterator<Item = &'a Thing>,
    environment: &EnvironmentName,
    seat: SeatNumber,
) -> Option<(&'a Thing, &'a Instance)> {
    things
        .filter(|thing| thing.ownership.environment == *environment)
        .filter(|thing| thing.ownership.owner.seat() == Some(seat))
        .filter_map(|thing| Some((thing, thing.instance()?)))
        .filter(|(_, instance)| !instance.state.is_over())
        .max_by_key(|(_, instance)| {
            (
                instance.state == InstanceState::Running,
                instance.has_stack(),
            )
        })
}

/// The way to a seat's instance.
///
/// # Errors
/// It does not run, or was made with another event key, from which the key that lets us in derives.
fn host(
    applier: &Applier,
    seat: SeatNumber,
    (thing, instance): (&Thing, &Instance),
) -> Result<Host, Failure> {
    let stacks = applier.stacks();
    if let Some(made) = thing.ownership.key.as_deref()
        && made != stacks.key.fingerprint()
    {
        let words = format!(
            "the seat was made with event key {made}, which is not on this machine: no other key is \
             let in"
        );
        let hint = "bring it here: `seatbox key export` where the seats were made, `seatbox key \
                    import` here";
        return Err(Failure::new(FailureClass::Denied, CALL, words).with_hint(hint));
    }
    let (words, hint) = match (instance.state, instance.address) {
        (InstanceState::Running, Some(address)) => {
            return Ok(stacks.host_at(&thing.id, address, seat));
        }
        (InstanceState::Pending, _) => (
            "still starts",
            format!("wait: `seatbox status --seats {} --watch`", seat.get()),
        ),
        (InstanceState::Stopped, _) => (
            "is stopped",
            format!(
                "`seatbox up --seats {}` puts another in its place; `aws ec2 start-instances \
                 --instance-ids {}` keeps its files",
                seat.get(),
                thing.id
            ),
        ),
        _ => (
            "has no address on the internet",
            format!(
                "`seatbox reset --workspace --seats {}` puts another in its place",
                seat.get()
            ),
        ),
    };
    let words = format!("{} {words}", thing.id);
    Err(Failure::new(FailureClass::Conflict, CALL, words).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_belongs_to_the_service_before_it() {
        let places: HashMap<Arc<str>, usize> = [("go".into(), 3), ("redis".into(), 4)].into();
        let mut last = 3;
        let mut line = |text: &[u8]| piece(&places, &mut last, text.to_vec());
        assert_eq!(line(b"redis a b "), Piece::Line(4, b"a b ".to_vec()));
        assert_eq!(line(b"the rest"), Piece::Line(4, b"the rest".to_vec()));
        assert_eq!(line(b"go "), Piece::Line(3, Vec::new()));
        assert_eq!(line(b"go \xff\xfe"), Piece::Line(3, b"\xff\xfe".to_vec()));
    }

    #[test]
    fn what_is_wanted_is_told_to_the_instance() {
        assert!(options(&Logs::default()).is_empty());
        let wanted = Logs {
            follow: true,
            timestamps: true,
            tail: Some(5),
            since: Some("2024-10-19T06:00:00Z".parse().unwrap()),
            ..Logs::default()
        };
        assert_eq!(
            options(&wanted).join(" "),
            "--follow --timestamps --tail 5 --since 2024-10-19T06:00:00Z"
        );
    }
}
