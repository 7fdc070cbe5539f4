//! Lines that services write from now on, of many streams at a time.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep};

use super::MOST_DESCRIBED;
use super::logs::{Event, Place, Source, milliseconds};
use super::observe::describe;
use super::translate::LOG_PREFIX;
use crate::engine::{Failure, FailureClass};
use crate::provider::Logs;
use crate::provider::aws::limits::Action;
use crate::provider::lines::Line;

/// How many streams one call asks for (Amazon CloudWatch Logs API reference, "FilterLogEvents").
const MOST_STREAMS: usize = 100;

/// The pause between two questions for lines. The driver sends what it has every five seconds.
const PAUSE: Duration = Duration::from_secs(2);

/// The pause between two looks at tasks, and at streams that are not there yet.
const LOOK: Duration = Duration::from_secs(6);

/// How much later than its moment an event may arrive and is still told, in milliseconds: one stream's
/// do before another's.
const LATE: i64 = 60_000;

/// Asks for the lines of sources until their tasks are over.
pub struct Follower<'a> {
    place: &'a Place<'a>,
    wanted: &'a Logs,
    /// Who writes the lines of a stream.
    senders: HashMap<&'a str, Sender<Line>>,
    tasks: Vec<String>,
    /// The streams that are not known to be missing.
    there: BTreeSet<&'a str>,
    told: Told,
}

/// An event and its stream.
type Found = (Arc<str>, Event);

/// What was told already.
#[derive(Debug, Default)]
struct Told {
    /// From when on events are asked for, in milliseconds since 1970.
    since: i64,
    /// The events from then on, by their ids.
    events: HashMap<String, i64>,
    newest: i64,
}

impl Told {
    /// Whether it is news.
    fn note(&mut self, id: String, timestamp: i64) -> bool {
        self.newest = self.newest.max(timestamp);
        self.events.insert(id, timestamp).is_none()
    }

    /// Forgets what will not be asked for any more.
    fn go_on(&mut self) {
        self.since = self.since.max(self.newest - LATE);
        let since = self.since;
        self.events.retain(|_, timestamp| *timestamp >= since);
    }
}

impl<'a> Follower<'a> {
    /// For sources with a sender each.
    pub fn new(
        place: &'a Place<'a>,
        sources: &'a [Source],
        senders: Vec<Sender<Line>>,
        wanted: &'a Logs,
    ) -> Self {
        let streams = || sources.iter().map(|source| source.stream.as_str());
        let tasks: BTreeSet<String> = sources
            .iter()
            .map(|source| source.task.to_string())
            .collect();
        let mut told = Told {
            since: wanted.since.map_or(0, milliseconds),
            ..Told::default()
        };
        if wanted.tail == Some(0) {
            // Nothing of what is there, so there is no need to read it.
            let now = milliseconds(place.session.clocks.engine);
            told.since = told.since.max(now - LATE);
        }
        Self {
            place,
            wanted,
            senders: streams().zip(senders).collect(),
            tasks: tasks.into_iter().collect(),
            there: streams().collect(),
            told,
        }
    }

    /// Tells the lines that are there and those to come, until all tasks are over. Then the streams of
    /// lines end.
    ///
    /// # Errors
    /// What AWS says.
    pub async fn run(mut self) -> Result<(), Failure> {
        let found = self.find().await?;
        self.tell(self.last(found)).await;
        let mut looked = Instant::now();
        loop {
            let mut is_over = false;
            if looked.elapsed() >= LOOK {
                is_over = self.is_over().await?;
                self.there = self.senders.keys().copied().collect();
                looked = Instant::now();
            }
            sleep(PAUSE).await;
            let found = self.find().await?;
            self.tell(found).await;
            if is_over {
                return Ok(());
            }
        }
    }

    /// Of what is there, the last events of each stream that are wanted.
    fn last(&self, found: Vec<Found>) -> Vec<Found> {
        let Some(tail) = self.wanted.tail else {
            return found;
        };
        let mut last: HashMap<Arc<str>, VecDeque<usize>> = HashMap::new();
        for (index, (stream, _)) in found.iter().enumerate() {
            let kept = last.entry(Arc::clone(stream)).or_default();
            kept.push_back(index);
            if kept.len() as u64 > tail {
                kept.pop_front();
            }
        }
        let kept: BTreeSet<usize> = last.into_values().flatten().collect();
        let found = found.into_iter().enumerate();
        found
            .filter(|(index, _)| kept.contains(index))
            .map(|(_, one)| one)
            .collect()
    }

    async fn tell(&self, found: Vec<Found>) {
        for (stream, event) in found {
            let Some(sender) = self.senders.get(&*stream) else {
                continue;
            };
            for line in event.lines(self.wanted.timestamps) {
                // Whoever wrote the lines may have gone: then this is dropped, too.
                let _ = sender.send(Ok(line)).await;
            }
        }
    }

    /// All events that were not told yet.
    async fn find(&mut self) -> Result<Vec<Found>, Failure> {
        let found = match self.find_among_those_there().await {
            // One of the streams is not there yet, and AWS does not say which.
            Err(failure) if failure.class == FailureClass::NotFound => {
                self.there = self.existing().await?;
                match self.find_among_those_there().await {
                    Err(failure) if failure.class == FailureClass::NotFound => Vec::new(),
                    found => found?,
                }
            }
            found => found?,
        };
        let told = &mut self.told;
        let news = found
            .into_iter()
            .filter_map(|(id, found)| told.note(id, found.1.timestamp).then_some(found))
            .collect();
        told.go_on();
        Ok(news)
    }

    async fn find_among_those_there(&self) -> Result<Vec<(String, Found)>, Failure> {
        let names: Vec<String> = self.there.iter().map(|&name| name.to_owned()).collect();
        let mut all = Vec::new();
        for names in names.chunks(MOST_STREAMS) {
            let request = |token| {
                let request = self.place.session.logs.filter_log_events();
                request
                    .log_group_name(&self.place.group)
                    .set_log_stream_names(Some(names.to_vec()))
                    .start_time(self.told.since)
                    .set_next_token(token)
                    .send()
            };
            let action = Action::logs("FilterLogEvents");
            let events = self.place.session.pages(action, request, |page| {
                (page.events.unwrap_or_default(), page.next_token)
            });
            all.extend(events.await?.into_iter().filter_map(|event| {
                let found = Event {
                    timestamp: event.timestamp.unwrap_or_default(),
                    message: event.message.unwrap_or_default(),
                };
                Some((event.event_id?, (event.log_stream_name?.into(), found)))
            }));
        }
        Ok(all)
    }

    /// Those of the streams that there are.
    async fn existing(&self) -> Result<BTreeSet<&'a str>, Failure> {
        let request = |token| {
            let request = self.place.session.logs.describe_log_streams();
            request
                .log_group_name(&self.place.group)
                .log_stream_name_prefix(format!("{LOG_PREFIX}/"))
                .set_next_token(token)
                .send()
        };
        let action = Action::logs("DescribeLogStreams");
        let streams = self.place.session.pages(action, request, |page| {
            (page.log_streams.unwrap_or_default(), page.next_token)
        });
        let streams = match streams.await {
            Err(failure) if failure.class == FailureClass::NotFound => return Ok(BTreeSet::new()),
            streams => streams?,
        };
        let names: BTreeSet<String> = streams
            .into_iter()
            .filter_map(|stream| stream.log_stream_name)
            .collect();
        let ours = self.senders.keys().copied();
        Ok(ours.filter(|name| names.contains(*name)).collect())
    }

    /// Whether none of the tasks will write any more.
    async fn is_over(&self) -> Result<bool, Failure> {
        let session = self.place.session;
        for arns in self.tasks.chunks(MOST_DESCRIBED) {
            let found = describe(session, &self.place.cluster, arns).await;
            let found = match found {
                // The cluster has gone.
                Err(failure) if failure.class == FailureClass::NotFound => continue,
                found => found?,
            };
            if found
                .iter()
                .any(|task| task.last_status() != Some("STOPPED"))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_once_though_it_is_asked_for_again() {
        let mut told = Told::default();
        let now = 1_729_317_600_000;
        assert!(told.note("a".to_owned(), now));
        told.go_on();
        assert_eq!(told.since, now - LATE);
        assert!(!told.note("a".to_owned(), now));
        // Written before, and sent later.
        assert!(told.note("b".to_owned(), now - LATE / 2));
        assert!(told.note("c".to_owned(), now + LATE));
        told.go_on();
        assert_eq!(told.since, now);
        assert_eq!(told.events.len(), 2, "{:?}", told.events);
    }
}
