//! How seats end: what is extended stays, what is over goes, and whose clock says so.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, Volume};
use bollard::query_parameters::CreateContainerOptions;
use jiff::{SignedDuration, Timestamp};
use seatbox::cli::sweep::verdict;
use seatbox::engine::Events;
use seatbox::expiry::{Clocks, End};
use seatbox::image::Recipes;
use seatbox::model::EnvironmentName;
use seatbox::model::seat::Owner;
use seatbox::provider::docker::DockerProvider;
use seatbox::removal::{About, Certificate, Scope, Verdict, remove};
use tokio_util::sync::CancellationToken;

use super::event::{Event, IDLE, results};
use super::support::{IMAGE, engine, remove_container};
use crate::support::desk::{Desk, Ran, run};
use crate::support::schema::assert_output;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The environment's leases.
async fn leases(event: &Event) -> Vec<Volume> {
    let mut volumes = event.volumes().await;
    volumes.retain(|volume| volume.labels.contains_key("dev.seatbox.lease"));
    volumes
}

fn moment(text: &serde_json::Value) -> Timestamp {
    text.as_str().expect("a moment").parse().expect("RFC 3339")
}

fn expires(event: &Event) -> Timestamp {
    let status = event.run(&["status", "--output", "json"]).json();
    assert_output(&status, "StatusReport");
    for seat in status["seats"].as_array().unwrap() {
        assert_eq!(seat["expires"], status["expires"], "{status:#}");
    }
    moment(&status["expires"])
}

fn extend(ran: Ran) -> serde_json::Value {
    let report = ran.exits(0).json();
    assert_output(&report, "ExtendReport");
    report
}

/// A sweep of these events alone, by the clocks that it is told.
async fn sweep(events: &[&Event], clocks: Clocks, meanwhile: impl Fn()) -> Certificate {
    let provider = DockerProvider::new(engine().await, None, None, Recipes::default(), clocks.here);
    let ours = |name: &str| events.iter().any(|event| event.name == name);
    let judge = |of: &EnvironmentName, _: Owner, end: &End| {
        if !ours(of.as_str()) {
            return Verdict::Ignore;
        }
        meanwhile();
        verdict(end, false, clocks)
    };
    let about = About {
        scope: Scope::Expired,
        environments: Vec::new(),
    };
    let (heard, _) = Events::channel();
    let cancel = CancellationToken::new();
    let clock = || clocks.here;
    let certificate = remove(&provider, about, judge, clock, &heard, &cancel).await;
    certificate.expect("the engine answers")
}

#[tokio::test]
async fn more_time_is_given_without_touching_a_seat_and_up_has_nothing_to_change() {
    let event = Event::with("extend", 2, IDLE, "lifetime: 1h").await;
    event.up();
    let before = event.containers().await;
    let first = expires(&event);

    let dry = extend(event.run(&["extend", "--by", "2h", "--dry-run", "--output", "json"]));
    assert_eq!(
        (&dry["changed"], &dry["dry_run"]),
        (&true.into(), &true.into())
    );
    assert_eq!(expires(&event), first);

    let report = extend(event.run(&["extend", "--by", "2h", "--output", "json"]));
    assert_eq!(moment(&report["before"]), first);
    assert_eq!(moment(&report["expires"]), first + HOUR * 2);
    assert_eq!(report["seats"], serde_json::json!([1, 2]));
    assert_eq!(expires(&event), first + HOUR * 2);

    // Again, from another machine that has neither the file nor the key.
    let elsewhere = Desk::new();
    let until = first + HOUR * 5;
    let written = format!("{}", until.strftime("%Y-%m-%dT%H:%M:%S+00:00"));
    let end = ["extend", "--only", &event.name, "--until", &written];
    let again = [&end[..], &["--output", "json"]].concat();
    let report = extend(run(elsewhere.seatbox().args(&again)));
    assert_eq!(report["changed"], true);
    assert!(!elsewhere.path("state").exists(), "a key was made");
    let report = extend(run(elsewhere.seatbox().args(&again)));
    assert_eq!(report["changed"], false, "{report:#}");
    assert_eq!(leases(&event).await.len(), 1, "the earlier lease goes");

    let status = event.run(&["status"]).exits(0);
    let shown = until.strftime("%Y-%m-%d %H:%M UTC").to_string();
    assert!(status.stdout.contains(&shown), "{status}");
    let report = event.up();
    assert_eq!(results(&report), ["unchanged"], "{report:#}");
    assert_eq!(moment(&report["expires"]), until);
    event.run(&["plan"]).exits(0).says(&["nothing to change"]);
    assert_eq!(event.containers().await, before);

    // Whoever comes late ends with the others, and so does whoever comes back.
    event.describe(3, "lifetime: 1h");
    event.up();
    let late = event.inspect(&event.container(3, "idle")).await;
    let labels = late.config.unwrap().labels.unwrap();
    assert_eq!(labels["dev.seatbox.expires"], until.to_string());
    event.run(&["down", "--seats", "1-3"]).exits(0);
    assert_eq!(event.everything().await.len(), 1, "the lease stays");
    event
        .run(&["extend", "--by", "1h"])
        .exits(2)
        .says(&["no seat", "seatbox up"]);
    event.run(&["status"]).exits(3);
    event.up();
    assert_eq!(expires(&event), until);
    let certificate = event.down().await;
    let gone = certificate["deleted"].as_array().unwrap();
    assert!(
        gone.iter().any(|thing| thing["kind"] == "lease"),
        "{certificate:#}"
    );
}

#[tokio::test]
async fn an_end_is_never_moved_back_nor_too_far_and_then_nothing_is_changed() {
    let event = Event::with("bounds", 1, IDLE, "lifetime: 1h").await;
    event
        .run(&["extend", "--by", "1h"])
        .exits(2)
        .says(&["seatbox up"]);
    event.assert_nothing_left().await;
    event.up();
    let before = (event.everything().await, event.containers().await);
    let end = expires(&event);
    let earlier = (end - HOUR / 2).to_string();
    for (arguments, words) in [
        (["--until", earlier.as_str()], "never shortens"),
        (["--until", "2024-10-19T18:00"], "never shortens"),
        (["--by", "90d"], "90 days"),
        (["--until", "2399-01-01T00:00"], "90 days"),
    ] {
        event
            .run(&[&["extend"], &arguments[..]].concat())
            .exits(2)
            .says(&[words, "hint:"]);
    }
    assert_eq!((event.everything().await, event.containers().await), before);
    assert_eq!(expires(&event), end);
    event.down().await;
}

#[tokio::test]
async fn two_extensions_at_once_end_with_the_later_one() {
    let event = Event::with("race", 1, IDLE, "lifetime: 1h").await;
    event.up();
    let end = expires(&event);
    let mut children = Vec::new();
    for hours in 2..8 {
        let until = (end + HOUR * hours).to_string();
        let mut command = event.command(&["extend", "--until", &until]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        children.push(command.spawn().unwrap());
    }
    for mut child in children {
        // Whoever came after a later one is told that it would be too early.
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 2)), "{code:?}");
    }
    assert_eq!(expires(&event), end + HOUR * 7);
    event.down().await;
}

#[tokio::test]
async fn a_sweep_goes_by_the_clocks_that_it_is_told_and_leaves_the_neighbours() {
    let over = Event::with("over", 1, IDLE, "lifetime: 1h").await;
    let extended = Event::with("extended", 1, IDLE, "lifetime: 1h").await;
    let long = Event::with("long", 1, IDLE, "lifetime: 5h").await;
    let events = [&over, &extended, &long];
    for event in events {
        event.up();
    }
    extended.run(&["extend", "--by", "2h"]).exits(0);
    let neighbours = (extended.containers().await, long.containers().await);
    let now = Timestamp::now();
    let later = now + HOUR * 2;

    // Not over, by one clock or by both.
    for (engine, here) in [(now, now), (later, now), (now, later)] {
        let certificate = sweep(&events, Clocks { engine, here }, || ()).await;
        assert!(certificate.is_clean());
        assert_eq!(certificate.found, [], "{engine} {here}");
    }
    let certificate = sweep(&events, Clocks::agreeing(later), || ()).await;
    assert!(certificate.is_clean());
    over.assert_nothing_left().await;
    // A container, a network, a volume, and a lease of the one.
    assert_eq!((certificate.deleted.len(), certificate.kept.len()), (3, 7));
    assert_eq!(
        (extended.containers().await, long.containers().await),
        neighbours
    );

    // A lease goes with its seats, and where there are none any more, alone.
    long.run(&["extend", "--by", "1h"]).exits(0);
    long.run(&["down", "--seats", "1"]).exits(0);
    assert_eq!(long.everything().await.len(), 1);
    let certificate = sweep(&events, Clocks::agreeing(now + HOUR * 24), || ()).await;
    assert!(certificate.is_clean());
    extended.assert_nothing_left().await;
    long.assert_nothing_left().await;
}

#[tokio::test]
async fn what_is_extended_while_it_is_swept_keeps_what_is_left() {
    let event = Event::with("meanwhile", 1, IDLE, "lifetime: 1h").await;
    event.up();
    let network = event.part(1, "default");
    // Keeps the network from going in the first round.
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        entrypoint: Some(vec!["sleep".to_owned(), "infinity".to_owned()]),
        labels: Some(event.by_hand()),
        host_config: Some(HostConfig {
            network_mode: Some(network.clone()),
            init: Some(true),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let docker = &event.docker;
    let guest = docker
        .create_container(None::<CreateContainerOptions>, body)
        .await
        .unwrap()
        .id;
    docker.start_container(&guest, None).await.unwrap();

    let extended = AtomicBool::new(false);
    let clocks = Clocks::agreeing(Timestamp::now() + HOUR * 2);
    let certificate = sweep(&[&event], clocks, || {
        // After the first look, and before the first deletion.
        if !extended.swap(true, Ordering::Relaxed) {
            event.run(&["extend", "--by", "4h"]).exits(0);
        }
    })
    .await;
    let named = |things: Vec<&str>| things.iter().any(|name| **name == network);
    let deleted = certificate.deleted.iter().map(|thing| thing.name.as_str());
    assert!(!named(deleted.collect()), "{certificate:#?}");
    let kept = certificate
        .kept
        .iter()
        .map(|(thing, _)| thing.name.as_str());
    assert!(named(kept.collect()), "{certificate:#?}");
    assert!(certificate.is_clean(), "{certificate:#?}");
    assert_eq!(event.networks().await.len(), 1);
    assert_eq!(leases(&event).await.len(), 1);

    event.up();
    let left = expires(&event).duration_since(clocks.here);
    assert!(left > HOUR, "{left}");
    remove_container(docker, &guest).await;
    event.down().await;
}

#[tokio::test]
async fn what_has_expired_and_is_still_there_can_be_extended() {
    let event = Event::with("late", 1, IDLE, "lifetime: 1s").await;
    event.up();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = event.containers().await;
    event.run(&["status"]).says(&["expired", "seatbox extend"]);
    let report = extend(event.run(&["extend", "--by", "1h", "--output", "json"]));
    assert!(
        report["notices"][0].as_str().unwrap().contains("expired"),
        "{report:#}"
    );
    let ahead = moment(&report["expires"]).duration_since(moment(&report["before"]));
    assert!(ahead > HOUR, "it counts from now: {ahead}");
    run(event.desk.seatbox().args(["sweep", "--only", &event.name])).exits(0);
    assert_eq!(event.containers().await, before);
    event.down().await;
}

#[tokio::test]
async fn two_sweeps_at_once_both_end_well() {
    let event = Event::with("twice", 3, IDLE, "lifetime: 1s").await;
    event.up();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let sweeps: Vec<_> = (0..2)
        .map(|_| {
            let mut command = event.desk.seatbox();
            command
                .args(["sweep", "--quiet", "--only", &event.name])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            (command.spawn().unwrap(), command)
        })
        .collect();
    for (child, command) in sweeps {
        Ran::new(&command, child.wait_with_output().unwrap())
            .exits(0)
            .says(&["nothing of what is past its time is left"]);
    }
    event.assert_nothing_left().await;
}

#[tokio::test]
async fn the_line_for_cron_sweeps_in_crons_own_environment() {
    let event = Event::with("cron", 1, IDLE, "lifetime: 1s").await;
    event.up();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let export = ["export", "cron", "--only", &event.name];
    let crontab = run(event.desk.seatbox().args(export)).exits(0).stdout;
    let line = crontab.lines().last().unwrap();
    let command = line.strip_prefix("*/15 * * * * ").unwrap();
    assert!(!command.contains('%'), "cron would cut it off: {command}");
    let mut shell = Command::new("/bin/sh");
    shell
        .env_clear()
        .env("HOME", event.desk.path(""))
        .env("LOGNAME", "root")
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .current_dir(event.desk.path(""))
        .args(["-c", command]);
    let ran = run(&mut shell).exits(0);
    assert_eq!(ran.all(), "", "cron would mail it");
    event.assert_nothing_left().await;
}
