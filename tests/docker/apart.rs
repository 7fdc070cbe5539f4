//! The tests' own engines are what they are taken for.

use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions};

use super::event::{Event, SMALL};
use super::private_engine::PrivateEngine;
use super::support::{IMAGE, engine};

/// Processes of this machine that have `path` somewhere on their command line.
fn processes(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(path))
        .collect()
}

/// Control groups with that in their path.
fn groups(name: &str) -> Vec<String> {
    let all = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    all.lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|mount| mount.starts_with("/sys/fs/cgroup"))
        .map(|mount| format!("{mount}/{name}"))
        .filter(|path| Path::new(path).exists())
        .collect()
}

#[tokio::test]
async fn a_private_engine_is_apart_survives_a_restart_and_leaves_nothing() {
    let mut private = PrivateEngine::start().await;
    private.load(IMAGE).await;
    let docker = private.docker();
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["redis-server".to_owned()]),
        host_config: Some(HostConfig {
            init: Some(true),
            memory: Some(64 << 20),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let id = docker
        .create_container(None::<CreateContainerOptions>, body)
        .await
        .unwrap()
        .id;
    let runs = async |private: &PrivateEngine| {
        let inspected = private.docker().inspect_container(&id, None).await.unwrap();
        inspected.state.unwrap().running.unwrap()
    };
    let start = async |private: &PrivateEngine| {
        let options = None::<StartContainerOptions>;
        private.docker().start_container(&id, options).await
    };
    start(&private).await.unwrap();
    assert!(runs(&private).await);
    let machine = engine().await.docker;
    machine.inspect_container(&id, None).await.unwrap_err();

    private.restart().await;
    assert!(!runs(&private).await);
    start(&private).await.unwrap();
    private.kill();
    docker.ping().await.unwrap_err();
    private.start_again().await;
    start(&private).await.unwrap();
    assert!(runs(&private).await);

    let event = Event::new("apart", 2, SMALL).await.on(&private);
    event.up();
    let container = event.container(1, "redis");
    machine
        .inspect_container(&container, None)
        .await
        .unwrap_err();
    event.down().await;

    let directory = private.socket().parent().unwrap().to_owned();
    let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(!processes(&directory).is_empty() && !groups(&name).is_empty());
    drop(private);
    assert_eq!(processes(&directory), Vec::<String>::new());
    assert_eq!(groups(&name), Vec::<String>::new());
}
