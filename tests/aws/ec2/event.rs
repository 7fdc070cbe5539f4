//! A whole event, from the evening before to the certificate.

use super::lab::{Lab, states};

const SEATS: u32 = 23;

#[test]
fn seats_come_up_are_put_back_live_longer_and_leave_nothing() {
    let lab = Lab::new("event", SEATS);
    let report = lab.up();
    assert_eq!(report["seats"].as_array().unwrap().len(), SEATS as usize);
    let first = lab.assert_seats(SEATS);
    assert_eq!(
        std::fs::read_to_string(lab.workspace(&first[6], "hello.go")).unwrap(),
        "package main\n"
    );

    let status = lab.json(&["status"]);
    assert_eq!(states(&status), ["ready"], "{status:#}");

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
    lab.down();
}
