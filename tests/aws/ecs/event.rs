//! A whole event, from the evening before to the certificate.

use std::time::Duration;

use super::lab::{alike, lab, tasks};
use crate::aws::ec2::lab::states;

const SEATS: u32 = 23;

#[test]
fn seats_come_up_are_put_back_live_longer_and_leave_nothing() {
    let lab = lab("tasks", SEATS);
    lab.seats_take(Duration::from_millis(500));
    let report = lab.up();
    assert_eq!(report["seats"].as_array().unwrap().len(), SEATS as usize);
    let status = lab.json(&["status"]);
    assert_eq!(states(&status), ["ready"], "{status:#}");
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    let extended = lab.json(&["extend", "--by", "1h"]);
    assert_eq!(extended["gone"], serde_json::json!([]), "{extended:#}");
    let reset = lab.json(&["reset", "--seats", "7", "--workspace"]);
    assert_eq!(states(&reset), ["ready"], "{reset:#}");
    lab.down();
}

#[test]
fn seats_without_secrets_share_one_definition() {
    let lab = alike("alike", 5);
    lab.up();
    let registered = lab.proxy.counts().of("RegisterTaskDefinition");
    assert_eq!(registered.answered, 1, "{registered:?}");
    lab.down();
}

#[test]
fn a_reset_of_the_workspace_makes_the_task_anew_and_neither_its_secrets_nor_its_definition() {
    let lab = lab("tasks-reset", 2);
    lab.up();
    let before = tasks(&lab);
    lab.proxy.counts().reset();
    let reset = lab.json(&["reset", "--seats", "2", "--workspace"]);
    assert_eq!(states(&reset), ["ready"], "{reset:#}");
    let calls = lab.proxy.counts().by_action();
    for action in [
        "PutParameter",
        "DeleteParameter",
        "DeleteParameters",
        "RegisterTaskDefinition",
        "DeregisterTaskDefinition",
        "DeleteTaskDefinitions",
    ] {
        assert!(!calls.contains_key(action), "{calls:#?}");
    }
    assert_eq!(calls["RunTask"].answered, 1);
    let after = tasks(&lab);
    assert_eq!(before[&1], after[&1]);
    assert_ne!(before[&2], after[&2]);
    // What was kept is what is wanted.
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    lab.down();
}
