//! Progress as plain lines, for pipes, logs and screens that can't move.

use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::Reporter;
use super::board::{Board, progress_words, subject};
use super::words;
use crate::engine::{Event, Phase};

/// How often the counts are told while work is under way.
const ALIVE: Duration = Duration::from_secs(10);

/// How often one action's bytes are told.
const BYTES: Duration = Duration::from_secs(5);

/// One line for each event that is worth it.
#[derive(Debug)]
pub struct Plain<W> {
    out: W,
    failures_only: bool,
    board: Board,
    alive: Option<Instant>,
    told: HashMap<usize, Instant>,
}

impl<W: Write + Send> Plain<W> {
    /// Writes to `out`. Nothing is done about it when that fails: whoever closed it does not want
    /// to know.
    pub fn new(out: W) -> Self {
        Self {
            out,
            failures_only: false,
            board: Board::default(),
            alive: None,
            told: HashMap::new(),
        }
    }

    /// Writes nothing but failures.
    pub fn failures_only(out: W) -> Self {
        Self {
            failures_only: true,
            ..Self::new(out)
        }
    }

    fn say(&mut self, line: &str) {
        if !self.failures_only {
            self.fail(line);
        }
    }

    fn fail(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }
}

impl<W: Write + Send> Reporter for Plain<W> {
    fn on(&mut self, event: &Event, now: Instant) {
        // The end's line needs the counts, which the board forgets at the end.
        let tally = self.board.tally_words();
        self.board.on(event, now);
        match event {
            Event::Started {
                phase,
                actions,
                seats,
            } if *actions > 0 => {
                self.alive = Some(now);
                self.told.clear();
                self.say(&match seats.len() {
                    0 => format!(
                        "{}: {}",
                        words::doing(*phase),
                        words::count(*actions, "action")
                    ),
                    seats => format!(
                        "{} {}: {}",
                        words::doing(*phase),
                        words::count(seats, "seat"),
                        words::count(*actions, "action")
                    ),
                });
            }
            Event::ActionStarted { action } if action.seat.is_none() => {
                self.say(&format!(
                    "{}: {} ({})",
                    subject(action),
                    action.verb,
                    action.cause
                ));
            }
            Event::ActionProgress {
                action,
                message,
                done,
                total,
            } if action.seat.is_none() => {
                let due = |last: &Instant| now.saturating_duration_since(*last) >= BYTES;
                if self.told.get(&action.id).is_none_or(due) {
                    self.told.insert(action.id, now);
                    let text = progress_words(message, *done, *total);
                    self.say(&format!("{}: {text}", subject(action)));
                }
            }
            Event::ActionRetried {
                action,
                failure,
                pause_ms,
            } => self.say(&format!(
                "{}: retrying {} in {}: {}",
                subject(action),
                failure.call,
                words::duration(Duration::from_millis(*pause_ms)),
                words::one_line(&failure.message)
            )),
            Event::ActionFinished { action, took_ms } if action.seat.is_none() => {
                let took = words::duration(Duration::from_millis(*took_ms));
                self.say(&format!("{}: done after {took}", subject(action)));
            }
            Event::ActionFailed { action, failure } if action.seat.is_none() => {
                self.fail(&format!(
                    "{} FAILED: {}",
                    subject(action),
                    words::failure(failure)
                ));
            }
            Event::SeatFinished { seat, after_ms } => {
                let state = self.board.phase().map_or("done", words::done);
                let after = words::duration(Duration::from_millis(*after_ms));
                self.say(&format!("{seat} {state} after {after}"));
            }
            Event::SeatFailed { seat, failure } if self.board.is_shared_failure(failure) => {
                self.fail(&format!("{seat} FAILED: it needs what failed above"));
            }
            Event::SeatFailed { seat, failure } => {
                self.fail(&format!("{seat} FAILED: {}", words::failure(failure)));
            }
            Event::SeatDeferred { seat, failure } => self.say(&format!(
                "{seat} is looked at again: {}: {}",
                failure.call,
                words::one_line(&failure.message)
            )),
            Event::Notice { message } => self.say(&format!("note: {}", words::one_line(message))),
            Event::Finished {
                took_ms,
                interrupted,
                phase,
                ..
            } if self.alive.take().is_some() => {
                let end = match (interrupted, phase) {
                    (true, _) => "interrupted",
                    (false, Phase::Images) => "images done",
                    (false, _) => "finished",
                };
                let took = words::duration(Duration::from_millis(*took_ms));
                self.say(&format!("{end} after {took}: {tally}"));
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(last) = self.alive
            && now.saturating_duration_since(last) >= ALIVE
        {
            self.alive = Some(now);
            let mut line = format!(
                "{}: {} after {}",
                self.board.phase().map_or("working", words::doing),
                self.board.tally_words(),
                words::duration(self.board.elapsed(now))
            );
            if let Some(remaining) = self.board.remaining(now) {
                line.push_str(&format!(", about {} left", words::duration(remaining)));
            }
            self.say(&line);
        }
    }
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
