//! An event of one test's own on the real engine, gone with the test however it ends.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, Network, Volume};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptions, ListVolumesOptions, RemoveVolumeOptions,
};

use super::block::Block;
use super::private_engine::PrivateEngine;
use super::support::{engine, remove_container};
use crate::support::desk::{Desk, Ran, repository, run};
use crate::support::schema::assert_output;

/// Our label with the environment's name.
pub const LABEL: &str = "dev.seatbox.environment";
/// The label of what a test makes by hand; its value is the event's name.
pub const BY_HAND: &str = "test.seatbox.event";

/// One service that does nothing, with a volume.
pub const IDLE: &str = "
services:
  idle:
    image: seatbox.local/redis:7
    entrypoint: []
    command: [sleep, infinity]
    init: true
    volumes: ['data:/data']
volumes: {data: {}}
";

/// A Redis with a password, its data on a volume, and a place to work: up in about a second.
pub const SMALL: &str = r#"
services:
  work:
    image: redis:7
    entrypoint: []
    command: [sleep, infinity]
    init: true
    environment:
      REDISCLI_AUTH: ${SEATBOX_SECRET_REDIS}
      SEAT: ${SEATBOX_SEAT}
    volumes: ["work:/work"]
    ports: ["8080"]
    depends_on: {redis: {condition: service_healthy}}
    x-seatbox: {workspace: /work}
  redis:
    image: redis:7
    entrypoint: []
    command: [sh, -c, 'printf "dir /data\nrequirepass %s\n" "$$REDISCLI_AUTH" | exec redis-server -']
    environment:
      REDISCLI_AUTH: ${SEATBOX_SECRET_REDIS}
    volumes: ["redis:/data"]
    healthcheck: {test: "redis-cli ping | grep -qx PONG", interval: 30s}
volumes: {work: {}, redis: {}}
"#;

/// What can be told of a container from outside; the same twice is one that nobody touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The engine's id.
    pub id: String,
    /// When it was started last.
    pub started: String,
    /// Its state, as `running`.
    pub state: String,
    /// The image reference that it was made from.
    pub image: String,
}

/// An event.
pub struct Event {
    /// Its files and its state directory.
    pub desk: Desk,
    /// A connection to the engine.
    pub docker: Docker,
    /// The environment's name.
    pub name: String,
    /// Its ports and addresses.
    pub block: Block,
    file: PathBuf,
    settings: Vec<String>,
    /// What `DOCKER_HOST` is for the program, where that is not the machine's engine.
    host: Option<String>,
}

impl Event {
    /// An event with that many seats of that stack.
    pub async fn new(topic: &str, seats: u32, stack: &str) -> Self {
        Self::with(topic, seats, stack, "").await
    }

    /// An event with more in its environment file.
    pub async fn with(topic: &str, seats: u32, stack: &str, more: &str) -> Self {
        Self::named(
            format!("t-{topic}-{:08x}", rand::random::<u32>()),
            seats,
            stack,
            more,
        )
        .await
    }

    /// An event of that name, which must be new.
    pub async fn named(name: String, seats: u32, stack: &str, more: &str) -> Self {
        let desk = Desk::new();
        let event = Self {
            file: desk.path("seatbox.yaml"),
            desk,
            docker: engine().await.docker,
            name,
            block: Block::claim(),
            settings: Vec::new(),
            host: None,
        };
        event.describe(seats, more);
        event.desk.write("stack.yaml", stack);
        event
    }

    /// The event that is shipped, under another name and on other ports.
    pub async fn shipped(topic: &str, seats: u32) -> Self {
        let name = format!("t-{topic}-{:08x}", rand::random::<u32>());
        let block = Block::claim();
        let settings = [
            format!("name={name}"),
            format!("seats.count={seats}"),
            format!("docker.subnets={}", block.subnet),
            format!("docker.ports.first={}", block.port),
            "docker.ports.per_seat=5".to_owned(),
        ];
        Self {
            file: repository("environments/gopher-guangzhou-2024.yaml"),
            desk: Desk::new(),
            docker: engine().await.docker,
            name,
            block,
            settings: settings
                .into_iter()
                .flat_map(|setting| ["--set".to_owned(), setting])
                .collect(),
            host: None,
        }
    }

    /// The same event on an engine of the test's own, with which it goes.
    pub fn on(mut self, engine: &PrivateEngine) -> Self {
        self.docker = engine.docker();
        self.host = Some(engine.host());
        self
    }

    /// Saves it as a bundle, by the machine's own engine, under that name on its desk.
    #[track_caller]
    pub fn save(&self, name: &str) -> (PathBuf, serde_json::Value) {
        let path = self.desk.path(name);
        let mut command = self.desk.seatbox();
        command.args(["images", "save", "--output", "json", "--to"]);
        command.arg(&path).arg(&self.file).args(&self.settings);
        let report = run(&mut command).exits(0).json();
        assert_output(&report, "SaveReport");
        (path, report)
    }

    /// The same event, from another file on its desk.
    pub fn in_file(mut self, name: &str) -> Self {
        self.file = self.desk.path(name);
        self
    }

    /// The same event, out of that bundle: the file and the settings are in it.
    pub fn in_bundle(mut self, path: PathBuf) -> Self {
        self.file = path;
        self.settings.clear();
        self
    }

    /// Writes the environment file anew.
    pub fn describe(&self, seats: u32, more: &str) {
        let text = format!(
            "version: 1\nname: {}\nseats: {{count: {seats}}}\nstack: stack.yaml\ndocker:\n  subnets: \
             {}\n  ports: {{first: {}, per_seat: 4}}\n{more}\n",
            self.name, self.block.subnet, self.block.port
        );
        self.desk.write("seatbox.yaml", text);
    }

    /// Writes another stack.
    pub fn stack(&self, stack: &str) {
        self.desk.write("stack.yaml", stack);
    }

    /// The program with a verb that is about this environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let (verb, rest) = arguments.split_first().expect("a verb");
        let mut command = self.desk.seatbox();
        if let Some(host) = &self.host {
            command
                .env("DOCKER_HOST", host)
                .env_remove("DOCKER_CONTEXT");
        }
        command
            .env("SEATBOX_ENVIRONMENT", &self.file)
            .arg(verb)
            .args(&self.settings)
            .args(rest);
        command
    }

    /// Runs a verb that is about this environment.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// Brings it up, all of it.
    #[track_caller]
    pub fn up(&self) -> serde_json::Value {
        let report = self.run(&["up", "--output", "json"]).exits(0).json();
        assert_output(&report, "UpReport");
        assert_eq!(states(&report), ["ready"], "{report:#}");
        report
    }

    /// Runs a shell script in a service of a seat, by way of the program.
    pub fn sh(&self, seat: u32, service: &str, script: &str) -> Ran {
        let seat = seat.to_string();
        self.run(&[
            "exec", "--seat", &seat, "-s", service, "--", "sh", "-c", script,
        ])
    }

    /// What a shell script in a service of a seat writes to its standard output; it must succeed.
    #[track_caller]
    pub fn says(&self, seat: u32, service: &str, script: &str) -> String {
        self.sh(seat, service, script)
            .exits(0)
            .stdout
            .trim()
            .to_owned()
    }

    /// The name of a service's container.
    pub fn container(&self, seat: u32, service: &str) -> String {
        format!("{}-{seat:02}-{service}-1", self.name)
    }

    /// The name of a network or a volume of a seat.
    pub fn part(&self, seat: u32, name: &str) -> String {
        format!("{}-{seat:02}_{name}", self.name)
    }

    /// All of the engine's own words on a container.
    pub async fn inspect(&self, container: &str) -> ContainerInspectResponse {
        let inspected = self.docker.inspect_container(container, None).await;
        inspected.unwrap_or_else(|error| panic!("{container}: {error}"))
    }

    /// The environment's containers by their names.
    pub async fn containers(&self) -> BTreeMap<String, Seen> {
        let mut seen = BTreeMap::new();
        for id in container_ids(&self.docker, LABEL, &self.name).await {
            let container = match self.docker.inspect_container(&id, None).await {
                Ok(container) => container,
                // An engine may still be at what somebody who was killed has asked for.
                Err(error) if is_gone(&error) => continue,
                Err(error) => panic!("{id}: {error}"),
            };
            let state = container.state.expect("a state");
            let name = container.name.expect("a name");
            seen.insert(
                name.trim_start_matches('/').to_owned(),
                Seen {
                    id,
                    started: state.started_at.expect("a moment"),
                    state: state.status.expect("a status").to_string(),
                    image: container
                        .config
                        .and_then(|config| config.image)
                        .expect("an image"),
                },
            );
        }
        seen
    }

    /// The containers of one seat by their services.
    pub async fn seat(&self, seat: u32) -> BTreeMap<String, Seen> {
        let prefix = format!("{}-{seat:02}-", self.name);
        self.containers()
            .await
            .into_iter()
            .filter_map(|(name, seen)| {
                let service = name.strip_prefix(&prefix)?.trim_end_matches("-1");
                Some((service.to_owned(), seen))
            })
            .collect()
    }

    /// The environment's networks.
    pub async fn networks(&self) -> Vec<Network> {
        networks(&self.docker, LABEL, &self.name).await
    }

    /// The environment's volumes.
    pub async fn volumes(&self) -> Vec<Volume> {
        volumes(&self.docker, LABEL, &self.name).await
    }

    /// Names of all that carries the environment's label, kind by kind.
    pub async fn everything(&self) -> Vec<String> {
        let containers = self.containers().await.into_keys();
        let networks = self
            .networks()
            .await
            .into_iter()
            .filter_map(|network| network.name);
        let volumes = self.volumes().await.into_iter().map(|volume| volume.name);
        let mut all: Vec<String> = containers.chain(networks).chain(volumes).collect();
        all.sort();
        all
    }

    /// A failed test where the engine still has anything with the environment's label.
    pub async fn assert_nothing_left(&self) {
        let left = self.everything().await;
        assert!(left.is_empty(), "left: {left:?}");
    }

    /// Takes it down, with the certificate that nothing is left, and makes sure of that.
    pub async fn down(&self) -> serde_json::Value {
        let certificate = self.run(&["down", "--output", "json"]).exits(0).json();
        assert_output(&certificate, "Certificate");
        assert_eq!(certificate["clean"], true, "{certificate:#}");
        self.assert_nothing_left().await;
        certificate
    }

    /// Labels that say that something was made by this test's hand.
    pub fn by_hand(&self) -> HashMap<String, String> {
        HashMap::from([(BY_HAND.to_owned(), self.name.clone())])
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.host.is_some() {
            return;
        }
        let panicking = std::thread::panicking();
        // Not for the test's sake, which is over, but for the machine's: the program first, then
        // by hand what it left, should it be what is broken.
        let sweep = ["sweep", "--all", "--quiet", "--only"].map(OsString::from);
        let swept = self.desk.seatbox().args(sweep).arg(&self.name).output();
        let name = self.name.clone();
        let removal = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made")
                .block_on(remove_all(&name))
        });
        let removed = removal.join();
        if !panicking {
            let swept = swept.expect("the program can be run");
            assert!(swept.status.success(), "{swept:?}");
            removed.expect("what the test made can be removed");
        }
    }
}

async fn remove_all(name: &str) {
    let docker = engine().await.docker;
    // What was made by hand may hold on to the rest.
    for label in [BY_HAND, LABEL] {
        for id in container_ids(&docker, label, name).await {
            remove_container(&docker, &id).await;
        }
        for network in networks(&docker, label, name).await {
            let id = network.id.expect("an id");
            docker.remove_network(&id).await.expect("a network goes");
        }
        for volume in volumes(&docker, label, name).await {
            let options = None::<RemoveVolumeOptions>;
            docker
                .remove_volume(&volume.name, options)
                .await
                .expect("a volume goes");
        }
    }
}

/// Whether the engine says that there is no such thing.
pub fn is_gone(error: &bollard::errors::Error) -> bool {
    use bollard::errors::Error::DockerResponseServerError;
    matches!(
        error,
        DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}

fn filters(label: &str, name: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{label}={name}")])])
}

async fn container_ids(docker: &Docker, label: &str, name: &str) -> Vec<String> {
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters(label, name))
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .expect("containers are listed");
    found
        .into_iter()
        .filter_map(|container| container.id)
        .collect()
}

async fn networks(docker: &Docker, label: &str, name: &str) -> Vec<Network> {
    let options = ListNetworksOptions {
        filters: Some(filters(label, name)),
    };
    docker
        .list_networks(Some(options))
        .await
        .expect("networks are listed")
}

async fn volumes(docker: &Docker, label: &str, name: &str) -> Vec<Volume> {
    let options = ListVolumesOptions {
        filters: Some(filters(label, name)),
    };
    let found = docker
        .list_volumes(Some(options))
        .await
        .expect("volumes are listed");
    found.volumes.unwrap_or_default()
}

/// The states of a report's seats, each once.
pub fn states(report: &serde_json::Value) -> Vec<&str> {
    each(report, "state")
}

/// The results of a report's seats, each once.
pub fn results(report: &serde_json::Value) -> Vec<&str> {
    each(report, "result")
}

fn each<'a>(report: &'a serde_json::Value, field: &str) -> Vec<&'a str> {
    let seats = report["seats"].as_array().expect("seats");
    let mut all: Vec<&str> = seats
        .iter()
        .map(|seat| seat[field].as_str().unwrap_or("null"))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A report's seats that failed, each with its message.
pub fn failures(report: &serde_json::Value) -> BTreeMap<u64, String> {
    let seats = report["seats"].as_array().expect("seats");
    seats
        .iter()
        .filter(|seat| !seat["failure"].is_null())
        .map(|seat| {
            let number = seat["seat"].as_u64().expect("a number");
            (number, seat["failure"].to_string())
        })
        .collect()
}
