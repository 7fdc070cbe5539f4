//! A sweep by a machine that knows nothing but the account, and what it goes by.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::lab::{assert_seats, ends, lab, set_ends};
use crate::support::desk::{Desk, Ran, run};

#[test]
fn a_sweep_takes_what_is_past_its_time_and_not_before() {
    let lab = lab("tasks-sweep", 3);
    lab.up();
    let extended = lab.json(&["extend", "--by", "1h"]);
    let end = extended["expires"].as_str().unwrap().to_owned();
    assert_eq!(ends(&lab), BTreeSet::from([end]));

    let elsewhere = Desk::new();
    let sweep = || -> Ran {
        let arguments = ["sweep", "--provider", "ecs", "--output", "json"];
        run(&mut lab.command_at(&elsewhere, &arguments)).exits(0)
    };
    let kept = sweep().json();
    assert_eq!(kept["deleted"], json!([]), "{kept:#}");
    assert_seats(&lab, 3);

    // Of two moments that tags say the later one counts.
    let hour = SignedDuration::from_hours(1);
    let over = Timestamp::now() - hour;
    set_ends(&lab, over);
    let later = json!([{
        "key": "dev.seatbox.expires", "value": (Timestamp::now() + hour).to_string(),
    }]);
    let one = json!({"resourceArn": assert_seats(&lab, 3)[0].arn, "tags": later});
    lab.emulator.client().json("ecs", "TagResource", &one);
    sweep();
    assert_seats(&lab, 3);

    set_ends(&lab, over);
    assert_eq!(ends(&lab), BTreeSet::from([over.to_string()]));
    let certificate = sweep().json();
    assert_eq!(certificate["clean"], true, "{certificate:#}");
    lab.assert_nothing_left();
}
