//! A kill at any call, whatever seats are: the next `up` goes on from there, and `down` leaves nothing.

use std::process::Stdio;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::ec2::lab::Lab;
use crate::support::scale::{record, scale, seed};

/// How many seats the event has.
pub const SEATS: u32 = 3;

/// How often is looked whether the verb has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Kills at calls spread over all that a verb makes.
struct Kills {
    random: StdRng,
    seed: u64,
    /// How many calls the verb makes.
    length: usize,
    count: usize,
    made: usize,
    under_way: usize,
}

impl Kills {
    fn new(length: usize, count: usize) -> Self {
        let seed = seed();
        Self {
            random: StdRng::seed_from_u64(seed),
            seed,
            length,
            count,
            made: 0,
            under_way: 0,
        }
    }

    fn next(&mut self, lab: &Lab, verb: &[&str]) {
        let part = |number: usize| number * self.length / self.count;
        let call = self
            .random
            .random_range(part(self.made)..=part(self.made + 1));
        let moment = Duration::from_millis(self.random.random_range(0..30));
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
        self.under_way += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        self.made += 1;
    }

    fn record(&self, lab: &Lab, verb: &str) {
        let result = format!(
            "{} kills, {} of them under way; each time `up` converged and `down` left 0 (seed {})",
            self.made, self.under_way, self.seed
        );
        assert!(
            self.under_way * 2 > self.made,
            "most came too late: {result}"
        );
        record(
            &format!("{}: `kill -9` during `{verb}`", lab.seats),
            &result,
        );
    }
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
    for number in 0..kills.count {
        kills.next(lab, &["up"]);
        // Whoever comes next, be it to go on or to end it, finds what is there.
        if number % 2 == 0 {
            assert_converges(lab);
        }
        lab.down();
    }
    kills.record(lab, "up");
}

/// Kills during the ways of `reset` that seats have.
pub fn during_reset(lab: &Lab, verbs: &[&[&str]]) {
    pace(lab);
    lab.up();
    for verb in verbs {
        let mut kills = Kills::new(length(lab, verb), scale(1, 50 / verbs.len()));
        for _ in 0..kills.count {
            kills.next(lab, verb);
            assert_converges(lab);
        }
        kills.record(lab, &verb.join(" "));
    }
    lab.down();
}

/// Kills during `down`.
pub fn during_down(lab: &Lab) {
    pace(lab);
    lab.up();
    let mut kills = Kills::new(length(lab, &["down"]), scale(3, 50));
    for number in 0..kills.count {
        lab.up();
        kills.next(lab, &["down"]);
        if number % 2 == 0 {
            assert_converges(lab);
        }
        lab.down();
    }
    kills.record(lab, "down");
}
