//! An engine, and containers that are gone when the test is, however it ends.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions,
};
use seatbox::provider::docker::connect::{self, Engine};

/// An image with a shell in it that Seatbox's recipes build.
pub const IMAGE: &str = "seatbox.local/redis:7";

/// The label by which a test finds its own containers.
const LABEL: &str = "dev.seatbox.environment";

/// The engine that the tests run on.
pub async fn engine() -> Engine {
    let endpoint = connect::resolve(|name| std::env::var(name).ok(), Path::new("/"))
        .expect("these tests need a Docker engine");
    connect::connect(&endpoint)
        .await
        .expect("these tests need a Docker engine that answers")
}

/// An environment of one test's own, with every container that the test makes.
pub struct TestEnvironment {
    /// The engine that it is on.
    pub docker: Docker,
    name: String,
}

impl TestEnvironment {
    /// An environment that no other test has.
    pub async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            docker: engine().await.docker,
            name: format!("t-{}-{number}", std::process::id()),
        }
    }

    /// Starts a shell script in a container; gives the container's id.
    pub async fn run(&self, script: &str) -> String {
        let body = ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            entrypoint: Some(vec!["sh".to_owned(), "-c".to_owned()]),
            cmd: Some(vec![script.to_owned()]),
            labels: Some(HashMap::from([(LABEL.to_owned(), self.name.clone())])),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                init: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let id = self
            .docker
            .create_container(None::<CreateContainerOptions>, body)
            .await
            .expect("the container is made")
            .id;
        self.docker
            .start_container(&id, None::<StartContainerOptions>)
            .await
            .expect("the container starts");
        id
    }

    /// Waits for a container's end.
    pub async fn ended(&self, id: &str) {
        for _ in 0..400 {
            let state = self
                .docker
                .inspect_container(id, None)
                .await
                .expect("the container is there")
                .state;
            if state.and_then(|state| state.running) == Some(false) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("container {id} does not end");
    }
}

impl Drop for TestEnvironment {
    fn drop(&mut self) {
        let label = format!("{LABEL}={}", self.name);
        // A runtime can't be blocked on within another one, hence the thread.
        let removal = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made")
                .block_on(remove_all(&label))
        });
        let removed = removal.join();
        if !std::thread::panicking() {
            removed.expect("the test's containers can be removed");
        }
    }
}

/// With a connection of its own: the test's one belongs to the test's runtime.
async fn remove_all(label: &str) {
    let docker = engine().await.docker;
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&HashMap::from([("label", vec![label])]))
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .expect("containers can be listed");
    for id in found.into_iter().filter_map(|container| container.id) {
        remove_container(&docker, &id).await;
    }
}

/// Removes a container by force, with the volumes that nobody named.
pub async fn remove_container(docker: &Docker, container: &str) {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    docker
        .remove_container(container, Some(options))
        .await
        .unwrap_or_else(|error| panic!("{container}: {error}"));
}
