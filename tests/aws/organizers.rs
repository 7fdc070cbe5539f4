//! Two organizers at once, whatever seats are: one result.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use seatbox::secret::EventKey;
use secrecy::ExposeSecret as _;

use super::ec2::lab::{Lab, states};
use crate::support::desk::{Desk, Ran, run};
use crate::support::scale::record;

const PATIENCE: Duration = Duration::from_secs(60);

/// How many seats the event has.
pub const SEATS: u32 = 23;

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

/// Two first `up` at once make one event, and both succeed.
pub fn bring_up(lab: &Lab) {
    let other = colleague(lab);
    // What `seatbox key export` would print.
    let key = EventKey::generate().unwrap().export();
    import(lab, &lab.desk, key.expose_secret());
    import(lab, &other, key.expose_secret());

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
    let first = lab.assert_ids(SEATS);
    assert_eq!(lab.ever(), SEATS as usize, "more were made than are needed");
    let vpcs = lab.emulator.listing();
    let vpcs = vpcs.iter().filter(|line| line.starts_with("ec2 vpc "));
    assert_eq!(vpcs.count(), 2, "one comes with every account");
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    run(&mut lab.command_at(&other, &["up"]))
        .exits(0)
        .says(&["Nothing to change"]);
    assert_eq!(lab.assert_ids(SEATS), first);
    lab.down();
    record(
        &format!("{}: two first `up` at once", lab.seats),
        &format!("{SEATS} seats: both exit 0, no duplicates"),
    );
}

/// Two `up` that find what a third one left, which was killed while it made the network, make one event.
pub fn take_over(lab: &Lab, seats: u32) {
    let start = || -> Child {
        lab.command(&["up", "--output", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    lab.proxy.counts().reset();
    let mut killed = start();
    let claimed = || lab.proxy.counts().of("PutParameter").answered > 0;
    let mut arrived = 1;
    while !claimed() {
        assert!(lab.proxy.counts().await_arrival(arrived, PATIENCE));
        arrived += 1;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();

    let both = [start(), start()];
    for child in both {
        let output = child.wait_with_output().unwrap();
        let ran = Ran::new(&lab.command(&["up"]), output).exits(0);
        assert_eq!(states(&ran.json()), ["ready"], "{ran}");
    }
    lab.assert_ids(seats);
    let vpcs = lab.emulator.listing();
    let vpcs = vpcs.iter().filter(|line| line.starts_with("ec2 vpc "));
    assert_eq!(vpcs.count(), 2, "one comes with every account");
    lab.down();
}
