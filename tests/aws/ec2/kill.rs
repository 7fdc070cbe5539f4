//! A kill at any call: the next `up` goes on from there, and `down` leaves nothing.

use super::lab::Lab;
use crate::aws::kills::{self, SEATS};

#[test]
fn after_a_kill_during_up_up_converges_and_down_leaves_nothing() {
    kills::during_up(&Lab::new("kill-up", SEATS));
}

#[test]
fn after_a_kill_during_reset_up_converges_and_down_leaves_nothing() {
    let verbs = [
        &["reset", "--all"][..],
        &["reset", "--all", "--workspace"][..],
    ];
    kills::during_reset(&Lab::new("kill-reset", SEATS), &verbs);
}

#[test]
fn after_a_kill_during_down_up_converges_and_down_leaves_nothing() {
    kills::during_down(&Lab::new("kill-down", SEATS));
}
