//! Calls that fail, and calls that worked and say that they failed.

use std::path::PathBuf;

use seatbox::engine::retry::with_retries;
use seatbox::provider::docker::connect::{self, EndpointKind};
use seatbox::provider::docker::observe::observe;

use super::proxy::{FAULTS, Fate, FaultProxy};
use crate::docker::event::{Event, SMALL, states};
use crate::support::desk::{Ran, run};
use crate::support::scale::{full, record, scale, seed};

/// The socket of the machine's engine.
fn socket() -> PathBuf {
    let endpoint = connect::resolve(|name| std::env::var(name).ok(), std::path::Path::new("/"));
    match endpoint.expect("these tests need a Docker engine").kind {
        EndpointKind::Unix(socket) => socket,
        other => panic!("these tests need an engine behind a Unix socket, not {other}"),
    }
}

/// Runs a verb of the event through the proxy.
fn through(proxy: &FaultProxy, event: &Event, arguments: &[&str]) -> Ran {
    let mut command = event.command(arguments);
    command
        .env("DOCKER_HOST", proxy.host())
        .env_remove("DOCKER_CONTEXT");
    run(&mut command)
}

/// What is there of an event with that many seats, each with so many containers, volumes and
/// networks: no more and no less.
async fn assert_whole(event: &Event, seats: usize, each: (usize, usize, usize)) {
    let (containers, volumes, networks) = each;
    assert_eq!(event.containers().await.len(), seats * containers);
    assert_eq!(event.volumes().await.len(), seats * volumes);
    assert_eq!(event.networks().await.len(), seats * networks);
}

/// Up, a second time, reset and down, all of it through the proxy; counts of what went wrong.
pub async fn a_life(
    event: &Event,
    seats: usize,
    each: (usize, usize, usize),
    percent: u32,
) -> String {
    let seed = seed();
    let proxy = FaultProxy::start(&socket(), seed, percent);
    let report = through(&proxy, event, &["up", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(states(&report), ["ready"], "{report:#}");
    assert_eq!(report["seats"].as_array().unwrap().len(), seats);
    assert_whole(event, seats, each).await;

    let before = event.containers().await;
    through(&proxy, event, &["up"]).exits(0);
    assert_eq!(
        event.containers().await,
        before,
        "a second up changed something"
    );

    through(&proxy, event, &["reset", "--all"]).exits(0);
    assert_whole(event, seats, each).await;
    let after = event.containers().await;
    assert!(
        after
            .values()
            .all(|new| before.values().all(|old| old.id != new.id))
    );

    through(&proxy, event, &["status"]).exits(0);
    through(&proxy, event, &["down"]).exits(0);
    event.assert_nothing_left().await;

    let counts = proxy.counts();
    for fate in FAULTS {
        assert!(
            counts.contains_key(&fate),
            "no call had the fate {fate:?}: {counts:?}"
        );
    }
    let calls: usize = counts.values().sum();
    let faults: Vec<String> = counts
        .iter()
        .filter(|(fate, _)| **fate != Fate::Pass)
        .map(|(fate, count)| format!("{count} {fate:?}"))
        .collect();
    format!(
        "{seats} of {seats} ready, none left; {calls} calls, of which {} (seed {seed})",
        faults.join(", ")
    )
}

/// A look is several lists. Made again only as a whole, one in six of these would fail.
#[tokio::test]
async fn looks_succeed_though_one_call_in_three_goes_wrong() {
    let proxy = FaultProxy::start(&socket(), seed(), 35);
    let path = proxy.host();
    let path = path.strip_prefix("unix://").unwrap();
    let client = bollard::Docker::connect_with_unix(path, 60, bollard::API_DEFAULT_VERSION);
    let client = client.unwrap();
    let looks = scale(40, 200);
    let look = async || observe(&client).await;
    let looks = (0..looks).map(|_| with_retries(look, |_, _| {}));
    futures_util::future::try_join_all(looks).await.unwrap();
}

#[tokio::test]
async fn seats_converge_though_one_call_in_eight_goes_wrong() {
    let seats = scale(6, 23);
    let event = Event::new("calls", seats, SMALL).await;
    let result = a_life(&event, seats as usize, (2, 2, 1), 12).await;
    record(
        &format!("12 % of calls, {seats} seats of 2 services"),
        &result,
    );
}

#[tokio::test]
async fn the_shipped_event_converges_though_one_call_in_twenty_goes_wrong() {
    let seats = scale(2, 23);
    let rounds = scale(1, 3);
    for _ in 0..rounds {
        let event = Event::shipped("shipped-calls", seats).await;
        let percent = if full() { 5 } else { 10 };
        let result = a_life(&event, seats as usize, (3, 3, 1), percent).await;
        record(&format!("{percent} % of calls, the shipped event"), &result);
    }
}
