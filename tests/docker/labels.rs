//! Nothing exists without its labels, not for a moment.

use std::collections::HashMap;
use std::process::Stdio;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
};

use super::event::{Event, SMALL};

type Labels = HashMap<String, String>;

/// Everything of the engine whose name is one of this event's, with its kind and labels.
async fn by_name(event: &Event) -> Vec<(&'static str, String, Labels)> {
    let docker = &event.docker;
    let options = ListContainersOptionsBuilder::new().all(true).build();
    let containers = docker.list_containers(Some(options)).await.unwrap();
    let containers = containers.into_iter().map(|container| {
        let name = container.names.unwrap_or_default().join("");
        let name = name.trim_start_matches('/').to_owned();
        ("container", name, container.labels.unwrap_or_default())
    });
    let networks = docker
        .list_networks(None::<ListNetworksOptions>)
        .await
        .unwrap();
    let networks = networks.into_iter().map(|network| {
        (
            "network",
            network.name.unwrap_or_default(),
            network.labels.unwrap_or_default(),
        )
    });
    let volumes = docker
        .list_volumes(None::<ListVolumesOptions>)
        .await
        .unwrap();
    let volumes = volumes
        .volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| ("volume", volume.name, volume.labels));
    containers
        .chain(networks)
        .chain(volumes)
        .filter(|(_, name, _)| name.starts_with(&event.name))
        .collect()
}

fn check(event: &Event, kind: &str, name: &str, labels: &Labels) {
    let label = |key: &str| {
        labels
            .get(key)
            .unwrap_or_else(|| panic!("{kind} {name} has no label {key}: {labels:?}"))
            .as_str()
    };
    assert_eq!(label("dev.seatbox.environment"), event.name);
    let seat: u32 = label("dev.seatbox.seat").parse().expect("a seat's number");
    let project = format!("{}-{seat:02}", event.name);
    assert!(name.starts_with(&project), "{name} is not of seat {seat}");
    let expires: jiff::Timestamp = label("dev.seatbox.expires").parse().expect("a moment");
    assert!(expires > jiff::Timestamp::now());
    assert!(label("dev.seatbox.expires").ends_with('Z'));
    assert!(!label("dev.seatbox.spec").is_empty());
    assert_eq!(label("com.docker.compose.project"), project);
    match kind {
        "container" => {
            let service = label("dev.seatbox.service");
            assert_eq!(label("com.docker.compose.service"), service);
            assert_eq!(label("com.docker.compose.container-number"), "1");
            assert_eq!(label("com.docker.compose.oneoff"), "False");
            assert_eq!(name, format!("{project}-{service}-1"));
        }
        "network" => assert_eq!(
            name,
            format!("{project}_{}", label("com.docker.compose.network"))
        ),
        _ => assert_eq!(
            name,
            format!("{project}_{}", label("com.docker.compose.volume"))
        ),
    }
}

#[tokio::test]
async fn whatever_is_created_carries_its_labels_from_its_first_moment() {
    let event = Event::new("labels", 3, SMALL).await;
    let mut up = event
        .command(&["up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut looks = 0;
    while up.try_wait().unwrap().is_none() {
        for (kind, name, labels) in by_name(&event).await {
            check(&event, kind, &name, &labels);
            looks += 1;
        }
    }
    assert!(up.wait().unwrap().success());
    assert!(looks > 0, "nothing was seen while it came up");
    let all = by_name(&event).await;
    for (kind, name, labels) in &all {
        check(&event, kind, name, labels);
    }
    let mut kinds: Vec<&str> = all.iter().map(|(kind, ..)| *kind).collect();
    kinds.sort_unstable();
    // Two containers, two volumes and a network a seat.
    assert_eq!(
        kinds,
        [["container"; 6].as_slice(), &["network"; 3], &["volume"; 6]].concat()
    );
    event.down().await;
}
