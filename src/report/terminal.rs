//! Progress as bars on a terminal: one line for the whole, one for each seat at work.
//!
//! What the lines say is made here; drawing them in place is indicatif's part. It hides no cursor
//! and changes no mode of the terminal, so that whatever ends the process leaves the terminal as
//! it was.

use std::fmt;
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::{OwoColorize as _, Style as Paint};

use super::Reporter;
use super::board::{Board, bar, subject};
use super::words;
use crate::engine::Event;

/// What a terminal is taken for that does not say how high it is.
const USUAL_HEIGHT: u16 = 24;

/// Lines of a terminal that are not for seats: the headline, and one for the cursor.
const OTHER_LINES: usize = 2;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Bars on a terminal.
pub struct Terminal {
    colour: bool,
    height: Box<dyn Fn() -> u16 + Send>,
    board: Board,
    turns: usize,
    screen: MultiProgress,
    lines: Vec<ProgressBar>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("board", &self.board)
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// Draws to standard error.
    pub fn stderr(colour: bool) -> Self {
        let height = || crossterm::terminal::size().map_or(USUAL_HEIGHT, |(_, height)| height);
        Self::new(ProgressDrawTarget::stderr(), Box::new(height), colour)
    }

    /// Draws to that target; `height` is asked for the target's lines at each drawing, since
    /// people change the size of their windows.
    pub fn new(
        target: ProgressDrawTarget,
        height: Box<dyn Fn() -> u16 + Send>,
        colour: bool,
    ) -> Self {
        Self {
            colour,
            height,
            board: Board::default(),
            turns: 0,
            screen: MultiProgress::with_draw_target(target),
            lines: Vec::new(),
        }
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.colour {
            text.style(paint).to_string()
        } else {
            text.to_owned()
        }
    }

    /// A line that stays, above what moves.
    fn keep(&self, line: &str) {
        let _ = self.screen.println(line);
    }

    fn keep_failure(&self, what: &str, why: &str) {
        let line = format!("{what} FAILED: {why}");
        self.keep(&self.paint(&line, Paint::new().red()));
    }

    fn headline(&self, now: Instant) -> Option<String> {
        let phase = self.board.phase()?;
        let (done, actions) = self.board.actions();
        let spinner = SPINNER[self.turns % SPINNER.len()];
        let mut line = format!(
            "{} {}  {} {}  {}",
            self.paint(spinner, Paint::new().cyan()),
            words::doing(phase),
            self.paint(&bar(done, actions, 12), Paint::new().green()),
            self.board.tally_words(),
            words::clock(self.board.elapsed(now)),
        );
        if let Some(remaining) = self.board.remaining(now) {
            line.push_str(&format!(", ~{} left", words::clock(remaining)));
        }
        Some(line)
    }

    fn draw(&mut self, now: Instant) {
        let limit = usize::from((self.height)()).saturating_sub(OTHER_LINES);
        let texts: Vec<String> = match self.headline(now) {
            Some(headline) => std::iter::once(headline)
                .chain(self.board.lines(limit))
                .collect(),
            None => Vec::new(),
        };
        while self.lines.len() > texts.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.screen.remove(&line);
            }
        }
        while self.lines.len() < texts.len() {
            self.lines.push(
                self.screen
                    .add(ProgressBar::no_length().with_style(style())),
            );
        }
        for (line, text) in self.lines.iter().zip(texts) {
            if line.message() != text {
                line.set_message(text);
            }
        }
    }
}

/// A line that is nothing but its text, cut where the terminal ends.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_msg}").expect("the template is fixed and well formed")
}

impl Reporter for Terminal {
    fn on(&mut self, event: &Event, now: Instant) {
        self.board.on(event, now);
        match event {
            Event::ActionFailed { action, failure } if action.seat.is_none() => {
                self.keep_failure(&subject(action), &words::failure(failure));
            }
            // A failure of what the seats share is told once; the counts say whom it stops.
            Event::SeatFailed { failure, .. } if self.board.is_shared_failure(failure) => {}
            Event::SeatFailed { seat, failure } => {
                self.keep_failure(&seat.to_string(), &words::failure(failure));
            }
            Event::Notice { message } => self.keep(&format!("note: {}", words::one_line(message))),
            _ => {}
        }
        self.draw(now);
    }

    fn tick(&mut self, now: Instant) {
        self.turns += 1;
        self.draw(now);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.screen.clear();
    }
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
