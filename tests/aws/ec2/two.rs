//! Two organizers at once: one result.

use super::lab::Lab;
use crate::aws::organizers::{self, SEATS};
use crate::support::scale::scale;

#[test]
fn two_first_ups_at_once_make_one_event_and_both_succeed() {
    for _ in 0..scale(1, 10) {
        organizers::bring_up(&Lab::new("two", SEATS));
    }
}
