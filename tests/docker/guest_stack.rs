//! What an EC2 instance does with its stack, on this machine's engine: the scripts that user data
//! brings, and Docker Compose as Debian has it.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use seatbox::provider::aws::ec2::guest::Container;

use crate::aws::guest::bundle::bundle;
use crate::aws::guest::instance::Instance;
use crate::support::desk::{Ran, repository, run};

const NOT_YET: i32 = 75;

/// A service to work in, one that has to be healthy, and one that has to end before.
fn stack(greeting: &str, user: &str) -> String {
    format!(
        r#"
services:
  work:
    image: seatbox.local/redis:7
    entrypoint: [sleep, infinity]
    init: true
    user: "{user}"
    environment: {{TOKEN: '${{SEATBOX_SECRET_TOKEN}}'}}
    volumes: ['work:/work', 'cache:/data']
    configs: [{{source: greeting, target: /etc/greeting, mode: 0404}}]
    depends_on:
      prepare: {{condition: service_completed_successfully}}
      check: {{condition: service_started}}
    x-seatbox: {{workspace: /work}}
  prepare:
    image: seatbox.local/redis:7
    entrypoint: ['true']
    tmpfs: [/data]
  check:
    image: seatbox.local/redis:7
    entrypoint: [sh, -c, 'sleep 2; touch /tmp/up; exec sleep infinity']
    init: true
    tmpfs: [/data]
    healthcheck: {{test: 'test -e /tmp/up', interval: 1s}}
volumes: {{work: {{}}, cache: {{}}}}
configs: {{greeting: {{content: '{greeting}'}}}}
"#
    )
}

/// An instance on the real engine, its stack taken away with it.
struct Seat {
    instance: Instance,
    name: String,
    user: String,
}

impl Seat {
    fn new() -> Self {
        let instance = Instance::new();
        let compose =
            run(Command::new(repository("scripts/compose.sh")).current_dir(repository("")));
        let plugins = instance.desk.path("docker/cli-plugins");
        std::fs::create_dir_all(&plugins).unwrap();
        let program = compose.exits(0).stdout;
        std::os::unix::fs::symlink(program.trim(), plugins.join("docker-compose")).unwrap();
        // Whoever runs this must be able to remove what is written.
        let owner = instance.at("").metadata().unwrap();
        Self {
            name: format!("t-guest-{}", std::process::id()),
            user: format!("{}:{}", owner.uid(), owner.gid()),
            instance,
        }
    }

    async fn receive(&self, greeting: &str) {
        let bundle = bundle(&self.name, &stack(greeting, &self.user)).await;
        let bytes = bundle.pieces().concat();
        self.instance.feed("receive", &bytes).exits(0);
    }

    fn command(&self, arguments: &[&str]) -> Ran {
        let mut command = self.instance.script("stack");
        command.args(arguments);
        command.env("DOCKER_CONFIG", self.instance.desk.path("docker"));
        run(&mut command)
    }

    fn up(&self) {
        self.command(&["up"]).exits(0);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let ran = self.command(&["ready"]);
            if ran.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "{ran}");
            ran.exits(NOT_YET);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What a script in the service to work in prints.
    fn says(&self, script: &str) -> String {
        let ran = self.command(&["exec", "-T", "work", "sh", "-c", script]);
        ran.exits(0).stdout.trim().to_owned()
    }

    /// The containers and volumes of the seat's Compose project.
    fn everything(&self) -> String {
        let label = format!("label=com.docker.compose.project={}-07", self.name);
        let list = |arguments: &[&str]| {
            let mut command = Command::new("docker");
            command
                .args(arguments)
                .args(["--quiet", "--filter", &label]);
            run(&mut command).exits(0).stdout
        };
        list(&["ps", "--all"]) + &list(&["volume", "ls"]) + &list(&["network", "ls"])
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let ran = self.command(&["down"]);
        if !std::thread::panicking() {
            ran.exits(0);
            assert_eq!(self.everything(), "");
        }
    }
}

#[tokio::test]
async fn a_seats_stack_comes_up_in_its_instance_and_its_workspace_outlives_it() {
    let seat = Seat::new();
    seat.receive("good morning").await;
    seat.up();
    assert_eq!(seat.says("cat /etc/greeting"), "good morning");
    assert_eq!(seat.says("stat -c %a /etc/greeting"), "404");
    assert_eq!(seat.says("cat /work/hello.go"), "package main");
    assert_eq!(seat.says("printf %s \"$TOKEN\" | wc -c"), "24");
    seat.says("echo mine >/work/mine; rm /work/hello.go");
    let status = seat.command(&["status"]).exits(0).stdout;
    let services: Vec<Container> = serde_json::Deserializer::from_str(&status)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let state = |name: &str| {
        let one = services.iter().find(|one| one.service == name).unwrap();
        (one.state.as_str(), one.health.as_str(), one.exit_code)
    };
    assert_eq!(state("work"), ("running", "", 0));
    assert_eq!(state("check"), ("running", "healthy", 0));
    assert_eq!(state("prepare"), ("exited", "", 0));

    // The same again restarts nothing.
    let before = seat.says("hostname");
    seat.receive("good morning").await;
    seat.up();
    assert_eq!(seat.says("hostname"), before);

    // Another stack replaces it, and the workspace stays as it is.
    seat.receive("good evening").await;
    seat.up();
    assert_eq!(seat.says("cat /etc/greeting"), "good evening");
    assert_eq!(seat.says("ls /work"), "mine");

    // A reset.
    seat.command(&["down"]).exits(0);
    assert_eq!(seat.everything(), "");
    seat.up();
    assert_eq!(seat.says("cat /work/mine"), "mine");

    seat.command(&["exec", "-T", "work", "sh", "-c", "kill 1"]);
    std::thread::sleep(Duration::from_secs(1));
    seat.command(&["ready"]).exits(1).says(&["work is exited"]);
}
