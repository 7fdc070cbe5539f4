//! An engine that is restarted, or that crashes, while it is worked with.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::docker::event::{Event, SMALL};
use crate::docker::private_engine::PrivateEngine;
use crate::docker::support::IMAGE;
use crate::support::scale::{record, scale};

/// Starts a verb, and waits until that many actions are done; what it writes from then on is
/// gathered aside, for it must not wait for a reader.
pub fn until(
    event: &Event,
    verb: &[&str],
    actions: usize,
) -> (Child, std::thread::JoinHandle<String>) {
    let mut child = event
        .command(verb)
        .args(["--log-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let finished =
        |line: &std::io::Result<String>| line.as_ref().unwrap().contains("\"action-finished\"");
    let seen = lines.by_ref().filter(finished).take(actions).count();
    assert_eq!(seen, actions, "it was over before the engine was");
    let rest = std::thread::spawn(move || {
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        rest.join("\n")
    });
    (child, rest)
}

/// Seats come up and go while their engine ends and starts; an error where that never starts any more.
async fn restarted_in_mid_call() -> Result<(), String> {
    let mut engine = PrivateEngine::start().await;
    engine.load(IMAGE).await;
    let seats = scale(4, 23);
    let event = Event::new("restart", seats, SMALL).await.on(&engine);
    // While networks and volumes are made, while containers are, and while they are started.
    let moments: &[usize] = scale(&[6, 22], &[10, 50, 90, 130, 160, 190]);
    let mut ghosts = 0;
    for (number, &actions) in moments.iter().enumerate() {
        let (up, rest) = until(&event, &["up"], actions);
        if number % 2 == 0 {
            engine.stop();
        } else {
            engine.kill();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let started = engine.try_to_start_again().await;
        let output = up.wait_with_output().unwrap();
        let rest = rest.join().unwrap();
        started?;
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.code() == Some(3) {
            // This engine may hold a port for a container that it was starting when it was ended, and
            // lets go of it with no call: only another restart helps, which the failure says.
            let failed = said.lines().filter(|line| line.contains(" failed: "));
            for line in failed {
                assert!(line.contains("port is already allocated"), "{said}\n{rest}");
            }
            assert!(said.contains("was ended in mid-call: restart it"), "{said}");
            ghosts += 1;
            engine.stop();
            engine.try_to_start_again().await?;
        } else {
            assert_eq!(output.status.code(), Some(0), "{said}\n{rest}");
            assert!(said.contains(&format!("{seats} seats are ready")), "{said}");
        }
        event.up();
        assert_eq!(event.containers().await.len(), 2 * seats as usize);
        assert_eq!(event.networks().await.len(), seats as usize);

        let (down, rest) = until(&event, &["down"], 3);
        engine.stop();
        let started = engine.try_to_start_again().await;
        let output = down.wait_with_output().unwrap();
        let rest = rest.join().unwrap();
        started?;
        assert_eq!(output.status.code(), Some(0), "{rest}");
        event.assert_nothing_left().await;
    }
    record(
        "the engine restarted, or killed and started, in mid-`up` and in mid-`down`",
        &format!(
            "{} times each, {seats} seats: all ready, none left; {ghosts} times one seat only after \
             another restart, for a port that the engine held for nobody",
            moments.len()
        ),
    );
    Ok(())
}

#[tokio::test]
async fn an_engine_restarted_in_mid_up_and_in_mid_down_is_waited_for() {
    // Docker 20.10.24 may keep something of a call in which it was ended, and panic on it at every start
    // from then on. That is no engine to be waited for, and another one takes its place.
    for _ in 0..2 {
        match restarted_in_mid_call().await {
            Ok(()) => return,
            Err(log) => println!("an engine that never starts any more: {log}"),
        }
    }
    restarted_in_mid_call().await.unwrap();
}

#[tokio::test]
async fn ctrl_c_ends_the_wait_for_an_engine_that_is_gone() {
    let mut engine = PrivateEngine::start().await;
    engine.load(IMAGE).await;
    let event = Event::new("gone", 1, SMALL).await.on(&engine);
    // Its volumes and its network are there.
    let (up, rest) = until(&event, &["up"], 4);
    engine.stop();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begun = Instant::now();
    kill_process(Pid::from_raw(up.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let output = up.wait_with_output().unwrap();
    let rest = rest.join().unwrap();
    // Far less than one waits for an engine.
    assert!(begun.elapsed() < Duration::from_secs(45), "{rest}");
    assert!(rest.contains("nobody answers any more"), "{rest}");
    // What exists can't be told, and that is what is told.
    assert_eq!(output.status.code(), Some(4), "{rest}");
    engine.start_again().await;
    event.up();
    event.down().await;
}
