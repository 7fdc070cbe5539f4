//! What services in tasks write, as CloudWatch Logs keeps it: one stream for each container of a task.
//!
//! What is there is read stream by stream (GetLogEvents), for that goes backwards from the end as well,
//! and gives each service's lines together. Lines to come are asked for of up to a hundred streams at
//! once ([`follow`](super::follow)): a call for each of them would be seven seconds of the account's
//! quota for 23 seats with three services, again and again.

use std::io::Write;
use std::sync::Arc;

use aws_sdk_ecs::types::DesiredStatus;
use aws_smithy_types::date_time::DateTime;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::follow::Follower;
use super::observe::{described_as, own_tags};
use super::translate::LOG_PREFIX;
use crate::engine::{Failure, FailureClass};
use crate::model::{Environment, SeatNumber, ServiceName};
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Observed, Thing};
use crate::provider::aws::scheme::AwsKind;
use crate::provider::aws::{Session, names, tags};
use crate::provider::lines::{self, Line};
use crate::provider::{Logged, Logs};

/// The most events that one call gives (Amazon CloudWatch Logs API reference, "GetLogEvents").
const MOST_EVENTS: u64 = 10_000;

/// How many lines of one service wait at most to be written.
const QUEUE: usize = 256;

/// A container whose lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its seat.
    pub seat: SeatNumber,
    /// Its service.
    pub service: ServiceName,
    /// Its task, by its ARN.
    pub task: Arc<str>,
    /// Its stream.
    pub stream: String,
}

/// Where the lines of an environment are.
pub struct Place<'a> {
    /// The account and its region.
    pub session: &'a Session,
    /// The environment's cluster.
    pub cluster: String,
    /// The environment's log group.
    pub group: String,
}

/// Writes what services wrote to `out`, each line with its seat and service before it. The container
/// that ends a task is no service.
///
/// # Errors
/// None of it could be read.
pub async fn write(
    session: &Session,
    environment: &Environment,
    observed: &Observed,
    wanted: &Logs,
    out: &mut (impl Write + Send),
) -> Result<Logged, Failure> {
    let place = Place {
        session,
        cluster: names::shared(&environment.name),
        group: names::log_group(&environment.name),
    };
    let sources = place.sources(environment, observed, wanted).await?;
    let named = |source: &Source| (source.seat, source.service.clone());
    if !wanted.follow {
        let sources = sources
            .iter()
            .map(|source| (named(source), place.lines(&source.stream, wanted)));
        return Ok(lines::write(sources.collect(), wanted, out).await);
    }
    let (senders, receivers): (Vec<_>, Vec<_>) =
        sources.iter().map(|_| mpsc::channel(QUEUE)).unzip();
    let streams = sources
        .iter()
        .map(named)
        .zip(receivers.into_iter().map(received));
    let written = lines::write(streams.collect(), wanted, out);
    let follower = Follower::new(&place, &sources, senders, wanted);
    tokio::select! {
        logged = written => Ok(logged),
        // Where it comes to its end without a failure, the lines do, too.
        failure = async {
            match follower.run().await {
                Ok(()) => std::future::pending().await,
                Err(failure) => failure,
            }
        } => Err(failure),
    }
}

fn received(receiver: mpsc::Receiver<Line>) -> impl Stream<Item = Line> + Send {
    stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((line, receiver))
    })
}

impl Place<'_> {
    /// The containers whose lines are wanted, by seat and service: of each seat's task, or of its last
    /// one where that is over. ECS remembers it for an hour.
    async fn sources(
        &self,
        environment: &Environment,
        observed: &Observed,
        wanted: &Logs,
    ) -> Result<Vec<Source>, Failure> {
        let is_group = |thing: &Thing| thing.kind == AwsKind::LogGroup;
        if !observed.of(&environment.name).any(is_group) {
            // All lines went with it.
            return Ok(Vec::new());
        }
        let mut tasks: Vec<(SeatNumber, Arc<str>)> = observed
            .of(&environment.name)
            .filter(|thing| thing.task().is_some())
            .filter_map(|thing| Some((thing.ownership.owner.seat()?, Arc::clone(&thing.id))))
            .collect();
        let missing: Vec<SeatNumber> = wanted
            .seats
            .iter()
            .filter(|seat| !tasks.iter().any(|(known, _)| known == *seat))
            .copied()
            .collect();
        if !missing.is_empty() {
            tasks.extend(self.last_tasks(environment, &missing).await?);
        }
        tasks.retain(|(seat, _)| wanted.seats.contains(seat));
        tasks.sort();
        let services = || {
            let all = environment.stack.services.keys();
            all.filter(|name| wanted.service.as_ref().is_none_or(|only| only == *name))
        };
        let of = |(seat, task): &(SeatNumber, Arc<str>)| {
            let (seat, task) = (*seat, Arc::clone(task));
            services().map(move |service| Source {
                seat,
                service: service.clone(),
                stream: stream_of(service, &task),
                task: Arc::clone(&task),
            })
        };
        let mut sources: Vec<Source> = tasks.iter().flat_map(of).collect();
        sources.sort_by(|a, b| (a.seat, &a.service).cmp(&(b.seat, &b.service)));
        Ok(sources)
    }

    /// The last task of each of these seats that is over.
    async fn last_tasks(
        &self,
        environment: &Environment,
        seats: &[SeatNumber],
    ) -> Result<Vec<(SeatNumber, Arc<str>)>, Failure> {
        let stopped = DesiredStatus::Stopped;
        let over = described_as(self.session, &self.cluster, Some(stopped)).await?;
        let mut own: Vec<(SeatNumber, Option<DateTime>, Arc<str>)> = over
            .into_iter()
            .filter_map(|task| {
                let ownership = tags::read(&own_tags(task.tags), None)?;
                let seat = ownership.owner.seat()?;
                let is_own = ownership.environment == environment.name && seats.contains(&seat);
                is_own.then_some((seat, task.created_at, task.task_arn?.into()))
            })
            .collect();
        own.sort_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        own.dedup_by_key(|(seat, ..)| *seat);
        Ok(own.into_iter().map(|(seat, _, arn)| (seat, arn)).collect())
    }

    /// The lines that a stream has.
    fn lines<'a>(
        &'a self,
        stream: &'a str,
        wanted: &'a Logs,
    ) -> impl Stream<Item = Line> + Send + 'a {
        // Asked for when it is the source's turn.
        let pages = match wanted.tail {
            Some(count) => stream::once(self.last_lines(stream, count, wanted)).left_stream(),
            None => self.all_lines(stream, wanted).right_stream(),
        };
        pages
            .map_ok(|lines| stream::iter(lines.into_iter().map(Ok)))
            .try_flatten()
            .map_err(|failure: Failure| failure.message)
    }

    fn all_lines<'a>(
        &'a self,
        stream: &'a str,
        wanted: &'a Logs,
    ) -> impl Stream<Item = Result<Vec<Vec<u8>>, Failure>> + Send + 'a {
        // `None` once the end was reached: a token that comes back as it was given says that.
        stream::try_unfold(
            Some(None),
            move |token: Option<Option<String>>| async move {
                let Some(token) = token else {
                    return Ok(None);
                };
                let page = self.page(stream, wanted.since, token.clone(), None);
                let Some(page) = page.await? else {
                    return Ok(None);
                };
                let next = page.forward.filter(|next| Some(next) != token.as_ref());
                let lines = page.events.into_iter();
                let lines = lines.flat_map(|event| event.lines(wanted.timestamps));
                Ok(Some((lines.collect(), next.map(Some))))
            },
        )
    }

    /// The last `count` events of a stream, in their order. A page may have fewer than were asked for.
    async fn last_lines(
        &self,
        stream: &str,
        count: u64,
        wanted: &Logs,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let mut pages: Vec<Vec<Event>> = Vec::new();
        let mut missing = count;
        let mut token = None;
        while missing > 0 {
            let most = missing.min(MOST_EVENTS);
            let page = self.page(stream, wanted.since, token.clone(), Some(most));
            let Some(page) = page.await? else {
                break;
            };
            missing = missing.saturating_sub(page.events.len() as u64);
            pages.push(page.events);
            if page.backward.is_none() || page.backward == token {
                break;
            }
            token = page.backward;
        }
        let events = pages.into_iter().rev().flatten();
        Ok(events
            .flat_map(|event| event.lines(wanted.timestamps))
            .collect())
    }

    /// A page of a stream: forwards from the beginning, or with `last` backwards from the end. None where
    /// there is no such stream, since its container has not begun.
    async fn page(
        &self,
        stream: &str,
        since: Option<Timestamp>,
        token: Option<String>,
        last: Option<u64>,
    ) -> Result<Option<Page>, Failure> {
        let request = self
            .session
            .logs
            .get_log_events()
            .log_group_name(&self.group)
            .log_stream_name(stream)
            .set_start_time(since.map(milliseconds))
            .set_next_token(token)
            .set_limit(last.and_then(|count| i32::try_from(count).ok()))
            .start_from_head(last.is_none());
        let action = Action::logs("GetLogEvents");
        match self.session.call(action, || request.clone().send()).await {
            Ok(answer) => Ok(Some(Page {
                events: answer
                    .events
                    .unwrap_or_default()
                    .into_iter()
                    .map(|event| Event {
                        timestamp: event.timestamp.unwrap_or_default(),
                        message: event.message.unwrap_or_default(),
                    })
                    .collect(),
                forward: answer.next_forward_token,
                backward: answer.next_backward_token,
            })),
            Err(failure) if failure.class == FailureClass::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// A part of a stream.
struct Page {
    events: Vec<Event>,
    forward: Option<String>,
    backward: Option<String>,
}

/// What was written at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub timestamp: i64,
    /// A line, as a rule.
    pub message: String,
}

impl Event {
    /// Its lines, with the moment before each where `timestamps` are wanted.
    pub fn lines(self, timestamps: bool) -> Vec<Vec<u8>> {
        let moment = Timestamp::from_millisecond(self.timestamp).ok();
        let prefix = moment
            .filter(|_| timestamps)
            .map(|moment| format!("{moment:.3} "));
        let message = self.message.strip_suffix('\n').unwrap_or(&self.message);
        let line = |line: &str| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            format!("{}{line}", prefix.as_deref().unwrap_or_default()).into_bytes()
        };
        message.split('\n').map(line).collect()
    }
}

/// A moment as CloudWatch Logs has it.
pub fn milliseconds(moment: Timestamp) -> i64 {
    moment.as_millisecond().max(0)
}

/// The stream of a service's container: the driver makes its name of the prefix, the container's name and
/// the task's id (Amazon ECS developer guide, "Send Amazon ECS logs to CloudWatch",
/// `awslogs-stream-prefix`).
fn stream_of(service: &ServiceName, task: &str) -> String {
    let id = task.rsplit('/').next().unwrap_or(task);
    format!("{LOG_PREFIX}/{service}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(message: &str, timestamps: bool) -> Vec<String> {
        let event = Event {
            timestamp: 1_729_317_600_050,
            message: message.to_owned(),
        };
        let lines = event.lines(timestamps).into_iter();
        lines.map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_a_line_or_several() {
        assert_eq!(lines("广州 ready", false), ["广州 ready"]);
        assert_eq!(lines("one\r\n\ntwo\n", false), ["one", "", "two"]);
        assert_eq!(
            lines("one\ntwo", true),
            [
                "2024-10-19T06:00:00.050Z one",
                "2024-10-19T06:00:00.050Z two"
            ]
        );
    }

    #[test]
    fn a_stream_has_the_name_that_the_driver_gives_it() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task/seatbox-lab/0a1b";
        let service = "redis".parse().unwrap();
        assert_eq!(stream_of(&service, arn), "seat/redis/0a1b");
    }
}
