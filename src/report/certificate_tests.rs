use jiff::Timestamp;

use super::*;
use crate::engine::{Failure, FailureClass};
use crate::model::SeatNumber;
use crate::report::view::{LookAgain, SecondLook, Seen};

fn thing(kind: &str, name: &str) -> Thing {
    Thing {
        environment: "gopher-guangzhou-2024".parse().unwrap(),
        region: None,
        seat: SeatNumber::new(7),
        kind: kind.to_owned(),
        name: name.to_owned(),
        id: "4f2a".into(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn look(found: usize) -> LookAgain {
    LookAgain {
        at: at("2024-10-20T10:00:09Z"),
        found,
    }
}

fn clean() -> CertificateView {
    let things = vec![
        thing("container", "go"),
        thing("container", "redis"),
        thing("network", "seat"),
    ];
    CertificateView {
        environments: vec!["gopher-guangzhou-2024".parse().unwrap()],
        scope: Scope::Environments,
        found: things.clone(),
        deleted: things,
        failed: Vec::new(),
        kept: Vec::new(),
        looks: vec![look(0), look(0)],
        second: None,
        unseen: Vec::new(),
        started: at("2024-10-20T10:00:00Z"),
        finished: at("2024-10-20T10:00:09.25Z"),
    }
}

#[test]
fn a_clean_certificate_says_that_nothing_is_left() {
    assert_eq!(
        text(&clean()),
        "\
found    3: 2 containers, 1 network
deleted  3: 2 containers, 1 network
looked   twice again until 2024-10-20T10:00:09Z: nothing
nothing of gopher-guangzhou-2024 is left
"
    );
}

#[test]
fn what_is_left_is_named_with_what_is_in_the_way() {
    let mut view = clean();
    let network = view.deleted.pop().unwrap();
    let failure = Failure::new(
        FailureClass::Conflict,
        "delete network",
        "container x is on it",
    )
    .with_hint("disconnect it");
    view.failed.push((network, failure));
    view.kept
        .push((thing("volume", "work"), "not past its time".to_owned()));
    view.looks = vec![look(2), look(1), look(1)];
    view.scope = Scope::Seats(SeatNumber::new(7).into_iter().collect());
    assert_eq!(
        text(&view),
        "\
found    3: 2 containers, 1 network
deleted  2: 2 containers
failed   1: 1 network
  network seat: delete network: container x is on it (disconnect it)
kept     1: 1 volume
  volume work: not past its time
looked   3 times again until 2024-10-20T10:00:09Z: 2, then 1, then 1
1 thing is left of seats 07 of gopher-guangzhou-2024
"
    );
}

#[test]
fn a_look_by_another_list_is_told_of_and_counts() {
    let mut view = clean();
    let at = at("2024-10-20T10:00:11Z");
    let second = |seen| Some(SecondLook { at, seen });
    let told = |view: &CertificateView| {
        let text = text(view);
        let lines: Vec<String> = text.lines().skip(2).map(str::to_owned).collect();
        lines
    };
    let looked =
        "looked   twice again until 2024-10-20T10:00:09Z, by each service's own lists: nothing";
    let nothing = "nothing of gopher-guangzhou-2024 is left";

    view.second = second(Ok(Seen {
        listed: 25,
        left: 0,
    }));
    let tags = "by tags  the list of AWS's tagging API: 25 things on it, all gone since";
    assert_eq!(told(&view), [looked, tags, nothing]);
    view.second = second(Ok(Seen { listed: 0, left: 0 }));
    let tags = "by tags  the list of AWS's tagging API: nothing is on it";
    assert_eq!(told(&view), [looked, tags, nothing]);

    // What may not be read is no reason to come again.
    let denied = Failure::new(FailureClass::Denied, "GetResources", "no");
    view.second = second(Err(denied));
    let tags = "by tags  the list of AWS's tagging API: can't be read: GetResources: no";
    assert_eq!(told(&view), [looked, tags, nothing]);

    let lost = Failure::new(FailureClass::Timeout, "GetResources", "no");
    view.second = second(Err(lost));
    assert!(!view.is_clean());
    let unknown = "whether anything of gopher-guangzhou-2024 is left is not known: the looks are not complete";
    assert_eq!(told(&view), [looked, tags, unknown]);

    let snapshot = thing("snapshot", "arn:aws:ec2:::snapshot/snap-1");
    let failure = Failure::new(FailureClass::Conflict, "look again", "still");
    view.failed.push((snapshot, failure));
    view.second = second(Ok(Seen {
        listed: 25,
        left: 1,
    }));
    assert!(!view.is_clean());
    let failed = "  snapshot arn:aws:ec2:::snapshot/snap-1: look again: still";
    let tags = "by tags  the list of AWS's tagging API: 25 things on it, 1 there still";
    let left = "1 thing is left of gopher-guangzhou-2024";
    let lines = ["failed   1: 1 snapshot", failed, looked, tags, left];
    assert_eq!(told(&view), lines);
}

#[test]
fn one_look_proves_nothing() {
    let mut view = clean();
    view.looks.pop();
    view.scope = Scope::Expired;
    assert!(!view.is_clean());
    let text = text(&view);
    assert!(
        text.ends_with(
            "whether anything of what is past its time is left is not known: \
             the looks are not complete\n"
        ),
        "{text}"
    );
}

#[test]
fn where_nothing_was_nothing_is_left() {
    let mut view = clean();
    view.found.clear();
    view.deleted.clear();
    let text = text(&view);
    assert!(
        text.starts_with("found    nothing\ndeleted  nothing\n"),
        "{text}"
    );
    assert!(
        text.ends_with("nothing of gopher-guangzhou-2024 is left\n"),
        "{text}"
    );
}

#[test]
fn much_that_is_kept_for_one_reason_is_one_line() {
    let mut view = clean();
    for number in 0..20 {
        let thing = thing("container", &format!("redis-{number}"));
        view.kept.push((thing, "expires tomorrow".to_owned()));
    }
    view.kept
        .push((thing("volume", "odd"), "it can't be read".to_owned()));
    let text = text(&view);
    assert!(
        text.contains("\n  gopher-guangzhou-2024, 20: 20 containers: expires tomorrow\n"),
        "{text}"
    );
    assert!(
        text.contains("\n  volume odd: it can't be read\n"),
        "{text}"
    );
    assert_eq!(text.matches("tomorrow").count(), 1, "{text}");
}

#[test]
fn a_region_that_did_not_answer_is_named_and_what_was_elsewhere_says_where() {
    let mut view = clean();
    for thing in &mut view.deleted {
        thing.region = Some("eu-west-1".into());
    }
    let kept = Thing {
        region: Some("eu-west-1".into()),
        ..thing("VPC", "lab")
    };
    view.kept = vec![(kept, "expires tomorrow".to_owned())];
    let silence = Failure::new(FailureClass::Unreachable, "ask AWS", "no answer");
    view.unseen = vec![("us-east-1".into(), silence)];
    let text = text(&view);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[3], "  eu-west-1 VPC lab: expires tomorrow");
    assert!(lines[4].starts_with("unseen   us-east-1: "), "{text}");
    assert_eq!(
        *lines.last().unwrap(),
        "whether anything of gopher-guangzhou-2024 is left in us-east-1 is not known"
    );
}
