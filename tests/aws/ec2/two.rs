//! Two organizers at once: one result.

use std::io::Write as _;
use std::process::{Child, Stdio};

use seatbox::secret::EventKey;
use secrecy::ExposeSecret as _;

use super::lab::{Lab, states};
use crate::support::desk::{Desk, Ran, run};
use crate::support::scale::{record, scale};

const SEATS: u32 = 23;

/// Another machine with the same files.
fn colleague(lab: &Lab) -> Desk {
    let desk = Desk::new();
    for file in ["seatbox.yaml", "stack.yaml", "ssh_config", "first/hello.go"] {
        desk.write(file, std::fs::read(lab.desk.path(file)).unwrap());
    }
    desk
}

fn import(lab: &Lab, desk: &Desk, key: &str) {
    let mut command = lab.command_at(desk, &["key", "import"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(key.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn two_first_ups_at_once_make_one_event_and_both_succeed() {
    for _ in 0..scale(1, 10) {
        let lab = Lab::new("two", SEATS);
        let other = colleague(&lab);
        // What `seatbox key export` would print.
        let key = EventKey::generate().unwrap().export();
        import(&lab, &lab.desk, key.expose_secret());
        import(&lab, &other, key.expose_secret());

        let start = |desk: &Desk| -> Child {
            lab.command_at(desk, &["up", "--output", "json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = [start(&lab.desk), start(&other)];
        for child in both {
            let output = child.wait_with_output().unwrap();
            let ran = Ran::new(&lab.command(&["up"]), output).exits(0);
            let report = ran.json();
            assert_eq!(states(&report), ["ready"], "{ran}");
        }
        let first = lab.assert_seats(SEATS);
        assert_eq!(lab.ever(), SEATS as usize, "more were made than are needed");
        let vpcs = lab.emulator.listing();
        let vpcs = vpcs.iter().filter(|line| line.starts_with("ec2 vpc "));
        assert_eq!(vpcs.count(), 2, "one comes with every account");
        lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
        run(&mut lab.command_at(&other, &["up"]))
            .exits(0)
            .says(&["Nothing to change"]);
        assert_eq!(lab.assert_seats(SEATS), first);
        lab.down();
    }
    record(
        "EC2: two first `up` at once",
        &format!("{SEATS} seats: both exit 0, no duplicates"),
    );
}
