//! What is wrong with the caller, or with the region: one clear error, and nothing is lost.

use super::lab::Lab;
use crate::aws::callers;

#[test]
fn a_clock_that_is_ten_minutes_off_is_named() {
    callers::wrong_clock(&Lab::new("clock", 2));
}

#[test]
fn credentials_that_expire_in_the_midst_of_it_are_named_and_the_next_run_goes_on() {
    callers::expired_credentials(&Lab::new("credentials", 4), 4);
}

#[test]
fn a_region_that_does_not_answer_is_named() {
    callers::silent_region(&Lab::new("silent", 2));
}
