//! `reset` gives a seat a fresh stack, and disturbs nobody else.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::event::{Event, SMALL, results};
use crate::support::desk::repository;
use crate::support::schema::assert_output;

const ONE_LINE: &str = "tr '\\n' ' ' | sed 's/ *$//'";

fn fill(event: &Event, seat: u32) {
    event.says(seat, "redis", "redis-cli set mine here && redis-cli save");
    event.says(seat, "work", "echo mine > /work/mine");
}

fn cache(event: &Event, seat: u32) -> String {
    event.says(seat, "redis", "redis-cli get mine")
}

#[tokio::test]
async fn databases_begin_anew_while_files_and_passwords_and_the_neighbours_stay() {
    let event = Event::shipped("reset", 2).await;
    event.up();
    let credentials = |seat| {
        event.says(
            seat,
            "workspace",
            "env | grep -E '^(PG|REDIS|DATABASE)' | sort",
        )
    };
    let before = credentials(1);
    assert_ne!(before, credentials(2));
    let dirty = r#"
        psql -qc 'create table mine (id int)' &&
        redis-cli --no-auth-warning -u "$REDIS_URL" set mine here >/dev/null &&
        echo mine > mine.txt && echo changed > README.md"#;
    for seat in [1, 2] {
        event.says(seat, "workspace", dirty);
    }
    let neighbour = event.seat(2).await;
    let old = event.seat(1).await;

    let report = event
        .run(&["reset", "--seat", "1", "--output", "json"])
        .exits(0)
        .json();
    assert_output(&report, "UpReport");
    assert_eq!(report["seats"].as_array().unwrap().len(), 1, "{report:#}");
    let looks = format!(
        r#"(psql -tAc "select count(*) from pg_tables where tablename = 'mine'";
        redis-cli --no-auth-warning -u "$REDIS_URL" exists mine; cat mine.txt README.md) | {ONE_LINE}"#
    );
    assert_eq!(event.says(1, "workspace", &looks), "0 0 mine changed");
    assert_eq!(event.says(2, "workspace", &looks), "1 1 mine changed");
    assert_eq!(credentials(1), before, "a reset changed credentials");
    assert_eq!(
        event.seat(2).await,
        neighbour,
        "a reset disturbed another seat"
    );
    for (service, seen) in event.seat(1).await {
        assert_ne!(seen.id, old[&service].id, "{service} was not made anew");
    }

    event.run(&["reset", "--seat", "1", "--workspace"]).exits(0);
    event.says(1, "workspace", "test ! -e mine.txt");
    let first = repository("environments/gopher-guangzhou-2024/workspace/README.md");
    let first = std::fs::read_to_string(first).unwrap();
    assert_eq!(event.says(1, "workspace", "cat README.md"), first.trim());
    assert_eq!(credentials(1), before);
    assert_eq!(event.seat(2).await, neighbour);
    event.down().await;
}

#[tokio::test]
async fn among_many_seats_the_one_must_be_named() {
    let event = Event::new("which", 2, SMALL).await;
    event.up();
    fill(&event, 1);
    let before = event.containers().await;
    event
        .run(&["reset"])
        .exits(2)
        .says(&["which of the 2 seats", "--seats"]);
    event
        .run(&["reset", "--seats", "3"])
        .exits(2)
        .says(&["no seat 3"]);
    assert_eq!(
        event.containers().await,
        before,
        "a refused reset touched something"
    );
    event
        .run(&["reset", "--seats", "1", "--dry-run"])
        .exits(0)
        .says(&["(reset)"]);
    assert_eq!(
        event.containers().await,
        before,
        "a dry run touched something"
    );
    assert_eq!(cache(&event, 1), "here");
    event.run(&["reset", "--all"]).exits(0);
    assert_eq!(cache(&event, 1), "");
    let after = event.containers().await;
    assert!(after.iter().all(|(name, seen)| before[name].id != seen.id));
    event.down().await;
}

#[tokio::test]
async fn the_only_seat_needs_no_name_and_can_be_reset_again_and_again() {
    let event = Event::new("only", 1, SMALL).await;
    event.up();
    for _ in 0..2 {
        fill(&event, 1);
        event.run(&["reset"]).exits(0);
        assert_eq!(cache(&event, 1), "");
        assert_eq!(event.says(1, "work", "cat /work/mine"), "mine");
    }
    // Once more with nothing done since.
    event.run(&["reset"]).exits(0);
    assert_eq!(results(&event.up()), ["unchanged"]);
    event.run(&["reset", "--workspace"]).exits(0);
    assert_eq!(event.says(1, "work", "ls /work"), "");
    event.down().await;
}

#[tokio::test]
async fn a_reset_that_was_killed_halfway_is_finished_by_the_next() {
    let event = Event::new("killed", 2, SMALL).await;
    event.up();
    fill(&event, 1);
    fill(&event, 2);
    let neighbour = event.seat(2).await;
    // After the first deletion, after the last, and while things are made.
    for actions in [1, 3, 5] {
        let mut reset = event
            .command(&["reset", "--seat", "1", "--log-format", "json"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(reset.stderr.take().unwrap()).lines();
        let seen = lines
            .map_while(Result::ok)
            .filter(|line| line.contains("\"action-finished\""))
            .take(actions)
            .count();
        assert_eq!(seen, actions, "it was over before it could be killed");
        reset.kill().unwrap();
        assert!(!reset.wait().unwrap().success());

        event.run(&["reset", "--seat", "1"]).exits(0);
        assert_eq!(cache(&event, 1), "");
        assert_eq!(event.says(1, "work", "cat /work/mine"), "mine");
        let services: BTreeMap<_, _> = event.seat(1).await;
        assert_eq!(services.len(), 2, "{services:?}");
        event.says(1, "redis", "redis-cli set mine here && redis-cli save");
    }
    assert_eq!(event.seat(2).await, neighbour);
    assert_eq!(cache(&event, 2), "here");
    event.down().await;
}
