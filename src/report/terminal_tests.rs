use std::time::{Duration, Instant};

use indicatif::InMemoryTerm;

use super::*;
use crate::engine::{ActionLabel, Failure, FailureClass, Phase};
use crate::model::SeatNumber;

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

fn action(of: Option<u32>, service: &str) -> ActionLabel {
    ActionLabel {
        id: of.map_or(0, |number| number as usize),
        seat: of.map(seat),
        kind: if of.is_some() { "container" } else { "image" }.to_owned(),
        name: "redis:7".to_owned(),
        service: of.map(|_| service.parse().unwrap()),
        verb: "create".to_owned(),
        cause: "missing".to_owned(),
    }
}

struct Screen {
    memory: InMemoryTerm,
    terminal: Terminal,
    begun: Instant,
}

impl Screen {
    fn new(rows: u16, columns: u16) -> Self {
        let memory = InMemoryTerm::new(rows, columns);
        let target = ProgressDrawTarget::term_like(Box::new(memory.clone()));
        Self {
            memory,
            terminal: Terminal::new(target, Box::new(move || rows), false),
            begun: Instant::now(),
        }
    }

    fn at(&mut self, seconds: u64, event: Event) {
        self.terminal
            .on(&event, self.begun + Duration::from_secs(seconds));
    }

    fn begin(&mut self, seats: u32) {
        self.at(
            0,
            Event::Started {
                phase: Phase::Up,
                actions: seats as usize * 2,
                seats: (1..=seats).map(|number| (seat(number), 2)).collect(),
            },
        );
    }

    fn lines(&self) -> Vec<String> {
        self.memory.contents().lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_seat_has_a_line_while_it_is_worked_at() {
    let mut screen = Screen::new(24, 80);
    screen.begin(2);
    screen.at(
        1,
        Event::ActionStarted {
            action: action(Some(1), "redis"),
        },
    );
    assert_eq!(
        screen.lines(),
        [
            "⠋ bringing up  ──────────── 0 of 2 seats ready  0:01",
            "01  ──────────  0/2   redis: create container",
        ]
    );
    screen.at(
        4,
        Event::ActionFinished {
            action: action(Some(1), "redis"),
            took_ms: 3000,
        },
    );
    assert_eq!(
        screen.lines(),
        [
            "⠋ bringing up  ━━━───────── 0 of 2 seats ready  0:04, ~0:12 left",
            "01  ━━━━━─────  1/2   waiting",
        ]
    );
    screen.at(
        5,
        Event::SeatFinished {
            seat: seat(1),
            after_ms: 5000,
        },
    );
    assert_eq!(
        screen.lines(),
        ["⠋ bringing up  ━━━───────── 1 of 2 seats ready  0:05, ~0:15 left",]
    );
    screen.at(
        6,
        Event::Finished {
            phase: Phase::Up,
            took_ms: 6000,
            failed: 0,
            interrupted: false,
        },
    );
    assert_eq!(screen.memory.contents(), "");
}

#[test]
fn many_seats_fit_a_low_terminal_without_scrolling() {
    let mut screen = Screen::new(12, 80);
    screen.begin(23);
    for number in 1..=23 {
        screen.at(
            1,
            Event::ActionStarted {
                action: action(Some(number), "redis"),
            },
        );
    }
    let lines = screen.lines();
    assert_eq!(lines.len(), 11);
    assert!(lines[0].starts_with("⠋ bringing up"), "{lines:?}");
    assert!(lines[1].starts_with("01  "), "{lines:?}");
    assert!(lines[9].starts_with("09  "), "{lines:?}");
    assert_eq!(lines[10], "… and 14 more");
    for number in 1..=21 {
        screen.at(
            2,
            Event::ActionFinished {
                action: action(Some(number), "redis"),
                took_ms: 1000,
            },
        );
    }
    // Seats at work come before seats that wait for others.
    let lines = screen.lines();
    assert!(lines[7].starts_with("07  "), "{lines:?}");
    assert!(lines[8].starts_with("22  "), "{lines:?}");
    assert!(lines[9].starts_with("23  "), "{lines:?}");
    assert_eq!(lines[10], "… and 14 more");
}

#[test]
fn failures_stay_above_what_moves() {
    let mut screen = Screen::new(24, 80);
    screen.begin(2);
    screen.at(
        1,
        Event::ActionStarted {
            action: action(Some(2), "go"),
        },
    );
    let failure = Failure::new(
        FailureClass::Conflict,
        "start container",
        "端口 20049 已被占用",
    );
    screen.at(
        2,
        Event::SeatFailed {
            seat: seat(1),
            failure,
        },
    );
    assert_eq!(
        screen.lines(),
        [
            "01 FAILED: start container: 端口 20049 已被占用",
            "⠋ bringing up  ──────────── 0 of 2 seats ready, 1 failed  0:02",
            "02  ──────────  0/2   go: create container",
        ]
    );
    screen.at(
        3,
        Event::Finished {
            phase: Phase::Up,
            took_ms: 3000,
            failed: 1,
            interrupted: true,
        },
    );
    assert_eq!(
        screen.lines(),
        ["01 FAILED: start container: 端口 20049 已被占用"]
    );
}

#[test]
fn chinese_text_is_cut_at_the_terminals_width() {
    let mut screen = Screen::new(24, 40);
    screen.begin(1);
    screen.at(
        1,
        Event::ActionStarted {
            action: action(None, ""),
        },
    );
    screen.at(
        1,
        Event::ActionProgress {
            action: action(None, ""),
            message: "下载镜像".repeat(10),
            done: None,
            total: None,
        },
    );
    // 25 columns are left of 40: 12 characters of two columns each.
    let shown = "下载镜像".repeat(3);
    assert_eq!(screen.lines()[1], format!("image redis:7  {shown}"));
    assert_eq!(screen.lines().len(), 2);
}

#[test]
fn an_image_shows_its_bytes() {
    let mut screen = Screen::new(24, 80);
    screen.at(
        0,
        Event::Started {
            phase: Phase::Images,
            actions: 1,
            seats: Vec::new(),
        },
    );
    screen.at(
        1,
        Event::ActionProgress {
            action: action(None, ""),
            message: "pulling redis:7".to_owned(),
            done: Some(12_300_000),
            total: Some(45_600_000),
        },
    );
    assert_eq!(
        screen.lines(),
        [
            "⠋ getting images  ──────────── 0 of 1 done  0:01",
            "image redis:7  pulling redis:7, 12.3 MB of 45.6 MB",
        ]
    );
}

#[test]
fn a_reporter_that_goes_leaves_no_line_behind() {
    let mut screen = Screen::new(24, 80);
    screen.begin(2);
    screen.at(
        1,
        Event::ActionStarted {
            action: action(Some(1), "redis"),
        },
    );
    assert_eq!(screen.lines().len(), 2);
    let memory = screen.memory.clone();
    drop(screen);
    assert_eq!(memory.contents(), "");
}
