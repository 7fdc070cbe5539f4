//! Rendering events as they come.

use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::json::JsonLines;
use super::plain::Plain;
use super::terminal::Terminal;
use super::{Format, Style};
use crate::engine::Event;

/// How often a reporter may look at the clock: often enough for a spinner to turn.
const TICK: Duration = Duration::from_millis(200);

/// Renders events.
pub trait Reporter: Send {
    /// Renders what happened at `now`.
    fn on(&mut self, event: &Event, now: Instant);

    /// Time passes.
    fn tick(&mut self, _now: Instant) {}
}

/// The reporter of that form, writing to standard error.
pub fn reporter(format: Format) -> Box<dyn Reporter> {
    match format.style {
        Style::Bars => Box::new(Terminal::stderr(format.colour)),
        Style::Plain => Box::new(Plain::new(io::stderr())),
        Style::Quiet => Box::new(Plain::failures_only(io::stderr())),
        Style::Json => Box::new(JsonLines::new(io::stderr())),
    }
}

/// Renders all events until every sender is gone. Drop them and wait for the handle before
/// results are printed, so that no progress is left on the screen.
///
/// It has a thread of its own: a terminal that is held (Ctrl-S) or a pipe that nobody reads stops
/// the rendering and not the work.
pub fn spawn(receiver: UnboundedReceiver<Event>, format: Format) -> JoinHandle<()> {
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || handle.block_on(drain(receiver, reporter(format))))
}

async fn drain(mut receiver: UnboundedReceiver<Event>, mut reporter: Box<dyn Reporter>) {
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            event = receiver.recv() => match event {
                Some(event) => reporter.on(&event, Instant::now()),
                None => break,
            },
            _ = clock.tick() => reporter.tick(Instant::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::Events;

    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Reporter for Recorder {
        fn on(&mut self, event: &Event, _now: Instant) {
            if let Event::Notice { message } = event {
                self.0.lock().unwrap().push(message.clone());
            }
        }
    }

    #[tokio::test]
    async fn every_event_is_rendered_before_the_end() {
        let seen = Arc::default();
        let (events, receiver) = Events::channel();
        for number in 0..100 {
            events.notice(number.to_string());
        }
        drop(events);
        drain(receiver, Box::new(Recorder(Arc::clone(&seen)))).await;
        let expected: Vec<String> = (0..100).map(|number: u32| number.to_string()).collect();
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}
