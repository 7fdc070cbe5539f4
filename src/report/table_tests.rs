use std::time::Duration;

use super::*;
use crate::engine::{Failure, FailureClass, SeatOutcome};
use crate::model::SeatNumber;
use crate::model::stack::ContainerPort;

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

fn service(name: &str, state: &str, problem: Option<&str>) -> ServiceView {
    ServiceView {
        service: name.parse().unwrap(),
        id: None,
        state: state.to_owned(),
        problem: problem.map(str::to_owned),
    }
}

fn port(service: &str, number: u16, protocol: Protocol, host_port: u16) -> PortView {
    PortView {
        service: service.parse().unwrap(),
        port: ContainerPort { number, protocol },
        address: "127.0.0.1".parse().unwrap(),
        host_port,
    }
}

fn ready() -> SeatView {
    SeatView {
        seat: seat(1),
        group: 1,
        state: SeatState::Ready,
        services: vec![
            service("go", "running", None),
            service("redis", "running", None),
        ],
        address: Some("10.77.0.2".parse().unwrap()),
        ports: vec![
            port("postgres", 5432, Protocol::Tcp, 20001),
            port("dns", 53, Protocol::Udp, 20002),
        ],
        expires: None,
        took: None,
    }
}

fn broken() -> SeatView {
    SeatView {
        seat: seat(13),
        group: 2,
        state: SeatState::Degraded,
        services: vec![
            service("go", "running", None),
            service("redis", "exited", Some("已退出 (137)")),
            service("postgres", "running", Some("not healthy")),
        ],
        address: None,
        ports: Vec::new(),
        expires: None,
        took: None,
    }
}

fn outcome() -> Outcome {
    let failure = Failure::new(
        FailureClass::Conflict,
        "start container",
        "the port is taken",
    );
    let mut outcome = Outcome::default();
    for (number, result) in [(1, SeatResult::Done), (13, SeatResult::Failed(failure))] {
        let took = Duration::from_millis(6200);
        outcome
            .seats
            .insert(seat(number), SeatOutcome { result, took });
    }
    outcome
}

#[test]
fn seats_are_a_row_each_with_the_causes_below() {
    assert_eq!(
        seats(&[ready(), broken()], &outcome(), Canvas::default()),
        "\
SEAT  GROUP  STATE   ADDRESS    PORTS                                                      TOOK
01    1      ready   10.77.0.2  postgres 5432→127.0.0.1:20001, dns 53/udp→127.0.0.1:20002  6.2 s
13    2      failed  -          -                                                          6.2 s
13 failed: start container: the port is taken
"
    );
}

#[test]
fn a_status_names_each_problem() {
    assert_eq!(
        status(&[ready(), broken()], Canvas::default()),
        "\
SEAT  GROUP  STATE     SERVICES             PORTS                                                      PROBLEM
01    1      ready     2 running            postgres 5432→127.0.0.1:20001, dns 53/udp→127.0.0.1:20002  -
13    2      degraded  2 running, 1 exited  -                                                          redis: 已退出 (137); postgres: not healthy
"
    );
}

#[test]
fn columns_align_after_chinese_text() {
    let rows = vec![
        vec![Cell::new("广州 Gopher"), Cell::new("二")],
        vec![Cell::new("Gopher"), Cell::new("2")],
    ];
    assert_eq!(
        Canvas::default().table(&["TITLE", "NEXT"], rows),
        "\
TITLE        NEXT
广州 Gopher  二
Gopher       2
"
    );
}

#[test]
fn a_narrow_terminal_wraps_and_is_not_exceeded() {
    let canvas = Canvas {
        colour: false,
        width: Some(60),
    };
    let text = status(&[ready(), broken()], canvas);
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 60, "{widest} columns:\n{text}");
    assert!(text.lines().count() > 3, "{text}");
}

#[test]
fn images_say_why_they_are_nowhere() {
    let image = |name: &str, reference: &str, from, verb: &str, reasons: &[&str]| ImageView {
        image: name.to_owned(),
        reference: reference.to_owned(),
        from,
        verb: verb.to_owned(),
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
    };
    let text = images(
        &[
            image(
                "redis:7",
                "seatbox.local/redis:7",
                ImageFrom::Recipe,
                "build",
                &[],
            ),
            image(
                "x:1",
                "x:1",
                ImageFrom::Nowhere,
                "keep",
                &["no recipe stands in for it"],
            ),
        ],
        Canvas::default(),
    );
    assert_eq!(
        text,
        "\
IMAGE    FROM     RUNS                   ACTION
redis:7  recipe   seatbox.local/redis:7  build
x:1      nowhere  x:1                    keep
x:1: no recipe stands in for it
"
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    let canvas = Canvas {
        colour: true,
        width: None,
    };
    let coloured = seats(&[ready(), broken()], &outcome(), canvas);
    let plain = seats(&[ready(), broken()], &outcome(), Canvas::default());
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(words(&stripped), words(&plain));
}
