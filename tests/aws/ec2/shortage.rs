//! What AWS has not, and what an account may not have.

use super::lab::{Lab, failures};
use crate::support::aws::answer::Refusal;

#[test]
fn seats_go_where_there_is_room() {
    let lab = Lab::new("zone", 5);
    lab.proxy
        .set(|settings| settings.capacity.without("*", "eu-central-1a"));
    lab.up();
    let alive = lab.assert_seats(5);
    assert!(
        alive.iter().all(|one| one.zone == "eu-central-1b"),
        "{alive:?}"
    );
    lab.down();

    // The rest of a zone is not left unused where no zone has room for all.
    lab.proxy.set(|settings| {
        settings.capacity.room.clear();
        settings.capacity.without("t3.small", "*");
        let room = &mut settings.capacity.room;
        room.insert(("t3a.small".to_owned(), "eu-central-1a".to_owned()), 2);
        room.insert(("t3a.small".to_owned(), "eu-central-1b".to_owned()), 3);
    });
    lab.up();
    let alive = lab.assert_seats(5);
    assert!(alive.iter().all(|one| one.kind == "t3a.small"), "{alive:?}");
    lab.down();
}

#[test]
fn seats_without_any_room_are_named_and_come_once_there_is_some() {
    let lab = Lab::new("room", 3);
    lab.proxy.set(|settings| {
        let room = &mut settings.capacity.room;
        room.insert(("*".to_owned(), "*".to_owned()), 2);
    });
    let ran = lab.run(&["up", "--output", "json"]).exits(3);
    assert_eq!(failures(&ran.json(), "capacity").len(), 1, "{ran}");
    assert_eq!(lab.alive().len(), 2);
    lab.proxy.set(|settings| settings.capacity.room.clear());
    lab.up();
    lab.assert_seats(3);
    lab.down();
}

#[test]
fn of_23_seats_with_a_quota_for_20_3_are_named_with_the_quota() {
    let lab = Lab::new("quota", 23);
    lab.proxy.set(|settings| settings.capacity.vcpus = Some(40));
    lab.run(&["up"])
        .exits(2)
        .says(&["L-1216C47A", "46 vCPUs needed", "40 allowed"]);
    lab.assert_nothing_left();

    // Who may not read quotas learns of them in the launch.
    let refusal = Refusal::new("AccessDeniedException", "You are not authorized");
    lab.proxy.set(|settings| {
        for action in ["GetServiceQuota", "ListServiceQuotas"] {
            settings.refuse(action, refusal.clone());
        }
    });
    let ran = lab.run(&["up", "--output", "json"]).exits(3);
    let failures = failures(&ran.json(), "quota");
    assert_eq!(failures.len(), 3, "{ran}");
    for failure in failures {
        let hint = failure["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("L-1216C47A"), "{ran}");
    }
    assert_eq!(lab.alive().len(), 20);
    // Asking again and again does not raise a quota.
    let asked = lab.proxy.counts().of("RunInstances").failed;
    assert!(asked <= 6, "{:#?}", lab.proxy.counts().by_action());
    lab.proxy.set(|settings| settings.capacity.vcpus = None);
    lab.up();
    lab.assert_seats(23);
    lab.down();
}

#[test]
fn a_lone_seat_without_a_quota_is_told_which_one_it_is() {
    let lab = Lab::new("alone", 1);
    let refusal = Refusal::new("AccessDeniedException", "You are not authorized");
    lab.proxy.set(|settings| {
        settings.capacity.vcpus = Some(1);
        for action in ["GetServiceQuota", "ListServiceQuotas"] {
            settings.refuse(action, refusal.clone());
        }
    });
    let ran = lab.run(&["up", "--output", "json"]).exits(3);
    let failures = failures(&ran.json(), "quota");
    let hint = failures[0]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("(L-1216C47A): a seat of"), "{ran}");
    assert!(hint.ends_with("needs 2 vCPUs"), "{ran}");
    lab.down();
}

#[test]
fn more_ways_in_than_a_group_may_have_are_told_before_anything_is_made() {
    let lab = Lab::new("ways", 1);
    let file = std::fs::read_to_string(lab.desk.path("seatbox.yaml")).unwrap();
    let ranges: Vec<String> = (1..=61).map(|n| format!("203.0.113.{n}/32")).collect();
    lab.desk.write(
        "seatbox.yaml",
        file.replace("203.0.113.0/24", &ranges.join(", ")),
    );
    lab.run(&["up"])
        .exits(2)
        .says(&["L-0EA8095F", "122 rules needed", "60 allowed"]);
    lab.assert_nothing_left();
}
