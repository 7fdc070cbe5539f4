//! Telling reporters of work that is no plan: a few steps, each with its bytes.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::error::{Error, Result};
use crate::engine::event::millis;
use crate::engine::{ActionLabel, Event, Events, Phase};

/// How often a step says how far it is.
const OFTEN: Duration = Duration::from_millis(100);

/// The steps of one piece of work on a bundle.
pub struct Steps {
    events: Events,
    cancel: CancellationToken,
    phase: Phase,
    name: String,
    begun: Instant,
    next: usize,
}

impl Steps {
    /// Begins work of so many steps on the bundle of that name.
    pub fn begin(
        events: &Events,
        cancel: &CancellationToken,
        phase: Phase,
        name: &str,
        count: usize,
    ) -> Self {
        events.send(Event::Started {
            phase,
            actions: count,
            seats: Vec::new(),
        });
        Self {
            events: events.clone(),
            cancel: cancel.clone(),
            phase,
            name: name.to_owned(),
            begun: Instant::now(),
            next: 0,
        }
    }

    /// Begins the next step.
    pub fn step(&mut self, verb: &str, cause: &str, total: u64) -> Step {
        let label = ActionLabel {
            id: self.next,
            seat: None,
            kind: "bundle".to_owned(),
            name: self.name.clone(),
            service: None,
            verb: verb.to_owned(),
            cause: cause.to_owned(),
        };
        self.next += 1;
        self.events.send(Event::ActionStarted {
            action: label.clone(),
        });
        Step {
            label,
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            begun: Instant::now(),
            told: None,
            done: 0,
            total,
        }
    }

    /// Tells a person something.
    pub fn notice(&self, message: impl Into<String>) {
        self.events.notice(message);
    }

    /// All is done, or given up.
    pub fn finish(self) {
        self.events.send(Event::Finished {
            phase: self.phase,
            took_ms: millis(self.begun.elapsed()),
            failed: 0,
            interrupted: self.cancel.is_cancelled(),
        });
    }
}

/// A step under way.
pub struct Step {
    label: ActionLabel,
    events: Events,
    cancel: CancellationToken,
    begun: Instant,
    told: Option<Instant>,
    done: u64,
    total: u64,
}

impl Step {
    /// So many bytes more are done.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] where nobody wants the rest any more.
    pub fn advance(&mut self, bytes: u64) -> Result {
        if self.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        self.done += bytes;
        if self.told.is_none_or(|told| told.elapsed() >= OFTEN) {
            self.told = Some(Instant::now());
            self.tell();
        }
        Ok(())
    }

    fn tell(&self) {
        self.events.send(Event::ActionProgress {
            action: self.label.clone(),
            message: self.label.verb.clone(),
            done: Some(self.done),
            total: Some(self.total.max(self.done)),
        });
    }

    /// The step is done.
    pub fn finish(self) {
        self.tell();
        self.events.send(Event::ActionFinished {
            action: self.label,
            took_ms: millis(self.begun.elapsed()),
        });
    }

    /// Ends the step where `result` is good. Where it is not, the error says so, and no event.
    pub fn end<T>(self, result: Result<T>) -> Result<T> {
        if result.is_ok() {
            self.finish();
        }
        result
    }
}
