//! Showing progress while a plan is carried out.

use tokio::task::JoinHandle;

use super::args::{Global, LogFormat};
use crate::engine::Events;
use crate::report::{Format, Style, Surroundings, spawn};

/// A reporter at work.
pub struct Shown {
    /// Where it hears of what happens.
    pub events: Events,
    reporter: JoinHandle<()>,
}

impl Shown {
    /// Starts the reporter that the options ask for.
    pub fn start(global: &Global) -> Self {
        let json = global.log_format == LogFormat::Json;
        let mut format = Format::choose(json, global.quiet, Surroundings::of_process());
        if global.log_format == LogFormat::Plain && format.style == Style::Bars {
            format.style = Style::Plain;
        }
        let (events, receiver) = Events::channel();
        Self {
            reporter: spawn(receiver, format),
            events,
        }
    }

    /// Waits until everything that happened is shown, so that results come after it.
    pub async fn finish(self) {
        drop(self.events);
        // A reporter that broke must not take the result with it.
        let _ = self.reporter.await;
    }
}
