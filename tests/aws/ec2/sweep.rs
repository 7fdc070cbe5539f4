//! A sweep by a machine that knows nothing but the account.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::lab::{Lab, states};
use crate::support::aws::client::REGION;
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

#[test]
fn a_sweep_of_several_regions_has_one_certificate_and_names_the_one_that_is_closed() {
    const OTHER: &str = "us-west-2";
    const CLOSED: &str = "ap-south-1";
    let lab = Lab::new("regions", 2);
    lab.answer_at_once();
    lab.up();
    let report = lab.json(&["up", "--set", "aws.region=us-west-2"]);
    assert_eq!(states(&report), ["ready"], "{report:#}");
    lab.proxy.set(|settings| {
        settings.closed_regions.insert(CLOSED.to_owned());
    });
    let elsewhere = Desk::new();
    let sweep = |more: &[&str]| -> Ran {
        let own = ["sweep", "--provider", "ec2", "--all", "--only", &lab.name];
        let regions = ["--region", REGION, "--region", OTHER, "--region", OTHER];
        let all = [&own[..], &regions, &["--output", "json"], more].concat();
        run(&mut lab.command_at(&elsewhere, &all))
    };

    let plan = sweep(&["--dry-run"]).exits(0).json();
    let actions = plan["actions"].as_array().unwrap();
    let in_region = |region: &str| {
        let meant = actions.iter().filter(|action| action["region"] == region);
        meant.count()
    };
    assert_eq!(in_region(REGION), in_region(OTHER), "{plan:#}");
    assert_eq!(in_region(REGION) + in_region(OTHER), actions.len());
    for (place, action) in actions.iter().enumerate() {
        assert_eq!(action["id"], place);
        let after = action["after"].as_array().unwrap();
        let same = |id: &serde_json::Value| {
            actions[usize::try_from(id.as_u64().unwrap()).unwrap()]["region"] == action["region"]
        };
        assert!(after.iter().all(same), "{plan:#}");
    }
    lab.assert_seats(2);
    let partly = sweep(&["--dry-run", "--region", CLOSED]).exits(3).json();
    assert_eq!(partly["actions"], plan["actions"]);
    let notice = partly["notices"][0].as_str().unwrap();
    assert!(
        notice.starts_with("ap-south-1 was not looked at"),
        "{notice}"
    );

    let swept = sweep(&["--region", CLOSED]).exits(3).json();
    assert_eq!(swept["clean"], false, "{swept:#}");
    assert_eq!(swept["unseen"].as_array().unwrap().len(), 1, "{swept:#}");
    assert_eq!(swept["unseen"][0]["region"], CLOSED);
    assert_eq!(swept["unseen"][0]["failure"]["class"], "denied");
    let deleted = swept["deleted"].as_array().unwrap();
    let instances: Vec<&str> = deleted
        .iter()
        .filter(|thing| thing["kind"] == "instance")
        .map(|thing| thing["region"].as_str().unwrap())
        .collect();
    assert_eq!(instances, [REGION, REGION, OTHER, OTHER]);
    lab.assert_nothing_left();
    let nothing = sweep(&[]).exits(0).json();
    assert_eq!(nothing["clean"], true, "{nothing:#}");
    assert_eq!(nothing["found"], serde_json::json!([]));
}
