//! What a person should know, whichever provider the seats live with.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::expiry::{Clocks, End};
use crate::model::{Environment, SeatNumber};

/// Of the clocks, and of an environment that ends at `end`, at `now` by the clock that counts.
pub fn end(clocks: Option<Clocks>, end: &End, now: Timestamp) -> Vec<String> {
    let mut notices: Vec<String> = clocks.and_then(Clocks::notice).into_iter().collect();
    if let Some(text) = &end.unreadable {
        notices.push(format!(
            "no sweep takes these seats away: `{text}` is on one of them for when it expires"
        ));
    } else if let Some(end) = end.latest.filter(|end| *end <= now) {
        notices.push(format!(
            "these seats expired {end}, and the next `seatbox sweep` takes them away; \
             `seatbox extend` gives them more time"
        ));
    }
    notices
}

/// Of seats that exist and that the environment does not have any more.
pub fn beyond(
    environment: &Environment,
    existing: impl IntoIterator<Item = SeatNumber>,
) -> Option<String> {
    let total = environment.seats.total();
    let beyond: BTreeSet<SeatNumber> = existing
        .into_iter()
        .filter(|seat| seat.get() > total)
        .collect();
    let (first, last) = (beyond.first()?, beyond.last()?);
    Some(format!(
        "{} seats beyond the environment's {total} exist and are left alone; `seatbox down --seats \
         {}-{}` takes them away",
        beyond.len(),
        first.get(),
        last.get()
    ))
}
