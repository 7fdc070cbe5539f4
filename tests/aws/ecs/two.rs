//! Two organizers at once: one result.

use std::time::Duration;

use super::lab::alike;
use crate::aws::organizers::{self, SEATS};
use crate::support::scale::{record, scale};

#[test]
fn two_first_ups_at_once_make_one_event_and_both_succeed() {
    for _ in 0..scale(1, 10) {
        organizers::bring_up(&alike("tasks-two", SEATS));
    }
}

#[test]
fn two_ups_that_find_what_a_killed_one_left_make_one_event() {
    let lab = alike("tasks-heirs", 2);
    // So that they meet.
    lab.proxy
        .set(|settings| settings.latency = Duration::from_millis(30));
    let times = scale(1, 20);
    for _ in 0..times {
        organizers::take_over(&lab, 2);
    }
    record(
        "ECS: two `up` at once, after one that was killed while it made the network",
        &format!("{times} times: both exit 0, one network, no duplicates"),
    );
}
