//! A whole event, from the evening before to the certificate.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::lab::{Lab, states};

const SEATS: u32 = 23;

fn moment(text: &serde_json::Value) -> Timestamp {
    text.as_str().expect("a moment").parse().expect("RFC 3339")
}

#[test]
fn seats_come_up_are_put_back_live_longer_and_leave_nothing() {
    let lab = Lab::new("event", SEATS);
    let report = lab.up();
    assert_eq!(report["seats"].as_array().unwrap().len(), SEATS as usize);
    let first = lab.assert_seats(SEATS);
    let zones: BTreeSet<&str> = first.iter().map(|one| &*one.zone).collect();
    assert_eq!(zones.len(), 2, "{zones:?}");
    let file = |index: usize, name: &str| lab.workspace(&first[index], name);
    let hello = std::fs::read_to_string(file(6, "hello.go"));
    assert_eq!(hello.unwrap(), "package main\n");

    let status = lab.json(&["status"]);
    assert_eq!(states(&status), ["ready"], "{status:#}");

    // Nothing is to be done, and that takes a few looks.
    lab.proxy.counts().reset();
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    let changing = ["Create", "Run", "Put", "Modify", "Delete", "Terminate"];
    for (action, tally) in lab.proxy.counts().by_action() {
        let changes = changing.iter().any(|verb| action.starts_with(verb));
        assert!(!changes, "{action}: {tally:?}");
    }
    let calls = lab.proxy.counts().total().total();
    assert!(
        calls <= 15,
        "{calls}: {:#?}",
        lab.proxy.counts().by_action()
    );

    // A reset keeps the instance and what was written in it, and makes the rest anew.
    std::fs::write(file(6, "mine"), "mine").unwrap();
    std::fs::write(file(7, "mine"), "mine").unwrap();
    lab.json(&["reset", "--seats", "7"]);
    assert_eq!(lab.assert_seats(SEATS), first);
    assert_eq!(std::fs::read_to_string(file(6, "mine")).unwrap(), "mine");
    let ran = |index: usize| {
        let log = format!("{}/root/var/log/docker.log", first[index].id);
        let log = std::fs::read_to_string(lab.instances().join(log)).unwrap();
        log.matches(" down ").count()
    };
    assert_eq!([ran(6), ran(7)], [1, 0]);
    // Unless the workspace is to go as well.
    lab.json(&["reset", "--seats", "7", "--workspace"]);
    let second = lab.assert_seats(SEATS);
    assert_ne!(second[6].id, first[6].id);
    assert_eq!(
        [&second[..6], &second[7..]].concat(),
        [&first[..6], &first[7..]].concat()
    );
    assert!(!lab.workspace(&second[6], "mine").exists());

    // More time, for all that there is.
    let extended = lab.json(&["extend", "--by", "3h"]);
    let (before, after) = (moment(&extended["before"]), moment(&extended["expires"]));
    assert_eq!(after, before + SignedDuration::from_hours(3));
    assert_eq!(lab.ends(), BTreeSet::from([after.to_string()]));
    assert_eq!(moment(&lab.json(&["status"])["expires"]), after);
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);

    // Some go, and the rest with all that they shared.
    lab.json(&["down", "--seats", "20-23"]);
    lab.assert_seats(19);
    lab.down();
    let status = lab.run(&["status", "--output", "json"]).exits(3).json();
    assert_eq!(states(&status), ["absent"]);
    lab.run(&["down"]).exits(0);
}
