//! Clocks that differ: the engine's counts, and a wrong one takes nothing away.

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, states};
use super::relay::with_clock_ahead;
use crate::support::desk::{Ran, run};

const IDLE: &str = "
services:
  idle:
    image: seatbox.local/redis:7
    entrypoint: []
    command: [sleep, infinity]
    init: true
";

/// The program, on the engine behind that socket.
fn relayed(event: &Event, socket: &str, arguments: &[&str]) -> Ran {
    let socket = event.desk.path(socket);
    let mut command = event.command(arguments);
    run(command.env("DOCKER_HOST", format!("unix://{}", socket.display())))
}

#[tokio::test]
async fn a_clock_that_is_hours_off_sweeps_nothing_and_says_which_it_is() {
    let event = Event::with("wrong-clock", 1, IDLE, "lifetime: 1h").await;
    let ahead = SignedDuration::from_hours(3);
    with_clock_ahead(&event.desk.path("ahead.sock"), ahead);
    event.up();
    let before = (event.containers().await, event.everything().await);
    let sweep = |more: &[&str]| {
        let socket = event.desk.path("ahead.sock");
        let mut command = event.desk.seatbox();
        command
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .args(["sweep", "--only", &event.name])
            .args(more);
        run(&mut command)
    };
    for more in [&[][..], &["--dry-run"]] {
        sweep(more)
            .exits(1)
            .says(&["behind the engine's", "nothing was swept", "--all"]);
    }
    assert_eq!((event.containers().await, event.everything().await), before);
    for verb in [
        &["status"][..],
        &["plan"],
        &["up"],
        &["extend", "--by", "3h"],
    ] {
        relayed(&event, "ahead.sock", verb).says(&["note: this machine's clock is", "behind"]);
    }
    assert_eq!(event.containers().await, before.0);
    sweep(&["--all"]).exits(0);
    event.assert_nothing_left().await;
}

#[tokio::test]
async fn lifetimes_count_by_the_engines_clock_and_a_dispute_takes_nothing() {
    let event = Event::with("other-clock", 1, IDLE, "lifetime: 10m").await;
    // Half a minute more, since nobody knows to the second when the engine looked at its clock.
    let ahead = SignedDuration::from_mins(30) + SignedDuration::from_secs(30);
    with_clock_ahead(&event.desk.path("ahead.sock"), ahead);
    let began = Timestamp::now();
    let up = relayed(&event, "ahead.sock", &["up", "--output", "json"]);
    let report = up.exits(0).json();
    assert_eq!(states(&report), ["ready"]);
    let expires: Timestamp = report["expires"].as_str().unwrap().parse().unwrap();
    let lifetime = expires.duration_since(began);
    assert!(lifetime > ahead, "{lifetime}");
    event.down().await;

    // Ten minutes by this machine's clock, and over by the engine's.
    event.up();
    let before = event.containers().await;
    let sweep = ["sweep", "--only", &event.name];
    let socket = event.desk.path("ahead.sock");
    let mut command = event.desk.seatbox();
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    run(command.args(sweep))
        .exits(0)
        .says(&["kept", "30m", "behind the engine's"]);
    assert_eq!(event.containers().await, before);
    event.down().await;
}
