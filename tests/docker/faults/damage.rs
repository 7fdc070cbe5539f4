//! What happens to seats behind our back: `status` says so, and `up` puts it right.

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{
    RemoveVolumeOptions, RenameContainerOptions, StopContainerOptions,
};

use crate::docker::event::{Event, SMALL};
use crate::docker::support::remove_container;
use crate::support::scale::record;

/// What came of each seat, by its number.
fn result(report: &serde_json::Value, seat: usize) -> &str {
    report["seats"][seat - 1]["result"].as_str().unwrap()
}

/// All that `status` says is the matter with a seat's services.
fn problems(status: &serde_json::Value, seat: usize) -> String {
    let services = status["seats"][seat - 1]["services"].as_array().unwrap();
    let problems = services
        .iter()
        .filter_map(|service| service["problem"].as_str());
    problems.collect::<Vec<_>>().join("; ")
}

async fn remove(event: &Event, container: &str) {
    remove_container(&event.docker, container).await;
}

#[tokio::test]
async fn damage_of_every_kind_is_told_and_put_right_where_it_is_and_only_there() {
    let event = Event::new("damage", 8, SMALL).await;
    event.up();
    let docker = &event.docker;
    docker
        .pause_container(&event.container(1, "redis"))
        .await
        .unwrap();
    docker
        .stop_container(
            &event.container(2, "redis"),
            Some(StopContainerOptions {
                t: Some(0),
                ..Default::default()
            }),
        )
        .await
        .unwrap();
    let options = RenameContainerOptions {
        name: format!("{}-misnamed", event.name),
    };
    docker
        .rename_container(&event.container(3, "redis"), options)
        .await
        .unwrap();
    let network = event.part(4, "default");
    for service in ["work", "redis"] {
        let request = NetworkDisconnectRequest {
            container: event.container(4, service),
            force: Some(true),
        };
        docker.disconnect_network(&network, request).await.unwrap();
    }
    docker.remove_network(&network).await.unwrap();
    remove(&event, &event.container(5, "redis")).await;
    for service in ["work", "redis"] {
        remove(&event, &event.container(6, service)).await;
    }
    let options = None::<RemoveVolumeOptions>;
    docker
        .remove_volume(&event.part(6, "redis"), options)
        .await
        .unwrap();
    let request = NetworkDisconnectRequest {
        container: event.container(7, "redis"),
        force: Some(true),
    };
    let alone = event.part(7, "default");
    docker.disconnect_network(&alone, request).await.unwrap();
    let untouched = event.seat(8).await;

    let status = event.run(&["status", "--output", "json"]).exits(3).json();
    assert_eq!(status["counts"]["ready"], 1, "{status:#}");
    for (seat, words) in [
        (1, "paused"),
        (2, "Exited"),
        (3, "renamed to"),
        (4, network.as_str()),
        (5, "missing"),
        (7, alone.as_str()),
    ] {
        let problems = problems(&status, seat);
        assert!(problems.contains(words), "seat {seat}: {problems}");
    }
    assert_eq!(status["seats"][5]["state"], "absent", "{status:#}");
    let plan = event.run(&["plan"]).exits(0);
    plan.says(&[
        "paused",
        "exited",
        "renamed to",
        &network,
        &alone,
        "missing",
    ]);

    let report = event.up();
    for seat in 1..=7 {
        assert_eq!(result(&report, seat), "done", "{report:#}");
        assert_eq!(
            event.says(seat as u32, "work", "redis-cli -h redis ping"),
            "PONG"
        );
    }
    assert_eq!(result(&report, 8), "unchanged");
    assert_eq!(event.seat(8).await, untouched);
    // The engine calls the one that was paused unhealthy until its next check.
    let before = event.containers().await;
    event.up();
    assert_eq!(event.containers().await, before);
    assert_eq!(before.len(), 16, "something is there twice");
    event.down().await;
    record(
        "behind our back: paused, stopped, renamed, removed, a network deleted, a network left, a \
         volume removed",
        "each told by `status`, all repaired by one `up`, the eighth seat untouched",
    );
}

#[tokio::test]
async fn what_was_killed_for_want_of_memory_is_told_apart_and_started_again() {
    let stack = "
services:
  eater:
    image: seatbox.local/redis:7
    entrypoint: []
    # It waits for its food, and then eats until it is full.
    command: [sh, -c, 'while [ ! -e /food ]; do sleep 0.1; done; rm /food; exec tail /dev/zero']
    deploy: {resources: {limits: {memory: 32M}}}
";
    let event = Event::new("memory", 3, stack).await;
    event.up();
    event.says(2, "eater", "touch /food");
    let docker = &event.docker;
    docker
        .kill_container(
            &event.container(3, "eater"),
            None::<bollard::query_parameters::KillContainerOptions>,
        )
        .await
        .unwrap();
    let mut status = serde_json::Value::Null;
    for _ in 0..100 {
        status = event.run(&["status", "--output", "json"]).exits(3).json();
        // The engine hears of the end a moment before it hears why.
        if problems(&status, 2).contains("memory") && status["counts"]["degraded"] == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (eater, killed) = (problems(&status, 2), problems(&status, 3));
    assert!(eater.contains("killed for want of memory"), "{status:#}");
    assert!(
        killed.contains("killed") && !killed.contains("memory"),
        "{status:#}"
    );
    let before = event.seat(1).await;
    let report = event.up();
    assert_eq!(
        (result(&report, 1), result(&report, 2)),
        ("unchanged", "done")
    );
    assert_eq!(event.seat(1).await, before);
    event.down().await;
    record(
        "behind our back: killed for want of memory, killed by somebody",
        "told apart by `status`, both started again by `up`",
    );
}
