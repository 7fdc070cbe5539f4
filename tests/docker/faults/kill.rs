//! A kill at any moment: the next `up` goes on from there, and `down` leaves nothing.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::docker::event::{Event, SMALL};
use crate::support::desk::{Desk, run};
use crate::support::scale::{record, scale, seed};

const SEATS: u32 = 2;

/// What is there of the event, by kind: containers, volumes, networks.
async fn count(event: &Event) -> [usize; 3] {
    [
        event.containers().await.len(),
        event.volumes().await.len(),
        event.networks().await.len(),
    ]
}

/// All that there is of it when it is up.
const ALL: [usize; 3] = [4, 4, 2];

/// Starts that verb, telling of its progress line by line.
fn start(event: &Event, verb: &[&str]) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut child = event
        .command(verb)
        .args(["--log-format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, lines)
}

/// How many lines that verb tells when nobody kills it.
fn length(event: &Event, verb: &[&str]) -> usize {
    let (mut child, lines) = start(event, verb);
    let count = lines.count();
    assert!(child.wait().unwrap().success());
    count
}

/// Kills that verb once it has told so many lines, and a moment after that; whether it was under
/// way still.
pub fn kill(event: &Event, verb: &[&str], lines: usize, moment: Duration) -> bool {
    let (mut child, mut told) = start(event, verb);
    told.by_ref().take(lines).for_each(drop);
    std::thread::sleep(moment);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

/// Kills at moments spread over all that a verb does, whatever time that takes: its lines are cut
/// into as many parts as there are kills, and each kill hits one part at random.
struct Kills {
    random: StdRng,
    seed: u64,
    /// How many lines the verb tells.
    length: usize,
    count: usize,
    made: usize,
    under_way: usize,
    /// How often there was something after it, but not all.
    partial: usize,
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
            partial: 0,
        }
    }

    /// Whether there are more to make: where few are made, luck may let none of them leave a part.
    fn go_on(&self) -> bool {
        self.made < self.count || (self.partial == 0 && self.made < 10 * self.count)
    }

    async fn next(&mut self, event: &Event, verb: &[&str]) {
        let part = |number: usize| number * self.length / self.count;
        let number = self.made % self.count;
        let lines = self.random.random_range(part(number)..=part(number + 1));
        let moment = Duration::from_millis(self.random.random_range(0..20));
        self.under_way += usize::from(kill(event, verb, lines, moment));
        self.made += 1;
        let left = count(event).await;
        self.partial += usize::from(left != ALL && left != [0; 3]);
    }

    fn record(&self, verb: &str) {
        let result = format!(
            "{} kills, {} of them under way, {} left a part; each time `up` converged and `down` left \
             0 (seed {})",
            self.made, self.under_way, self.partial, self.seed
        );
        // All but the last parts are well before its end, and the middle ones leave a part.
        assert!(
            self.under_way * 2 > self.made,
            "most came too late: {result}"
        );
        assert!(self.partial > 0, "none left a part: {result}");
        record(&format!("`kill -9` during `{verb}`"), &result);
    }
}

#[tokio::test]
async fn after_a_kill_during_up_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-up", SEATS, SMALL).await;
    let mut kills = Kills::new(length(&event, &["up"]), scale(5, 50));
    event.down().await;
    while kills.go_on() {
        kills.next(&event, &["up"]).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
    }
    kills.record("up");
}

#[tokio::test]
async fn after_a_kill_during_reset_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-reset", SEATS, SMALL).await;
    event.up();
    let verb = ["reset", "--all", "--workspace"];
    let mut kills = Kills::new(length(&event, &verb), scale(5, 50));
    while kills.go_on() {
        kills.next(&event, &verb).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
        event.up();
    }
    event.down().await;
    kills.record("reset --all --workspace");
}

#[tokio::test]
async fn after_a_kill_during_down_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-down", SEATS, SMALL).await;
    event.up();
    let mut kills = Kills::new(length(&event, &["down"]), scale(6, 50));
    while kills.go_on() {
        event.up();
        kills.next(&event, &["down"]).await;
        // Whoever comes next, be it to go on or to end it, finds what is left.
        if kills.made % 2 == 1 {
            event.up();
            assert_eq!(count(&event).await, ALL);
        }
        event.down().await;
    }
    kills.record("down");
}

#[tokio::test]
async fn after_a_kill_another_machine_takes_all_of_it_away() {
    let event = Event::new("kill-else", 3, SMALL).await;
    let mut lines = 3;
    while count(&event).await == [0; 3] {
        kill(&event, &["up"], lines, Duration::from_millis(20));
        lines += 2;
    }
    // The same files, and nothing of the state directory.
    let elsewhere = Desk::new();
    for file in ["seatbox.yaml", "stack.yaml"] {
        elsewhere.write(file, std::fs::read(event.desk.path(file)).unwrap());
    }
    let certificate = run(elsewhere.seatbox().args(["down", "--output", "json"]))
        .exits(0)
        .json();
    assert_eq!(certificate["clean"], true);
    event.assert_nothing_left().await;
    // What the engine finishes only now, of what was asked for before the last kill, is nobody's to
    // see by then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    event.down().await;
}
