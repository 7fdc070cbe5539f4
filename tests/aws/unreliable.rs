//! Calls that fail, calls that worked and say that they failed, and calls that do not see what is new,
//! whatever seats are.

use std::time::Duration;

use super::ec2::lab::Lab;
use crate::support::aws::faults::{Fate, Faults};
use crate::support::scale::{record, seed};

/// How many seats the event has.
pub const SEATS: u32 = 23;

/// Seats come up, are put back and go while calls fail and replies are lost.
pub fn endure(lab: &Lab) {
    let seed = seed();
    lab.proxy.set(|settings| {
        settings.faults = Faults::seeded(seed);
        settings.faults.errors = 5.0;
        settings.faults.lost_replies = 2.0;
    });
    lab.up();
    let first = lab.assert_ids(SEATS);
    assert_eq!(lab.ever(), SEATS as usize, "more were made than are needed");
    lab.up();
    assert_eq!(lab.assert_ids(SEATS), first);
    lab.json(&["reset", "--seats", "1-3", "--workspace"]);
    lab.assert_ids(SEATS);
    lab.down();
    let counts = lab.proxy.set(|settings| settings.faults.counts().clone());
    let calls: usize = counts.values().sum();
    let wrong = calls - counts[&Fate::Pass];
    let seats = lab.seats;
    record(
        &format!("{seats}: 5 % of calls fail and 2 % of replies are lost, {SEATS} seats"),
        &format!("{SEATS} of {SEATS} ready, none left; {calls} calls, {wrong} wrong (seed {seed})"),
    );
}

fn hide(lab: &Lab, percent: f64) {
    lab.proxy.set(|settings| {
        settings.visibility.hides_for = Duration::from_secs(3);
        settings.visibility.percent = percent;
    });
}

/// What is not seen yet is waited for and not made again.
pub fn wait_for_what_is_new(lab: &Lab, seats: u32) {
    hide(lab, 100.0);
    lab.up();
    lab.assert_ids(seats);
    assert_eq!(lab.ever(), seats as usize);
    lab.json(&["reset", "--seats", "2", "--workspace"]);
    lab.assert_ids(seats);
    assert_eq!(lab.ever(), seats as usize + 1);
    lab.down();
}

/// What half of the looks miss is made once, and goes in the end.
pub fn overlook_half(lab: &Lab, seats: u32) {
    hide(lab, 50.0);
    lab.up();
    lab.assert_ids(seats);
    assert_eq!(lab.ever(), seats as usize);
    lab.down();
}
