use std::time::Duration;

use super::*;
use crate::engine::{FailureClass, SeatOutcome};

fn view(number: u32, state: SeatState) -> SeatView {
    SeatView {
        seat: SeatNumber::new(number).unwrap(),
        group: 1,
        state,
        services: Vec::new(),
        address: None,
        ports: Vec::new(),
        expires: None,
        took: None,
    }
}

fn outcome(results: Vec<SeatResult>) -> Outcome {
    let seats = (1..).filter_map(SeatNumber::new).zip(results);
    let took = Duration::from_millis(62_100);
    Outcome {
        seats: seats
            .map(|(seat, result)| (seat, SeatOutcome { result, took }))
            .collect(),
        took,
        ..Outcome::default()
    }
}

fn closing(seats: &[SeatView], outcome: &Outcome) -> String {
    text(&Closing {
        environment: &"gopher-guangzhou-2024".parse().unwrap(),
        seats,
        outcome,
        expires: Some("2024-10-20T12:00:00Z".parse().unwrap()),
        again: "seatbox up x.yaml",
        next: &[(
            "seatbox shell x.yaml --seats 1".to_owned(),
            "a shell in seat 01".to_owned(),
        )],
    })
}

fn taken() -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "start container",
        "the port\nis taken",
    )
    .with_hint("stop what listens there")
}

#[test]
fn all_ready() {
    let seats = [view(1, SeatState::Ready), view(2, SeatState::Ready)];
    let outcome = outcome(vec![SeatResult::Done, SeatResult::Unchanged]);
    assert_eq!(
        closing(&seats, &outcome),
        "\
2 seats are ready, after 1 min 02 s.
gopher-guangzhou-2024 expires 2024-10-20 12:00 UTC.
Next:
  seatbox shell x.yaml --seats 1  a shell in seat 01
"
    );
}

#[test]
fn nothing_to_change() {
    let outcome = outcome(vec![SeatResult::Unchanged]);
    let text = closing(&[view(1, SeatState::Ready)], &outcome);
    assert!(
        text.starts_with("Nothing to change: 1 seat is ready.\n"),
        "{text}"
    );
}

#[test]
fn failed_seats_of_one_cause_are_named_together() {
    let seats = [
        view(1, SeatState::Ready),
        view(2, SeatState::Degraded),
        view(3, SeatState::Absent),
        view(4, SeatState::Absent),
    ];
    let other = Failure::new(FailureClass::NotFound, "get image", "it is nowhere");
    let outcome = outcome(vec![
        SeatResult::Done,
        SeatResult::Failed(taken()),
        SeatResult::Failed(taken()),
        SeatResult::Failed(other),
    ]);
    assert_eq!(
        closing(&seats, &outcome),
        "\
1 of 4 seats are ready, 3 failed, after 1 min 02 s.
gopher-guangzhou-2024 expires 2024-10-20 12:00 UTC.
seats 02-03 failed: start container: the port is taken
  left: what was made before it stays, for you to look at
  hint: stop what listens there
seat 04 failed: get image: it is nowhere
  left: nothing of it exists
Next:
  seatbox up x.yaml               goes on from here and leaves alone what is done
  seatbox shell x.yaml --seats 1  a shell in seat 01
"
    );
}

#[test]
fn an_interrupted_run_says_what_exists() {
    let seats = [view(1, SeatState::Ready), view(2, SeatState::Absent)];
    let mut outcome = outcome(vec![SeatResult::Done, SeatResult::Interrupted]);
    outcome.interrupted = true;
    let text = closing(&seats, &outcome);
    assert!(
        text.starts_with("Interrupted after 1 min 02 s: 1 of 2 seats are ready, 1 not finished.\n"),
        "{text}"
    );
    assert!(text.contains("  seatbox up x.yaml  "), "{text}");
}

#[test]
fn where_nothing_exists_there_is_nothing_to_enter_or_to_expire() {
    let outcome = outcome(vec![SeatResult::Failed(taken())]);
    let text = closing(&[view(1, SeatState::Absent)], &outcome);
    assert!(
        !text.contains("expires") && !text.contains("shell"),
        "{text}"
    );
    assert!(text.contains("nothing of it exists"), "{text}");
}
