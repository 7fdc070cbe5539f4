use std::time::{Duration, Instant};

use super::*;
use crate::engine::{ActionLabel, Failure, FailureClass};
use crate::model::SeatNumber;

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

fn action(
    id: usize,
    of: Option<u32>,
    kind: &str,
    name: &str,
    service: Option<&str>,
) -> ActionLabel {
    ActionLabel {
        id,
        seat: of.map(seat),
        kind: kind.to_owned(),
        name: name.to_owned(),
        service: service.map(|name| name.parse().unwrap()),
        verb: "pull".to_owned(),
        cause: "missing".to_owned(),
    }
}

fn taken() -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "start container",
        "port 20049\nis taken",
    )
    .with_hint("stop what listens there")
}

/// What is written when each of `script` happens so many milliseconds after the begin, with the
/// clock looked at each second between.
fn written(quiet: bool, script: &[(u64, Event)]) -> Vec<String> {
    let mut out = Vec::new();
    let mut plain = if quiet {
        Plain::failures_only(&mut out)
    } else {
        Plain::new(&mut out)
    };
    let begun = Instant::now();
    let mut second = 0;
    for (at, event) in script {
        while second * 1000 < *at {
            plain.tick(begun + Duration::from_secs(second));
            second += 1;
        }
        plain.on(event, begun + Duration::from_millis(*at));
    }
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn a_run_with_one_failure() -> Vec<(u64, Event)> {
    let redis = action(3, Some(7), "container", "seatbox-x-07-redis", Some("redis"));
    let finished = |seat_number, after_ms| Event::SeatFinished {
        seat: seat(seat_number),
        after_ms,
    };
    vec![
        (
            0,
            Event::Started {
                phase: Phase::Up,
                actions: 12,
                seats: vec![(seat(6), 4), (seat(7), 4), (seat(8), 4)],
            },
        ),
        (
            10,
            Event::Notice {
                message: "redis:7 is stood in for".to_owned(),
            },
        ),
        (
            20,
            Event::ActionStarted {
                action: redis.clone(),
            },
        ),
        (
            1500,
            Event::ActionRetried {
                action: redis.clone(),
                failure: Failure::new(FailureClass::Connection, "start container", "reset by peer"),
                pause_ms: 200,
            },
        ),
        (6200, finished(6, 6200)),
        (
            7000,
            Event::ActionFailed {
                action: redis,
                failure: taken(),
            },
        ),
        (
            7000,
            Event::SeatFailed {
                seat: seat(7),
                failure: taken(),
            },
        ),
        (12_000, finished(8, 12_000)),
        (
            12_100,
            Event::Finished {
                phase: Phase::Up,
                took_ms: 12_100,
                failed: 1,
                interrupted: false,
            },
        ),
    ]
}

#[test]
fn a_run_is_told_line_by_line() {
    assert_eq!(
        written(false, &a_run_with_one_failure()),
        [
            "bringing up 3 seats: 12 actions",
            "note: redis:7 is stood in for",
            "07 redis: retrying start container in 0.2 s: reset by peer",
            "06 ready after 6.2 s",
            "07 FAILED: start container: port 20049 is taken (stop what listens there)",
            "bringing up: 1 of 3 seats ready, 1 failed after 10.0 s",
            "08 ready after 12.0 s",
            "finished after 12.1 s: 2 of 3 seats ready, 1 failed",
        ]
    );
}

#[test]
fn quiet_tells_failures_only() {
    assert_eq!(
        written(true, &a_run_with_one_failure()),
        ["07 FAILED: start container: port 20049 is taken (stop what listens there)",]
    );
}

#[test]
fn images_tell_their_bytes_now_and_then() {
    let redis = || action(0, None, "image", "redis:7", None);
    let progress = |at, done| {
        (
            at,
            Event::ActionProgress {
                action: redis(),
                message: "pulling redis:7".to_owned(),
                done: Some(done),
                total: Some(40_000_000),
            },
        )
    };
    let script = [
        (
            0,
            Event::Started {
                phase: Phase::Images,
                actions: 1,
                seats: Vec::new(),
            },
        ),
        (0, Event::ActionStarted { action: redis() }),
        progress(100, 1_000_000),
        progress(200, 2_000_000),
        progress(4000, 9_000_000),
        progress(5200, 12_300_000),
        (
            9000,
            Event::ActionFinished {
                action: redis(),
                took_ms: 9000,
            },
        ),
        (
            9000,
            Event::Finished {
                phase: Phase::Images,
                took_ms: 9000,
                failed: 0,
                interrupted: false,
            },
        ),
    ];
    assert_eq!(
        written(false, &script),
        [
            "getting images: 1 action",
            "image redis:7: pull (missing)",
            "image redis:7: pulling redis:7, 1.0 MB of 40.0 MB",
            "image redis:7: pulling redis:7, 12.3 MB of 40.0 MB",
            "image redis:7: done after 9.0 s",
            "images done after 9.0 s: 1 of 1 done",
        ]
    );
}

#[test]
fn a_shared_failure_is_told_in_full_once() {
    let failed = |seat_number| Event::SeatFailed {
        seat: seat(seat_number),
        failure: taken(),
    };
    let script = [
        (
            0,
            Event::Started {
                phase: Phase::Up,
                actions: 3,
                seats: vec![(seat(1), 1), (seat(2), 1)],
            },
        ),
        (
            5,
            Event::ActionFailed {
                action: action(0, None, "image", "redis:7", None),
                failure: taken(),
            },
        ),
        (5, failed(1)),
        (5, failed(2)),
    ];
    assert_eq!(
        written(false, &script),
        [
            "bringing up 2 seats: 3 actions",
            "image redis:7 FAILED: start container: port 20049 is taken (stop what listens there)",
            "01 FAILED: it needs what failed above",
            "02 FAILED: it needs what failed above",
        ]
    );
}

#[test]
fn how_long_it_still_takes_is_told_once_it_means_something() {
    let done = |at, id| {
        (
            at,
            Event::ActionFinished {
                action: action(id, Some(1), "container", "c", Some("go")),
                took_ms: 1,
            },
        )
    };
    let script = [
        (
            0,
            Event::Started {
                phase: Phase::Up,
                actions: 4,
                seats: vec![(seat(1), 4)],
            },
        ),
        done(1000, 0),
        (
            30_000,
            Event::Finished {
                phase: Phase::Up,
                took_ms: 30_000,
                failed: 0,
                interrupted: true,
            },
        ),
    ];
    assert_eq!(
        written(false, &script),
        [
            "bringing up 1 seat: 4 actions",
            "bringing up: 0 of 1 seats ready after 10.0 s, about 30.0 s left",
            "bringing up: 0 of 1 seats ready after 20.0 s, about 1 min 00 s left",
            "interrupted after 30.0 s: 0 of 1 seats ready",
        ]
    );
}

#[test]
fn a_plan_without_actions_says_nothing() {
    let script = [
        (
            0,
            Event::Started {
                phase: Phase::Up,
                actions: 0,
                seats: Vec::new(),
            },
        ),
        (
            0,
            Event::Finished {
                phase: Phase::Up,
                took_ms: 0,
                failed: 0,
                interrupted: false,
            },
        ),
    ];
    assert!(written(false, &script).is_empty());
}
