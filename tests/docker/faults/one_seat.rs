//! One seat fails: the others are up, it is named with its cause, and the next `up` repairs it.

use std::net::{Ipv4Addr, TcpListener};

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, RemoveImageOptionsBuilder, UploadToContainerOptionsBuilder,
};

use crate::docker::event::{Event, SMALL, failures, is_gone};
use crate::docker::support::{IMAGE, remove_container};
use crate::support::scale::{record, scale};

/// The seat that fails.
const LOSER: u32 = 2;

fn seats() -> u32 {
    scale(5, 23)
}

/// One service that knows its seat's number, in shell.
fn service(script: &str, more: &str) -> String {
    let script = script.replace('$', "$$");
    format!(
        "services:\n  one:\n    image: seatbox.local/redis:7\n    entrypoint: []\n    init: true\n    \
         environment: {{SEAT: \"${{SEATBOX_SEAT}}\"}}\n    command: [sh, -c, '{script}']\n{more}"
    )
}

/// Brings up the event, in which one seat is bound to fail; makes sure of all that is promised,
/// mends the cause, and makes sure that the next `up` repairs that seat and touches no other.
async fn fails_alone(
    event: &Event,
    row: &str,
    call: &str,
    causes: &[&str],
    mend: impl AsyncFnOnce(),
) {
    let all = event.run(&["up", "--output", "json"]).exits(3).json();
    let failed = failures(&all);
    assert_eq!(
        failed.keys().copied().collect::<Vec<_>>(),
        [u64::from(LOSER)],
        "{all:#}"
    );
    let failure = &all["seats"][LOSER as usize - 1]["failure"];
    assert_eq!(failure["call"], call, "{failure:#}");
    for cause in causes {
        assert!(
            failed[&u64::from(LOSER)].contains(cause),
            "{cause} is not in {failure:#}"
        );
    }
    let others = async || {
        let mut all = event.containers().await;
        let loser = format!("{}-{LOSER:02}-", event.name);
        all.retain(|name, _| !name.starts_with(&loser));
        all
    };
    let before = others().await;
    for seat in all["seats"].as_array().unwrap() {
        let state = if seat["seat"] == LOSER {
            "failed"
        } else {
            "ready"
        };
        assert!(state == "failed" || seat["state"] == state, "{all:#}");
    }
    // For people, and once more while nothing is mended: the same.
    let count = seats();
    let mut said = vec![
        format!("{} of {count} seats are ready, 1 failed", count - 1),
        format!("seat {LOSER:02} failed: {call}"),
    ];
    said.extend(causes.iter().map(|cause| (*cause).to_owned()));
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    event.run(&["up"]).exits(3).says(&said);
    assert_eq!(others().await, before, "another seat was touched");

    mend().await;
    let report = event.up();
    assert_eq!(others().await, before, "another seat was touched");
    for seat in report["seats"].as_array().unwrap() {
        assert!(
            seat["seat"] == LOSER || seat["result"] == "unchanged",
            "{report:#}"
        );
    }
    event.down().await;
    record(
        &format!("one seat fails: {row}"),
        &format!(
            "{} of {count} up, seat {LOSER:02} named with its cause, exit 3; the next `up` repaired it \
             alone",
            count - 1
        ),
    );
}

#[tokio::test]
async fn its_port_is_taken() {
    let event = Event::new("port", seats(), SMALL).await;
    let port = event.block.port + 4 * u16::try_from(LOSER - 1).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (number, me) = (port.to_string(), std::process::id().to_string());
    event
        .run(&["plan"])
        .exits(3)
        .says(&["seat 02  blocked", &number]);
    let causes = [number.as_str(), "integration", &me];
    fails_alone(&event, "its port is taken", "plan", &causes, async || {
        drop(listener)
    })
    .await;
}

#[tokio::test]
async fn its_service_is_never_healthy() {
    let check = "    healthcheck: {test: \"[ $$SEAT != 2 ] || [ -e /tamed ] || { echo the cat is out; exit \
                 1; }\", interval: 30s}\n    x-seatbox: {ready_timeout: 3s}\n";
    let event = Event::new("health", seats(), &service("exec sleep infinity", check)).await;
    let container = event.container(LOSER, "one");
    let causes = ["not ready after 3 s", "the cat is out", &container];
    fails_alone(&event, "never healthy", "check", &causes, async || {
        event.says(LOSER, "one", "touch /tamed");
    })
    .await;
}

#[tokio::test]
async fn its_disk_quota_is_full() {
    // What it keeps beside its volume has 1 MiB, and what it writes at its start has 4.
    let script = "[ $SEAT != 2 ] || [ -e /work/slim ] || head -c 4194304 /dev/zero > /data/dump || exit 1; \
                  exec sleep infinity";
    let more =
        "    tmpfs: [\"/data:size=1m\"]\n    volumes: [\"work:/work\"]\nvolumes: {work: {}}\n";
    let event = Event::new("quota", seats(), &service(script, more)).await;
    let causes = ["exit code 1", "No space left on device"];
    let mend = async || {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, "slim", std::io::empty())
            .unwrap();
        let archive = archive.into_inner().unwrap();
        put(
            &event.docker,
            &event.container(LOSER, "one"),
            "/work",
            archive,
        )
        .await;
    };
    fails_alone(&event, "its disk quota is full", "check", &causes, mend).await;
}

#[tokio::test]
async fn its_image_is_broken() {
    let stack = "services:\n  one:\n    image: IMAGE\n    entrypoint: []\n    command: [\"/serve-${SEATBOX_SEAT}\"]\n";
    let event = Event::new("broken", seats(), "").await;
    let image = Image(format!("seatbox.local/{}:1", event.name));
    event.stack(&stack.replace("IMAGE", &image.0));
    image.make(&event, "#!/nowhere/sh\n").await;

    let all = event.run(&["up", "--output", "json"]).exits(3).json();
    let failed = failures(&all);
    assert_eq!(
        failed.keys().copied().collect::<Vec<_>>(),
        [u64::from(LOSER)],
        "{all:#}"
    );
    let why = &failed[&u64::from(LOSER)];
    assert!(why.contains("exec /serve-2: no such file"), "{why}");
    let count = seats();
    let ready = format!("{} of {count} seats are ready, 1 failed", count - 1);
    event.run(&["up"]).exits(3).says(&[
        &ready,
        "seat 02 failed: check",
        "exec /serve-2: no such file",
    ]);

    // The good one is another image for all of them: whoever wants only the one seat says so.
    image.make(&event, "#!/bin/sh\nexec sleep infinity\n").await;
    let before = event.containers().await;
    event.run(&["up", "--seats", "2"]).exits(0);
    let mut after = event.containers().await;
    let loser = event.container(LOSER, "one");
    assert_eq!(after.get(&loser).unwrap().state, "running");
    after.insert(loser.clone(), before[&loser].clone());
    assert_eq!(after, before, "another seat was touched");
    event.up();
    event.down().await;
    image.remove(&event).await;
    record(
        "one seat fails: its image is broken",
        &format!(
            "{} of {count} up, seat {LOSER:02} named with its cause, exit 3; with a good image `up \
             --seats {LOSER}` repaired it alone",
            count - 1
        ),
    );
}

/// An image of one test's own.
struct Image(String);

impl Image {
    /// Makes it anew, with a program for each seat; that of the loser is this.
    async fn make(&self, event: &Event, loser: &str) {
        let mut archive = tar::Builder::new(Vec::new());
        for seat in 1..=seats() {
            let program = if seat == LOSER {
                loser
            } else {
                "#!/bin/sh\nexec sleep infinity\n"
            };
            let mut header = tar::Header::new_gnu();
            header.set_size(program.len() as u64);
            header.set_mode(0o755);
            archive
                .append_data(&mut header, format!("serve-{seat}"), program.as_bytes())
                .unwrap();
        }
        let docker = &event.docker;
        let body = bollard::models::ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            labels: Some(event.by_hand()),
            ..Default::default()
        };
        let options = None::<bollard::query_parameters::CreateContainerOptions>;
        let id = docker.create_container(options, body).await.unwrap().id;
        put(docker, &id, "/", archive.into_inner().unwrap()).await;
        let (repository, tag) = self.0.rsplit_once(':').unwrap();
        let options = CommitContainerOptionsBuilder::new()
            .container(&id)
            .repo(repository)
            .tag(tag)
            .build();
        docker
            .commit_container(options, ContainerConfig::default())
            .await
            .unwrap();
        remove_container(docker, &id).await;
    }

    async fn remove(&self, event: &Event) {
        let options = RemoveImageOptionsBuilder::new().force(true).build();
        match event
            .docker
            .remove_image(&self.0, Some(options), None)
            .await
        {
            Err(error) if !is_gone(&error) => panic!("{error}"),
            _ => {}
        }
    }
}

async fn put(docker: &bollard::Docker, container: &str, path: &str, archive: Vec<u8>) {
    let options = UploadToContainerOptionsBuilder::new().path(path).build();
    let body = bollard::body_full(archive.into());
    docker
        .upload_to_container(container, Some(options), body)
        .await
        .unwrap();
}
