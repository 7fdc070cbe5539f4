//! A kill at any call, whatever seats are: the next `up` goes on from there, and `down` leaves nothing.

use std::process::Stdio;
use std::time::Duration;

use super::ec2::lab::Lab;
use crate::support::kills::Kills;
use crate::support::scale::scale;

/// How many seats the event has.
pub const SEATS: u32 = 3;

/// How often is looked whether the verb has ended.
const LOOK: Duration = Duration::from_millis(50);

/// How long after a call a kill comes at most.
const LATEST: Duration = Duration::from_millis(30);

/// Kills that verb at its call of that number.
fn strike(kills: &mut Kills, lab: &Lab, verb: &[&str], (call, moment): (usize, Duration)) {
    lab.proxy.counts().reset();
    let mut child = lab
        .command(verb)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The same verb may do with fewer calls another time.
    while !lab.proxy.counts().await_arrival(call.max(1), LOOK)
        && child.try_wait().unwrap().is_none()
    {}
    std::thread::sleep(moment);
    let under_way = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    kills.note(under_way, under_way);
}

fn note(kills: &Kills, lab: &Lab, verb: &str) {
    kills.record(
        &format!("{}: `kill -9` during `{verb}`", lab.seats),
        "; each time `up` converged and `down` left 0",
    );
}

/// How many calls a verb makes when nobody kills it.
fn length(lab: &Lab, verb: &[&str]) -> usize {
    lab.proxy.counts().reset();
    lab.run(verb).exits(0);
    lab.proxy.counts().arrived()
}

/// Kills find more to do where seats take a while.
fn pace(lab: &Lab) {
    let takes = scale(Duration::ZERO, Duration::from_millis(200));
    lab.seats_take(takes);
}

fn assert_converges(lab: &Lab) {
    lab.up();
    lab.assert_ids(SEATS);
}

/// Kills during `up`, of which the first one finds nothing.
pub fn during_up(lab: &Lab) {
    pace(lab);
    let mut kills = Kills::new(length(lab, &["up"]), scale(3, 50));
    lab.down();
    while let Some(at) = kills.next(LATEST) {
        strike(&mut kills, lab, &["up"], at);
        // Whoever comes next, be it to go on or to end it, finds what is there.
        if kills.is_odd() {
            assert_converges(lab);
        }
        lab.down();
    }
    note(&kills, lab, "up");
}

/// Kills during the ways of `reset` that seats have.
pub fn during_reset(lab: &Lab, verbs: &[&[&str]]) {
    pace(lab);
    lab.up();
    for verb in verbs {
        let mut kills = Kills::new(length(lab, verb), scale(1, 50 / verbs.len()));
        while let Some(at) = kills.next(LATEST) {
            strike(&mut kills, lab, verb, at);
            assert_converges(lab);
        }
        note(&kills, lab, &verb.join(" "));
    }
    lab.down();
}

/// Kills during `down`.
pub fn during_down(lab: &Lab) {
    pace(lab);
    lab.up();
    let mut kills = Kills::new(length(lab, &["down"]), scale(3, 50));
    while let Some(at) = kills.next(LATEST) {
        lab.up();
        strike(&mut kills, lab, &["down"], at);
        if kills.is_odd() {
            assert_converges(lab);
        }
        lab.down();
    }
    note(&kills, lab, "down");
}
