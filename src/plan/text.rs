//! A plan as text: what `--dry-run` prints and what the tests compare.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use super::{Action, Operation, Plan, Scheme};
use crate::model::seat::Owner;

impl<S: Scheme> Display for Action<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner {
            Owner::Shared => write!(f, "shared   ")?,
            Owner::Seat(seat) => write!(f, "seat {seat}  ")?,
        }
        write!(f, "{:<8} {}  ({})", self.verb(), self.key, self.cause)
    }
}

/// One action a line, in the plan's order; then what is in the way, what to know, and a count.
impl<S: Scheme> Display for Plan<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for action in &self.actions {
            writeln!(f, "{action}")?;
        }
        for blocked in &self.blocked {
            writeln!(f, "seat {}  blocked: {}", blocked.seat, blocked.reason)?;
        }
        for notice in &self.notices {
            writeln!(f, "note: {notice}")?;
        }
        if self.changes_nothing() {
            return match self.blocked.len() {
                0 => writeln!(f, "nothing to change"),
                blocked => writeln!(f, "nothing can be done for {}", seats(blocked)),
            };
        }
        let mut counts: BTreeMap<(bool, S::Kind), usize> = BTreeMap::new();
        for action in &self.actions {
            let deletes = matches!(action.operation, Operation::Delete(_));
            // The first step is what creates; the others belong to the same resource.
            let creates = matches!(action.operation, Operation::Bring(_))
                && !self.actions[..action.id]
                    .iter()
                    .rev()
                    .take_while(|earlier| earlier.key == action.key)
                    .any(|earlier| matches!(earlier.operation, Operation::Bring(_)));
            if deletes || (creates && !action.is_check()) {
                *counts.entry((deletes, action.key.kind)).or_default() += 1;
            }
        }
        let words: Vec<String> = counts
            .iter()
            .map(|((deletes, kind), count)| {
                let verb = if *deletes { "delete" } else { "bring up" };
                format!("{verb} {count} × {kind}")
            })
            .collect();
        writeln!(
            f,
            "{} changes to {}: {}",
            self.changes(),
            seats(self.seats.len() - self.blocked.len()),
            words.join(", ")
        )
    }
}

fn seats(count: usize) -> String {
    format!("{count} seat{}", if count == 1 { "" } else { "s" })
}
