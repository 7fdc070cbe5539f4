//! `down` and `sweep`: all of what is meant, and nothing else.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::event::{Event, IDLE, SMALL, failures};
use super::support::IMAGE;
use crate::support::desk::{Desk, run};
use crate::support::schema::assert_output;

#[tokio::test]
async fn a_dry_run_says_what_would_go_and_why_the_rest_stays_and_deletes_nothing() {
    let event = Event::new("dry", 2, SMALL).await;
    event.up();
    let before = event.containers().await;
    let everything = event.everything().await;
    let dry = event.run(&["down", "--dry-run"]).exits(0);
    for name in &everything {
        assert!(dry.stdout.contains(name.as_str()), "{name} is not in {dry}");
    }
    assert!(!dry.stdout.contains("keep"), "{dry}");
    let dry = event.run(&["down", "--seats", "1", "--dry-run"]).exits(0);
    for name in &everything {
        let line = dry.stdout.lines().find(|line| line.contains(name.as_str()));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {dry}"));
        let kept = name.starts_with(&format!("{}-02", event.name));
        assert_eq!(line.starts_with("keep"), kept, "{line}");
        assert_eq!(line.contains("not among those named"), kept, "{line}");
    }
    let plan = event
        .run(&["down", "--dry-run", "--output", "json"])
        .exits(0)
        .json();
    assert_output(&plan, "PlanReport");
    assert_eq!(plan["changes"], everything.len());
    event
        .run(&["sweep", "--only", &event.name, "--dry-run"])
        .exits(0)
        .says(&["keep", "expires", "nothing to change"]);
    assert_eq!(event.containers().await, before);
    assert_eq!(event.everything().await, everything);
    event.down().await;
}

#[tokio::test]
async fn one_seat_goes_and_the_others_do_not_notice() {
    let event = Event::new("part", 2, SMALL).await;
    event.up();
    let neighbour = event.seat(2).await;
    let certificate = event
        .run(&["down", "--seats", "1", "--output", "json"])
        .exits(0)
        .json();
    assert_output(&certificate, "Certificate");
    assert_eq!(certificate["clean"], true);
    // Two containers, two volumes, a network.
    assert_eq!(
        certificate["deleted"].as_array().unwrap().len(),
        5,
        "{certificate:#}"
    );
    assert_eq!(
        certificate["kept"].as_array().unwrap().len(),
        5,
        "{certificate:#}"
    );
    assert!(event.seat(1).await.is_empty());
    assert_eq!(event.seat(2).await, neighbour);
    event.down().await;
}

#[tokio::test]
async fn sweep_takes_what_is_past_its_time_and_leaves_the_rest() {
    let short = Event::with("short", 1, IDLE, "lifetime: 1s").await;
    let long = Event::with("long", 1, IDLE, "lifetime: 1h").await;
    short.up();
    long.up();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = long.containers().await;

    // Somebody else's desk, with no environment file and no key.
    let elsewhere = Desk::new();
    let dry = run(elsewhere.seatbox().args(["sweep", "--dry-run"])).exits(0);
    let line = |name: &str| {
        let line = dry.stdout.lines().find(|line| line.contains(name));
        line.unwrap_or_else(|| panic!("{name} is not in {dry}"))
    };
    let taken = line(&short.container(1, "idle"));
    assert!(
        taken.contains("expired") && !taken.starts_with("keep"),
        "{taken}"
    );
    let kept = line(&long.container(1, "idle"));
    assert!(
        kept.contains("expires") && kept.starts_with("keep"),
        "{kept}"
    );
    assert_eq!(short.containers().await.len(), 1);

    // Narrowed to these two: others' seats on this engine are not the test's to sweep.
    for (event, left) in [(&short, 0), (&long, 1)] {
        let sweep = ["sweep", "--output", "json", "--only", &event.name];
        let certificate = run(elsewhere.seatbox().args(sweep)).exits(0).json();
        assert_output(&certificate, "Certificate");
        assert_eq!(certificate["clean"], true);
        assert_eq!(certificate["kept"].as_array().unwrap().len(), left * 3);
        assert_eq!(event.containers().await.len(), left);
    }
    short.assert_nothing_left().await;
    assert_eq!(long.containers().await, before);

    run(elsewhere
        .seatbox()
        .args(["sweep", "--all", "--only", &long.name]))
    .exits(0);
    long.assert_nothing_left().await;
}

#[tokio::test]
async fn what_has_our_names_without_our_labels_is_neither_adopted_nor_deleted() {
    let event = Event::new("foreign", 4, IDLE).await;
    let docker = &event.docker;
    let labels = Some(event.by_hand());
    let name = event.container(1, "idle");
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        labels: labels.clone(),
        ..Default::default()
    };
    let container = docker
        .create_container(Some(options), body)
        .await
        .unwrap()
        .id;
    let request = NetworkCreateRequest {
        name: event.part(2, "default"),
        labels: labels.clone(),
        ..Default::default()
    };
    let network = docker.create_network(request).await.unwrap().id;
    let request = VolumeCreateRequest {
        name: Some(event.part(3, "data")),
        labels,
        ..Default::default()
    };
    let volume = docker.create_volume(request).await.unwrap();

    let report = event.run(&["up", "--output", "json"]).exits(3).json();
    let failures = failures(&report);
    assert_eq!(
        failures.keys().copied().collect::<Vec<_>>(),
        [1, 2, 3],
        "{report:#}"
    );
    for (seat, what) in [
        (1, &name),
        (2, &event.part(2, "default")),
        (3, &event.part(3, "data")),
    ] {
        let why = &failures[&seat];
        assert!(
            why.contains(what.as_str()) && why.contains("not ours"),
            "{why}"
        );
    }
    assert_eq!(report["seats"][3]["state"], "ready");
    assert_eq!(
        event.containers().await.len(),
        1,
        "a seat that can't be whole was begun"
    );
    event
        .run(&["up"])
        .exits(3)
        .says(&["seat 01 failed", "seat 02 failed", "seat 03 failed"]);

    event.down().await;
    let everywhere = ["sweep", "--all", "--only", &event.name];
    run(event.desk.seatbox().args(everywhere)).exits(0);
    assert_eq!(event.inspect(&name).await.id, Some(container));
    let still = docker
        .inspect_network(&event.part(2, "default"), None)
        .await
        .unwrap();
    assert_eq!(still.id, Some(network));
    let still = docker.inspect_volume(&event.part(3, "data")).await.unwrap();
    assert_eq!(still.created_at, volume.created_at);
}

#[tokio::test]
async fn an_environment_whose_name_begins_alike_is_another_one() {
    let event = Event::new("alike", 1, IDLE).await;
    // Its containers, networks and volumes all begin with the first seat's project.
    let other = Event::named(format!("{}-01", event.name), 1, IDLE, "").await;
    event.up();
    other.up();
    let before = (other.containers().await, other.everything().await);
    event.run(&["reset"]).exits(0);
    event.down().await;
    event.up();
    event.run(&["sweep", "--all", "--only", &event.name]);
    event.down().await;
    assert_eq!((other.containers().await, other.everything().await), before);
    other.down().await;
}
