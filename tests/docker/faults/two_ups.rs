//! Two `up` at once: one result.

use std::process::{Child, Output, Stdio};

use crate::docker::event::{Event, SMALL, states};
use crate::docker::support::remove_container;
use crate::support::scale::{record, scale};
use crate::support::schema::assert_output;

pub fn start(event: &Event, arguments: &[&str]) -> Child {
    event
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[track_caller]
pub fn assert_fine(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for word in ["FAILED", "error"] {
        assert!(!said.contains(word), "{said}");
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_output(&report, "UpReport");
    assert_eq!(states(&report), ["ready"], "{report:#}\n{said}");
}

#[tokio::test]
async fn two_first_ups_at_once_make_one_event_and_both_succeed() {
    let rounds = scale(2, 10);
    let seats = scale(4, 12);
    for _ in 0..rounds {
        // Not even the event's key is there yet.
        let event = Event::new("two", seats, SMALL).await;
        let both = [(); 2].map(|()| start(&event, &["up", "--output", "json"]));
        for up in both {
            assert_fine(&up.wait_with_output().unwrap());
        }
        let all = event.containers().await;
        let seats = seats as usize;
        assert_eq!(all.len(), 2 * seats, "{all:#?}");
        assert_eq!(event.volumes().await.len(), 2 * seats);
        assert_eq!(event.networks().await.len(), seats);
        event.run(&["up"]).exits(0).says(&["Nothing to change"]);
        assert_eq!(event.containers().await, all);
        assert_eq!(event.says(1, "work", "redis-cli -h redis ping"), "PONG");
        event.down().await;
    }
    record(
        "two first `up` at once",
        &format!("{rounds} times {seats} seats: both exit 0, no duplicates, no error shown"),
    );
}

#[tokio::test]
async fn an_up_beside_a_repair_of_the_same_seats_succeeds() {
    let rounds = scale(1, 5);
    let event = Event::new("two-repair", 4, SMALL).await;
    event.up();
    for _ in 0..rounds {
        for seat in [1, 3] {
            let redis = event.container(seat, "redis");
            remove_container(&event.docker, &redis).await;
        }
        let both = [(); 2].map(|()| start(&event, &["up", "--output", "json"]));
        for up in both {
            assert_fine(&up.wait_with_output().unwrap());
        }
        assert_eq!(event.containers().await.len(), 8);
    }
    event.down().await;
    record(
        "two `up` at once, to repair the same seats",
        &format!("{rounds} times: both exit 0, no duplicates"),
    );
}
