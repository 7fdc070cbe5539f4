//! A sweep by a machine that knows nothing but the account.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::lab::Lab;
use crate::support::desk::{Desk, Ran, run};

#[test]
fn a_sweep_takes_what_is_past_its_time_and_not_before() {
    let lab = Lab::new("sweep", 3);
    lab.up();
    let elsewhere = Desk::new();
    let sweep = || -> Ran {
        let arguments = ["sweep", "--provider", "ec2", "--output", "json"];
        run(&mut lab.command_at(&elsewhere, &arguments)).exits(0)
    };
    let kept = sweep().json();
    assert_eq!(kept["deleted"], serde_json::json!([]), "{kept:#}");
    lab.assert_seats(3);

    // Of two moments that tags say the later one counts.
    let hour = SignedDuration::from_hours(1);
    let over = Timestamp::now() - hour;
    lab.set_ends(over);
    let one = &lab.alive()[0].id;
    let later = (Timestamp::now() + hour).to_string();
    let tag = [
        ("ResourceId.1", &**one),
        ("Tag.1.Key", "dev.seatbox.expires"),
        ("Tag.1.Value", &later),
    ];
    lab.emulator.client().ec2("CreateTags", &tag);
    sweep();
    lab.assert_seats(3);

    lab.set_ends(over);
    assert_eq!(lab.ends(), BTreeSet::from([over.to_string()]));
    let certificate = sweep().json();
    assert_eq!(certificate["clean"], true, "{certificate:#}");
    lab.assert_nothing_left();
}
