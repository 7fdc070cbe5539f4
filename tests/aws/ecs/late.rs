//! What is new is not seen everywhere at once.

use super::lab::lab;
use crate::aws::unreliable;

#[test]
fn what_is_not_seen_yet_is_waited_for_and_not_made_again() {
    unreliable::wait_for_what_is_new(&lab("tasks-late", 3), 3);
}

#[test]
fn what_half_of_the_looks_miss_is_made_once_and_goes_in_the_end() {
    unreliable::overlook_half(&lab("tasks-blinking", 3), 3);
}
