//! A kill at any moment: the next `up` goes on from there, and `down` leaves nothing.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use crate::docker::event::{Event, SMALL};
use crate::support::desk::{Desk, run};
use crate::support::kills::Kills;
use crate::support::scale::scale;

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

/// How long after a line a kill comes at most.
const LATEST: Duration = Duration::from_millis(20);

/// Kills that verb where the next kill is to come, which is to leave a part of the event.
async fn strike(
    kills: &mut Kills,
    event: &Event,
    verb: &[&str],
    (lines, moment): (usize, Duration),
) {
    let under_way = kill(event, verb, lines, moment);
    let left = count(event).await;
    kills.note(under_way, left != ALL && left != [0; 3]);
}

fn note(kills: &Kills, verb: &str) {
    let left = kills.telling();
    kills.record(
        &format!("`kill -9` during `{verb}`"),
        &format!(", {left} left a part; each time `up` converged and `down` left 0"),
    );
}

#[tokio::test]
async fn after_a_kill_during_up_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-up", SEATS, SMALL).await;
    let mut kills = Kills::new(length(&event, &["up"]), scale(5, 50));
    event.down().await;
    while let Some(at) = kills.next(LATEST) {
        strike(&mut kills, &event, &["up"], at).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
    }
    note(&kills, "up");
}

#[tokio::test]
async fn after_a_kill_during_reset_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-reset", SEATS, SMALL).await;
    event.up();
    let verb = ["reset", "--all", "--workspace"];
    let mut kills = Kills::new(length(&event, &verb), scale(5, 50));
    while let Some(at) = kills.next(LATEST) {
        strike(&mut kills, &event, &verb, at).await;
        event.up();
        assert_eq!(count(&event).await, ALL);
        event.down().await;
        event.up();
    }
    event.down().await;
    note(&kills, "reset --all --workspace");
}

#[tokio::test]
async fn after_a_kill_during_down_up_converges_and_down_leaves_nothing() {
    let event = Event::new("kill-down", SEATS, SMALL).await;
    event.up();
    let mut kills = Kills::new(length(&event, &["down"]), scale(6, 50));
    while let Some(at) = kills.next(LATEST) {
        event.up();
        strike(&mut kills, &event, &["down"], at).await;
        // Whoever comes next, be it to go on or to end it, finds what is left.
        if kills.is_odd() {
            event.up();
            assert_eq!(count(&event).await, ALL);
        }
        event.down().await;
    }
    note(&kills, "down");
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
