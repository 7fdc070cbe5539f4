//! A kill at any moment: the next `up` goes on from there, and `down` leaves nothing.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::scale::{record, scale, seed};
use crate::docker::event::{Event, SMALL};
use crate::support::desk::{Desk, run};

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

/// How long that verb takes when nobody kills it.
fn duration(event: &Event, verb: &[&str]) -> Duration {
    let begun = Instant::now();
    event.run(verb).exits(0);
    begun.elapsed()
}

/// Starts that verb and kills it after so long; whether it was under way still.
pub fn kill(event: &Event, verb: &[&str], after: Duration) -> bool {
    let mut child = event
        .command(verb)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

/// What was seen right after the kills.
#[derive(Default)]
struct Seen {
    kills: usize,
    under_way: usize,
    /// How often there was something, but not all.
    partial: usize,
}

impl Seen {
    async fn note(&mut self, event: &Event, under_way: bool) {
        let left = count(event).await;
        self.kills += 1;
        self.under_way += usize::from(under_way);
        self.partial += usize::from(left != ALL && left != [0; 3]);
    }

    fn record(&self, verb: &str, seed: u64) {
        // Moments are spread over the time that the verb takes: most must hit it.
        assert!(self.under_way * 2 > self.kills, "most came too late");
        record(
            &format!("`kill -9` during `{verb}`"),
            &format!(
                "{} kills, {} of them under way, {} left a part; each time `up` converged and `down` \
                 left 0 (seed {seed})",
                self.kills, self.under_way, self.partial
            ),
        );
    }
}

#[tokio::test]
async fn after_a_kill_during_up_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-up", SEATS, SMALL).await;
    let whole = duration(&event, &["up"]);
    event.down().await;
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen = Seen::default();
    for _ in 0..scale(5, 50) {
        let under_way = kill(&event, &["up"], random.random_range(Duration::ZERO..whole));
        seen.note(&event, under_way).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
    }
    seen.record("up", seed);
}

#[tokio::test]
async fn after_a_kill_during_reset_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-reset", SEATS, SMALL).await;
    event.up();
    let verb = ["reset", "--all", "--workspace"];
    let whole = duration(&event, &verb);
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen = Seen::default();
    for _ in 0..scale(5, 50) {
        let under_way = kill(&event, &verb, random.random_range(Duration::ZERO..whole));
        seen.note(&event, under_way).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
        event.up();
    }
    event.down().await;
    seen.record("reset --all --workspace", seed);
}

#[tokio::test]
async fn after_a_kill_during_down_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-down", SEATS, SMALL).await;
    event.up();
    let whole = duration(&event, &["down"]);
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen = Seen::default();
    for number in 0..scale(6, 50) {
        event.up();
        let under_way = kill(
            &event,
            &["down"],
            random.random_range(Duration::ZERO..whole),
        );
        seen.note(&event, under_way).await;
        // Whoever comes next, be it to go on or to end it, finds what is left.
        if number % 2 == 0 {
            event.up();
            assert_eq!(count(&event).await, ALL);
        }
        event.down().await;
    }
    seen.record("down", seed);
}

#[tokio::test]
async fn after_a_kill_another_machine_takes_all_of_it_away() {
    let event = Event::new("kill-else", 3, SMALL).await;
    let mut moment = Duration::from_millis(300);
    while count(&event).await == [0; 3] {
        kill(&event, &["up"], moment);
        moment += Duration::from_millis(200);
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
}
