//! What AWS has not, and what an account may not have.

use super::lab::{Running, alike, assert_seats, describe, running};
use crate::aws::ec2::lab::{Lab, failures};
use crate::support::aws::answer::Refusal;
use crate::support::aws::capacity::Shortage;

/// Has so many tasks fit in a zone, and Fargate say so when there is no room for more.
fn leave_room(lab: &Lab, zone: &str, room: u64, shortage: Shortage) {
    lab.proxy.set(|settings| {
        settings.capacity.fargate_room.insert(zone.to_owned(), room);
        settings.capacity.fargate_shortage = shortage;
    });
}

#[test]
fn seats_go_where_there_is_room_however_fargate_says_that_there_is_none() {
    let lab = alike("tasks-zone", 4);
    for shortage in [Shortage::Failure, Shortage::Error, Shortage::End] {
        // Whichever of the two zones AWS takes first, there is no room for all in it.
        leave_room(&lab, "eu-central-1a", 1, shortage);
        lab.up();
        let zones = |zone: &str| {
            let running = assert_seats(&lab, 4).into_iter();
            running.filter(|one: &Running| one.zone == zone).count()
        };
        let zones = [zones("eu-central-1a"), zones("eu-central-1b")];
        assert_eq!(zones, [1, 3], "{shortage:?}");
        lab.down();
    }
}

#[test]
fn seats_without_any_room_are_named_and_come_once_there_is_some() {
    let lab = alike("tasks-room", 3);
    for (capacity, shortage) in [
        ("fargate", Shortage::Failure),
        ("fargate-spot", Shortage::End),
    ] {
        describe(&lab, 3, &format!("ecs: {{capacity: {capacity}}}\n"));
        leave_room(&lab, "*", 2, shortage);
        let ran = lab.run(&["up", "--output", "json"]).exits(3);
        let ran = ran.says(&["Capacity is unavailable"]);
        assert_eq!(failures(&ran.json(), "capacity").len(), 1, "{ran}");
        assert_eq!(running(&lab).len(), 2);
        lab.proxy
            .set(|settings| settings.capacity.fargate_room.clear());
        lab.up();
        assert_seats(&lab, 3);
        lab.down();
    }
}

#[test]
fn of_23_seats_with_a_quota_for_20_3_are_named_with_the_quota() {
    let lab = alike("tasks-quota", 23);
    lab.proxy
        .set(|settings| settings.capacity.fargate_vcpus = Some(20));
    lab.run(&["up"])
        .exits(2)
        .says(&["L-3032A538", "23 vCPUs needed", "20 allowed"]);
    lab.assert_nothing_left();

    // Who may not read quotas learns of them in the launch.
    let refusal = Refusal::new("AccessDeniedException", "You are not authorized");
    lab.proxy.set(|settings| {
        for action in ["GetServiceQuota", "ListServiceQuotas"] {
            settings.refuse(action, refusal.clone());
        }
    });
    lab.proxy.counts().reset();
    let ran = lab.run(&["up", "--output", "json"]).exits(3);
    let failures = failures(&ran.json(), "quota");
    assert_eq!(failures.len(), 3, "{ran}");
    for failure in failures {
        let hint = failure["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("L-3032A538"), "{ran}");
        assert!(hint.contains("23 seats need 23 vCPUs"), "{ran}");
    }
    assert_eq!(running(&lab).len(), 20);
    // Asking again and again does not raise a quota.
    let asked = lab.proxy.counts().of("RunTask").total();
    assert!(asked <= 23, "{:#?}", lab.proxy.counts().by_action());
    lab.proxy
        .set(|settings| settings.capacity.fargate_vcpus = None);
    lab.up();
    assert_seats(&lab, 23);
    lab.down();
}
