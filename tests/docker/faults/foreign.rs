//! What is not ours is never touched, whatever it is called.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectNetworkOptions, StartContainerOptions,
};

use crate::docker::event::{BY_HAND, Event, LABEL, SMALL, failures};
use crate::docker::support::IMAGE;
use crate::support::scale::record;

type Labels = HashMap<String, String>;

/// Starts a container of that name that does nothing; its id.
async fn idle(event: &Event, name: &str, labels: Labels) -> String {
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["redis-server".to_owned()]),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let id = event
        .docker
        .create_container(Some(options), body)
        .await
        .unwrap()
        .id;
    let options = None::<StartContainerOptions>;
    event.docker.start_container(&id, options).await.unwrap();
    id
}

#[tokio::test]
async fn things_of_others_survive_all_verbs_untouched() {
    let event = Event::new("foreign", 4, SMALL).await;
    let docker = &event.docker;
    // Another environment, which has taken one of our names, and whose seat has our seat's number.
    let other = Event::new("foreign-other", 1, SMALL).await;
    let mut theirs = event.by_hand();
    theirs.insert(LABEL.to_owned(), other.name.clone());
    theirs.insert("dev.seatbox.seat".to_owned(), "2".to_owned());
    let containers = [
        idle(&event, &event.container(1, "redis"), event.by_hand()).await,
        idle(&event, &event.container(2, "redis"), theirs).await,
        // Of no name of ours, with what looks like our labels but for the one that counts.
        idle(
            &event,
            &format!("{}-stranger", event.name),
            HashMap::from([
                (BY_HAND.to_owned(), event.name.clone()),
                ("dev.seatbox.seat".to_owned(), "3".to_owned()),
                (
                    "com.docker.compose.project".to_owned(),
                    format!("{}-03", event.name),
                ),
            ]),
        )
        .await,
    ];
    let network = event.part(3, "default");
    let request = NetworkCreateRequest {
        name: network.clone(),
        labels: Some(event.by_hand()),
        ..Default::default()
    };
    docker.create_network(request).await.unwrap();
    let volume = event.part(3, "redis");
    let request = VolumeCreateRequest {
        name: Some(volume.clone()),
        labels: Some(event.by_hand()),
        ..Default::default()
    };
    docker.create_volume(request).await.unwrap();
    let look = async || {
        let mut seen = Vec::new();
        for id in &containers {
            let state = event.inspect(id).await.state.unwrap();
            seen.push(format!("{id} {:?} {:?}", state.started_at, state.running));
        }
        let options = None::<InspectNetworkOptions>;
        let network = docker.inspect_network(&network, options).await.unwrap();
        let volume = docker.inspect_volume(&volume).await.unwrap();
        seen.push(format!("{:?} {:?}", network.id, network.containers));
        seen.push(format!("{:?} {:?}", volume.created_at, volume.labels));
        seen
    };
    let before = look().await;

    let report = event.run(&["up", "--output", "json"]).exits(3).json();
    let failed = failures(&report);
    assert_eq!(
        failed.keys().copied().collect::<Vec<_>>(),
        [1, 2, 3],
        "{report:#}"
    );
    for (seat, name) in [
        (1, event.container(1, "redis")),
        (2, event.container(2, "redis")),
        (3, volume.clone()),
    ] {
        assert!(failed[&seat].contains(&name), "{failed:#?}");
    }
    assert_eq!(look().await, before);
    for verb in [
        ["reset", "--all"].as_slice(),
        &["reset", "--all", "--workspace"],
        &["up"],
    ] {
        event.run(verb).exits(3);
        assert_eq!(look().await, before, "{verb:?}");
    }
    event.run(&["status"]).exits(3);
    // `down` and `sweep` take our seat 4 and whatever else is ours, and none of these.
    event.down().await;
    assert_eq!(look().await, before);
    let sweep = ["sweep", "--all", "--only", &event.name];
    let mut sweep_ours = event.desk.seatbox();
    crate::support::desk::run(sweep_ours.args(sweep)).exits(0);
    assert_eq!(look().await, before);
    record(
        "things that are not ours",
        "a container without a label, one of another environment, one with half our labels, a network \
         and a volume: the same ids and starts after up, reset, down and sweep",
    );
}
