//! How far things are, added up from the events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::engine::{ActionLabel, Event, Failure, Phase};
use crate::model::SeatNumber;

use super::words;

/// Before this much time has passed, how long it still takes is a guess and not said.
const ETA_AFTER: Duration = Duration::from_secs(3);

/// Before one in so many actions is done, how long it still takes is a guess and not said.
const ETA_SHARE: usize = 10;

/// How far the current plan is.
#[derive(Debug, Default)]
pub struct Board {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    phase: Phase,
    begun: Instant,
    actions: usize,
    done: usize,
    seats: BTreeMap<SeatNumber, Seat>,
    shared: BTreeMap<usize, String>,
    shared_failures: Vec<Failure>,
}

#[derive(Debug, Default)]
struct Seat {
    actions: usize,
    done: usize,
    stage: Stage,
    /// What is under way, by the action's place in the plan.
    active: BTreeMap<usize, String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Waiting,
    Active,
    Finished,
    Failed,
}

/// Seats, or where there are none actions, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub total: usize,
    /// Those that are done.
    pub done: usize,
    /// Those that failed.
    pub failed: usize,
}

impl Board {
    /// Takes account of what happened at `now`.
    pub fn on(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started {
                phase,
                actions,
                seats,
            } => {
                let seat = |&(seat, actions): &(SeatNumber, usize)| {
                    let entry = Seat {
                        actions,
                        ..Seat::default()
                    };
                    (seat, entry)
                };
                self.current = Some(Current {
                    phase: *phase,
                    begun: now,
                    actions: *actions,
                    done: 0,
                    seats: seats.iter().map(seat).collect(),
                    shared: BTreeMap::new(),
                    shared_failures: Vec::new(),
                });
            }
            Event::Finished { .. } => self.current = None,
            _ => {
                if let Some(current) = &mut self.current {
                    current.on(event);
                }
            }
        }
    }

    /// The phase under way, where one is.
    pub fn phase(&self) -> Option<Phase> {
        self.current.as_ref().map(|current| current.phase)
    }

    /// How long the phase has been under way.
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.current
            .as_ref()
            .map(|current| now.saturating_duration_since(current.begun))
            .unwrap_or_default()
    }

    /// How many of the phase's actions are done, and how many there are.
    pub fn actions(&self) -> (usize, usize) {
        self.current
            .as_ref()
            .map(|current| (current.done, current.actions))
            .unwrap_or_default()
    }

    /// Seats in numbers; where the phase has none, its actions.
    pub fn tally(&self) -> Tally {
        let Some(current) = &self.current else {
            return Tally {
                total: 0,
                done: 0,
                failed: 0,
            };
        };
        if current.seats.is_empty() {
            return Tally {
                total: current.actions,
                done: current.done,
                failed: current.shared_failures.len(),
            };
        }
        let count = |stage| {
            current
                .seats
                .values()
                .filter(|seat| seat.stage == stage)
                .count()
        };
        Tally {
            total: current.seats.len(),
            done: count(Stage::Finished),
            failed: count(Stage::Failed),
        }
    }

    /// The tally in words: `12 of 23 seats ready, 1 failed`.
    pub fn tally_words(&self) -> String {
        let Some(current) = &self.current else {
            return String::new();
        };
        let tally = self.tally();
        let things = if current.seats.is_empty() {
            ""
        } else {
            "seats "
        };
        let done = words::done(current.phase);
        let mut text = format!("{} of {} {things}{done}", tally.done, tally.total);
        if tally.failed > 0 {
            text.push_str(&format!(", {} failed", tally.failed));
        }
        text
    }

    /// How much longer it takes if it goes on as it went, once that means something.
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        let (done, actions) = self.actions();
        let elapsed = self.elapsed(now);
        if elapsed < ETA_AFTER || done == 0 || done * ETA_SHARE < actions || done >= actions {
            return None;
        }
        Some(elapsed.mul_f64((actions - done) as f64 / done as f64))
    }

    /// Whether that failure is one of what the seats share, so that it has been told of already.
    pub fn is_shared_failure(&self, failure: &Failure) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.shared_failures.contains(failure))
    }

    /// What is under way of what the seats share, then each seat that is begun, by its number: at
    /// most `limit` lines, the last of which says how many more there are. Where there are more,
    /// seats that only wait for others give way.
    pub fn lines(&self, limit: usize) -> Vec<String> {
        let Some(current) = &self.current else {
            return Vec::new();
        };
        let mut seats: Vec<(&SeatNumber, &Seat)> = current
            .seats
            .iter()
            .filter(|(_, seat)| seat.stage == Stage::Active)
            .collect();
        let all = current.shared.len() + seats.len();
        let shown = if all > limit {
            limit.saturating_sub(1)
        } else {
            all
        };
        seats.sort_by_key(|(_, seat)| seat.active.is_empty());
        seats.truncate(shown.saturating_sub(current.shared.len()));
        seats.sort_by_key(|(number, _)| **number);
        let seats = seats.into_iter().map(|(number, seat)| seat.line(*number));
        let mut lines: Vec<String> = current.shared.values().cloned().collect();
        lines.truncate(shown);
        lines.extend(seats);
        if all > shown && limit > 0 {
            lines.push(format!("… and {} more", all - shown));
        }
        lines
    }
}

impl Current {
    fn on(&mut self, event: &Event) {
        match event {
            Event::ActionStarted { action } => self.say(action, &action_words(action)),
            Event::ActionProgress {
                action,
                message,
                done,
                total,
            } => {
                self.say(action, &progress_words(message, *done, *total));
            }
            Event::ActionRetried {
                action,
                failure,
                pause_ms,
            } => {
                let pause = words::duration(Duration::from_millis(*pause_ms));
                let text = format!("retrying {} in {pause}", failure.call);
                self.say(action, &text);
            }
            Event::ActionFinished { action, .. } => {
                self.done += 1;
                self.end(action);
                if let Some(seat) = action.seat {
                    self.seats.entry(seat).or_default().done += 1;
                }
            }
            Event::ActionFailed { action, failure } => {
                self.end(action);
                if action.seat.is_none() {
                    self.shared_failures.push(failure.clone());
                }
            }
            Event::SeatFinished { seat, .. } => {
                self.seats.entry(*seat).or_default().stage = Stage::Finished;
            }
            Event::SeatFailed { seat, .. } => {
                self.seats.entry(*seat).or_default().stage = Stage::Failed;
            }
            Event::SeatDeferred { seat, .. } => {
                self.seats.entry(*seat).or_default().stage = Stage::Waiting;
            }
            Event::Started { .. } | Event::Finished { .. } | Event::Notice { .. } => {}
        }
    }

    fn say(&mut self, action: &ActionLabel, text: &str) {
        match action.seat {
            None => {
                let text = format!("{}  {text}", subject(action));
                self.shared.insert(action.id, text);
            }
            Some(seat) => {
                let seat = self.seats.entry(seat).or_default();
                if seat.stage == Stage::Waiting {
                    seat.stage = Stage::Active;
                }
                let text = match &action.service {
                    Some(service) => format!("{service}: {text}"),
                    None => text.to_owned(),
                };
                seat.active.insert(action.id, text);
            }
        }
    }

    fn end(&mut self, action: &ActionLabel) {
        match action.seat {
            None => self.shared.remove(&action.id),
            Some(seat) => self
                .seats
                .entry(seat)
                .or_default()
                .active
                .remove(&action.id),
        };
    }
}

impl Seat {
    fn line(&self, number: SeatNumber) -> String {
        let mut at_work: Vec<&str> = self.active.values().map(String::as_str).collect();
        at_work.dedup();
        let words = if at_work.is_empty() {
            "waiting".to_owned()
        } else {
            at_work.join(", ")
        };
        let bar = bar(self.done, self.actions, 10);
        format!(
            "{number}  {bar} {:>2}/{:<2}  {words}",
            self.done, self.actions
        )
    }
}

/// What an action is about, in the words of a line's begin: `07 redis`, `07 network seatbox-…`,
/// `image redis:7`.
pub fn subject(action: &ActionLabel) -> String {
    match (action.seat, &action.service) {
        (Some(seat), Some(service)) => format!("{seat} {service}"),
        (Some(seat), None) => format!("{seat} {} {}", action.kind, action.name),
        (None, _) => format!("{} {}", action.kind, action.name),
    }
}

fn action_words(action: &ActionLabel) -> String {
    match action.seat {
        Some(_) => format!("{} {}", action.verb, action.kind),
        None => action.verb.clone(),
    }
}

/// What an action says of itself, with the bytes where they are known.
pub fn progress_words(message: &str, done: Option<u64>, total: Option<u64>) -> String {
    let message = words::one_line(message);
    match (done, total) {
        (Some(done), Some(total)) if total > 0 => {
            format!(
                "{message}, {} of {}",
                words::bytes(done),
                words::bytes(total)
            )
        }
        (Some(done), _) => format!("{message}, {}", words::bytes(done)),
        _ => message,
    }
}

/// A bar of `width` characters.
pub fn bar(done: usize, total: usize, width: usize) -> String {
    let full = (done * width).checked_div(total).unwrap_or(0).min(width);
    format!("{}{}", "━".repeat(full), "─".repeat(width - full))
}
