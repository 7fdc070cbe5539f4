//! No engine: exit 4, and what was tried.

use crate::support::desk::{Desk, run};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "stack.yaml",
        "services: {a: {image: busybox}, b: {image: busybox}}\n",
    );
    desk.write(
        "seatbox.yaml",
        "version: 1\nname: go-lab\nseats: {count: 3}\nstack: stack.yaml\n",
    );
    desk
}

const VERBS: [&[&str]; 11] = [
    &["plan"],
    &["up"],
    &["up", "--dry-run"],
    &["status"],
    &["reset", "--seats", "1"],
    &["down"],
    &["sweep"],
    &["images"],
    &["images", "save"],
    &["logs"],
    &["exec", "--seat", "1", "--", "true"],
];

#[test]
fn every_verb_that_needs_an_engine_says_where_it_looked() {
    let desk = desk();
    for verb in VERBS {
        desk.run(verb)
            .exits(4)
            .says(&["there-is-no-engine.sock", "DOCKER_HOST", "hint:"]);
    }
    let ran = desk.run(&["up", "--output", "json"]).exits(4);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["version"], 1);
    assert_eq!(error["error"]["exit_code"], 4);
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("there-is-no-engine.sock")
    );
    // An engine that can't be reached is no reason to make a key.
    assert!(!desk.path("state").exists());
}

#[test]
fn an_address_that_is_none_is_named() {
    let desk = desk();
    for host in ["carrier-pigeon://coop", "tcp://host:port", "ssh://"] {
        let mut command = desk.without_engine();
        command.env("DOCKER_HOST", host).arg("status");
        run(&mut command).exits(4).says(&["DOCKER_HOST", host]);
    }
    let mut command = desk.without_engine();
    command
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .arg("status");
    run(&mut command).exits(4).says(&["127.0.0.1:1"]);
}

#[test]
fn a_bad_file_is_told_before_an_engine_is_looked_for() {
    let desk = desk();
    desk.write(
        "seatbox.yaml",
        "version: 1\nname: Go Lab\nstack: stack.yaml\n",
    );
    for verb in VERBS.iter().filter(|verb| **verb != ["sweep"]) {
        desk.run(verb).exits(2).says(&["seatbox.yaml:2:7"]);
    }
}
