//! What is wrong with the caller, or with the region: one clear error, and nothing is lost.

use super::lab::lab;
use crate::aws::callers;

#[test]
fn a_clock_that_is_ten_minutes_off_is_named() {
    callers::wrong_clock(&lab("tasks-clock", 2));
}

#[test]
fn credentials_that_expire_in_the_midst_of_it_are_named_and_the_next_run_goes_on() {
    callers::expired_credentials(&lab("tasks-expired", 4), 4);
}
