//! What goes wrong with tasks, and what must hold all the same.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::lab::{alike, lab};
use crate::aws::ec2::lab::{Lab, states};
use crate::support::aws::faults::{Fate, Faults};
use crate::support::desk::{Desk, Ran};
use crate::support::scale::{record, scale, seed};

const SEATS: u32 = 23;

/// How many tasks there are.
fn tasks(lab: &Lab) -> usize {
    let is_task =
        |line: &&String| line.starts_with("ecs task ") && !line.starts_with("ecs task definition ");
    lab.emulator.listing().iter().filter(is_task).count()
}

#[test]
fn seats_converge_though_calls_fail_and_replies_are_lost() {
    for _ in 0..scale(1, 5) {
        let lab = alike("tasks-calls", SEATS);
        let seed = seed();
        lab.proxy.set(|settings| {
            settings.faults = Faults::seeded(seed);
            settings.faults.errors = 5.0;
            settings.faults.lost_replies = 2.0;
        });
        lab.up();
        assert_eq!(tasks(&lab), SEATS as usize);
        lab.down();
        record(
            &format!("ECS: 5 % of calls fail and 2 % of replies are lost, {SEATS} seats"),
            &format!("{SEATS} of {SEATS} ready, none left (seed {seed})"),
        );
    }
}

#[test]
fn whatever_reply_is_lost_nothing_is_made_twice() {
    let lab = lab("tasks-replies", 2);
    lab.proxy.set(|settings| {
        for action in [
            "CreateLogGroup",
            "PutRetentionPolicy",
            "CreateRole",
            "PutRolePolicy",
            "CreateCluster",
            "ModifyVpcAttribute",
            "PutParameter",
            "PutParameter",
            "RegisterTaskDefinition",
            "RunTask",
            "StopTask",
            "DeregisterTaskDefinition",
            "DeleteTaskDefinitions",
            "DeleteParameters",
            "DeleteCluster",
            "DeleteRolePolicy",
            "DeleteRole",
            "DeleteLogGroup",
        ] {
            settings.faults.plan(action, Fate::LoseReply);
        }
    });
    lab.up();
    assert_eq!(tasks(&lab), 2);
    lab.down();
}

#[test]
fn after_a_kill_up_converges_and_down_leaves_nothing() {
    let lab = alike("tasks-kill", 3);
    let count = |verb: &[&str]| {
        lab.proxy.counts().reset();
        lab.run(verb).exits(0);
        lab.proxy.counts().arrived()
    };
    let (up, down) = (count(&["up"]), count(&["down"]));
    let times = scale(3, 50);
    for number in 1..=times {
        kill(&lab, &["up"], (up * number / (times + 1)).max(1));
        lab.up();
        assert_eq!(tasks(&lab), 3);
        kill(&lab, &["down"], (down * number / (times + 1)).max(1));
        lab.down();
    }
    let result = format!("{times} kills in each of `up` and `down`; `up` converged, `down` left 0");
    record("ECS: `kill -9`", &result);
}

fn kill(lab: &Lab, verb: &[&str], call: usize) {
    lab.proxy.counts().reset();
    let mut command = lab.command(verb);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let patience = Duration::from_secs(120);
    assert!(lab.proxy.counts().await_arrival(call, patience));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn two_ups_at_once_make_one_event() {
    let lab = alike("tasks-two", 5);
    let start = |desk: &Desk| -> Child {
        let mut command = lab.command_at(desk, &["up", "--output", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    // The key is made first: it is the same for both.
    lab.run(&["key", "fingerprint"]);
    let both = [start(&lab.desk), start(&lab.desk)];
    for child in both {
        let output = child.wait_with_output().unwrap();
        let ran = Ran::new(&lab.command(&["up"]), output).exits(0);
        assert_eq!(states(&ran.json()), ["ready"], "{ran}");
    }
    lab.up();
    assert_eq!(tasks(&lab), 5);
    lab.down();
}

#[test]
fn what_has_our_names_and_not_our_tags_is_neither_taken_over_nor_taken_away() {
    let mut lab = alike("tasks-others", 1);
    let client = lab.emulator.client();
    let name = format!("seatbox-{}", lab.name);
    client.json(
        "ecs",
        "CreateCluster",
        &serde_json::json!({"clusterName": name}),
    );
    lab.note_others();
    let ran = lab.run(&["up"]).exits(3);
    ran.says(&[
        "which does not carry our tags",
        "give the environment another name",
    ]);
    lab.down();
}
