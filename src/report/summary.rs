//! The closing words of `up` and `reset`: what there is now, what failed, and what to type next.

use jiff::Timestamp;

use super::view::SeatView;
use super::words;
use crate::engine::{Failure, Outcome, SeatResult};
use crate::model::seat::SeatState;
use crate::model::{EnvironmentName, SeatNumber};

/// What closing words are about.
#[derive(Debug, Clone, Copy)]
pub struct Closing<'a> {
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// Its seats as they are now, as far as the run was about them.
    pub seats: &'a [SeatView],
    /// What came of the run.
    pub outcome: &'a Outcome,
    /// When the seats may be swept away.
    pub expires: Option<Timestamp>,
    /// The same command again, which goes on from here.
    pub again: &'a str,
    /// Commands to type next when all is well, each with what it does.
    pub next: &'a [(String, String)],
}

/// The closing words, ending in a line break.
pub fn text(closing: &Closing<'_>) -> String {
    let mut out = headline(closing);
    if let Some(expires) = closing.expires.filter(|_| exists(closing)) {
        out.push_str(&end(closing.environment, expires));
    }
    for failure in &closing.outcome.shared {
        out.push_str(&format!(
            "failed for all that need it: {}\n",
            cause(failure)
        ));
    }
    for (seats, failure) in failures(closing.outcome) {
        out.push_str(&format!(
            "seat{} {} failed: {}\n",
            if seats.len() == 1 { "" } else { "s" },
            words::ranges(&seats),
            cause(failure),
        ));
        out.push_str(&format!("  left: {}\n", left(closing, &seats)));
        if let Some(hint) = &failure.hint {
            out.push_str(&format!("  hint: {}\n", words::one_line(hint)));
        }
    }
    let mut next: Vec<(&str, &str)> = Vec::new();
    if !closing.outcome.is_complete() {
        next.push((
            closing.again,
            "goes on from here and leaves alone what is done",
        ));
    }
    if exists(closing) {
        next.extend(
            closing
                .next
                .iter()
                .map(|(command, what)| (command.as_str(), what.as_str())),
        );
    }
    if !next.is_empty() {
        let width = next
            .iter()
            .map(|(command, _)| command.chars().count())
            .max()
            .unwrap_or(0);
        out.push_str("Next:\n");
        for (command, what) in next {
            out.push_str(&format!("  {command:<width$}  {what}\n"));
        }
    }
    out
}

/// When an environment's seats may be swept away, as a line.
pub fn end(environment: &EnvironmentName, expires: Timestamp) -> String {
    format!(
        "{environment} expires {}.\n",
        expires.strftime("%Y-%m-%d %H:%M UTC")
    )
}

fn cause(failure: &Failure) -> String {
    format!("{}: {}", failure.call, words::one_line(&failure.message))
}

fn exists(closing: &Closing<'_>) -> bool {
    closing
        .seats
        .iter()
        .any(|seat| seat.state != SeatState::Absent)
}

fn headline(closing: &Closing<'_>) -> String {
    let outcome = closing.outcome;
    let total = closing.seats.len();
    let failed = outcome.failed().count();
    let is_failed = |seat: SeatNumber| {
        outcome
            .seats
            .get(&seat)
            .is_some_and(|seat| matches!(seat.result, SeatResult::Failed(_)))
    };
    let ready = closing
        .seats
        .iter()
        .filter(|view| view.state == SeatState::Ready && !is_failed(view.seat))
        .count();
    let took = words::duration(outcome.took);
    let unchanged = outcome
        .seats
        .values()
        .all(|seat| seat.result == SeatResult::Unchanged);
    if outcome.is_complete() && unchanged && ready == total {
        return format!("Nothing to change: {}.\n", are_ready(ready, total));
    }
    let mut line = if outcome.interrupted {
        let pending = outcome
            .seats
            .values()
            .filter(|seat| seat.result == SeatResult::Interrupted)
            .count();
        format!(
            "Interrupted after {took}: {}, {pending} not finished",
            are_ready(ready, total)
        )
    } else {
        are_ready(ready, total)
    };
    if failed > 0 {
        line.push_str(&format!(", {failed} failed"));
    }
    if outcome.interrupted {
        format!("{line}.\n")
    } else {
        format!("{line}, after {took}.\n")
    }
}

fn are_ready(ready: usize, total: usize) -> String {
    let verb = if total == 1 { "is" } else { "are" };
    if ready == total {
        format!("{} {verb} ready", words::count(total, "seat"))
    } else {
        format!("{ready} of {} {verb} ready", words::count(total, "seat"))
    }
}

/// Seats that failed, those of one failure together, in the order of the lowest seat of each.
fn failures(outcome: &Outcome) -> Vec<(Vec<SeatNumber>, &Failure)> {
    let mut groups: Vec<(Vec<SeatNumber>, &Failure)> = Vec::new();
    for (seat, failure) in outcome.failed() {
        match groups.iter_mut().find(|(_, known)| *known == failure) {
            Some((seats, _)) => seats.push(seat),
            None => groups.push((vec![seat], failure)),
        }
    }
    groups
}

fn left(closing: &Closing<'_>, failed: &[SeatNumber]) -> &'static str {
    let something = closing
        .seats
        .iter()
        .any(|view| failed.contains(&view.seat) && view.state != SeatState::Absent);
    if something {
        "what was made before it stays, for you to look at"
    } else {
        "nothing of it exists"
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
