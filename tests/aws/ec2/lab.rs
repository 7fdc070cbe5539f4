//! An event of one test's own on an emulator of its own, whose instances answer over SSH.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use roxmltree::Node;
use serde_json::{Value, json};

use crate::aws::ecs::lab as tasks;
use crate::aws::guest::instance::make_executable;
use crate::support::aws::client::REGION;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;
use crate::support::aws::xml;
use crate::support::desk::{Desk, Ran, repository, run};

/// A service to work in and one that it needs, which have a secret and a workspace.
pub const STACK: &str = r#"
services:
  work:
    image: redis:7
    command: [sleep, infinity]
    environment: {TOKEN: '${SEATBOX_SECRET_TOKEN}'}
    volumes: ['work:/work']
    ports: ['8080']
    x-seatbox: {workspace: /work}
  redis: {image: 'redis:7'}
volumes: {work: {}}
"#;

const EXPIRES: &str = "dev.seatbox.expires";

/// What an event's seats are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seats {
    /// Instances of EC2.
    Instances,
    /// Tasks of ECS.
    Tasks,
}

impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instances => "EC2",
            Self::Tasks => "ECS",
        })
    }
}

/// An event, with an account of its own.
pub struct Lab {
    /// What its seats are.
    pub seats: Seats,
    /// Its files and its state directory.
    pub desk: Desk,
    /// AWS.
    pub emulator: Emulator,
    /// What the program has for AWS.
    pub proxy: Proxy,
    /// The environment's name.
    pub name: String,
    /// All that was in the account before.
    before: Vec<String>,
}

impl Lab {
    /// An event with so many seats.
    pub fn new(topic: &str, seats: u32) -> Self {
        Self::with(topic, seats, "")
    }

    /// An event with more in its environment file.
    pub fn with(topic: &str, seats: u32, more: &str) -> Self {
        let emulator = Emulator::start();
        let proxy = Proxy::before(&emulator);
        proxy.set(|settings| {
            settings.be_strict();
            settings.lifecycle.starts_in = Duration::from_millis(500);
            settings.lifecycle.ends_in = Duration::from_millis(1500);
        });
        let desk = Desk::new();
        desk.write("stack.yaml", STACK);
        desk.write("first/hello.go", "package main\n");
        let lab = Self {
            seats: Seats::Instances,
            name: format!("t-{topic}"),
            before: emulator.listing(),
            desk,
            emulator,
            proxy,
        };
        lab.describe(seats, more);
        lab.desk.write("ssh_config", lab.ssh_config());
        lab
    }

    /// Writes the environment file anew.
    pub fn describe(&self, seats: u32, more: &str) {
        let text = format!(
            "version: 1\nname: {}\nseats: {{count: {seats}}}\nlifetime: 2h\nprovider: ec2\n\
             stack: stack.yaml\nworkspace: {{files: first}}\n\
             aws: {{region: {REGION}, venue: [203.0.113.0/24]}}\n{}",
            self.name,
            match more.contains("ec2:") {
                true => more.to_owned(),
                false => format!("{more}ec2: {{ssh_config: ssh_config}}\n"),
            },
        );
        self.desk.write("seatbox.yaml", text);
    }

    /// Every host is an instance of this emulator.
    fn ssh_config(&self) -> String {
        format!(
            "Host *\n    ProxyCommand {} {} {} {REGION} %h\n    \
             KexAlgorithms curve25519-sha256\n    Ciphers aes128-gcm@openssh.com\n",
            repository("scripts/emulator/instance.sh").display(),
            self.instances().display(),
            self.emulator.url(),
        )
    }

    /// Where instances have their files.
    pub fn instances(&self) -> PathBuf {
        self.desk.path("instances")
    }

    /// From now on instances and tasks take so long to start and to end: each wait for that is a pause
    /// of seconds between two looks.
    pub fn seats_take(&self, time: Duration) {
        self.proxy.set(|settings| {
            settings.lifecycle.starts_in = time;
            settings.lifecycle.ends_in = time;
        });
    }

    /// From now on instances answer at once that all is well, without a server of their own: where
    /// there are more of them than this machine has room for.
    pub fn answer_at_once(&self) {
        let ssh = self
            .desk
            .write("bin/ssh", "#!/bin/sh\nexec cat >/dev/null\n");
        make_executable(&ssh);
    }

    /// The program, for this account.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_at(&self.desk, arguments)
    }

    /// The program at another desk, with the same account.
    pub fn command_at(&self, desk: &Desk, arguments: &[&str]) -> Command {
        let mut command = desk.seatbox();
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("AWS_") || name.to_ascii_lowercase().ends_with("_proxy") {
                command.env_remove(&*name);
            }
        }
        let path = std::env::var("PATH").expect("there is a path");
        command
            .args(arguments)
            .env(
                "PATH",
                format!("{}:{path}", self.desk.path("bin").display()),
            )
            .env("AWS_ENDPOINT_URL", self.proxy.url())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// Runs the program, which must succeed, and gives what it says as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        self.run(&all).exits(0).json()
    }

    /// Brings all seats up.
    #[track_caller]
    pub fn up(&self) -> Value {
        let report = self.json(&["up"]);
        assert_eq!(states(&report), ["ready"], "{report:#}");
        report
    }

    /// Takes all away, and makes sure that the account is as it was.
    #[track_caller]
    pub fn down(&self) {
        let certificate = self.json(&["down"]);
        assert_eq!(certificate["clean"], true, "{certificate:#}");
        self.assert_nothing_left();
    }

    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let after = self.emulator.listing();
        let lost = self.before.iter().filter(|line| !after.contains(line));
        let lost: Vec<&String> = lost.collect();
        let left = after.iter().filter(|line| !self.before.contains(line));
        let left: Vec<&String> = left.collect();
        assert!(
            lost.is_empty() && left.is_empty(),
            "lost {lost:#?}, left {left:#?}"
        );
    }

    /// From now on this is what has to be there when all of ours is gone.
    pub fn note_others(&mut self) {
        self.before = self.emulator.listing();
    }

    /// The instances of the event that there are, and are not about to end: in the order of their
    /// seats.
    pub fn alive(&self) -> Vec<Alive> {
        let filter = [
            ("Filter.1.Name", "tag:dev.seatbox.environment"),
            ("Filter.1.Value.1", &*self.name),
            ("Filter.2.Name", "instance-state-name"),
            ("Filter.2.Value.1", "running"),
            ("MaxResults", "1000"),
        ];
        let answer = self.emulator.client().ec2("DescribeInstances", &filter);
        let document = xml::parse(&answer.body);
        let instances = xml::members(document.root_element(), &["reservationSet", "instancesSet"]);
        let mut all: Vec<Alive> = instances.into_iter().map(Alive::read).collect();
        all.sort();
        all
    }

    /// Makes sure that there is one instance for each of so many seats, and no other.
    #[track_caller]
    pub fn assert_seats(&self, count: u32) -> Vec<Alive> {
        let alive = self.alive();
        let seats: Vec<u32> = alive.iter().map(|one| one.seat).collect();
        assert_eq!(seats, (1..=count).collect::<Vec<_>>());
        alive
    }

    /// Makes sure that there is one instance, or one task, for each of so many seats and no other, and
    /// gives what AWS calls them, in the order of the seats.
    #[track_caller]
    pub fn assert_ids(&self, count: u32) -> Vec<String> {
        match self.seats {
            Seats::Instances => {
                let alive = self.assert_seats(count).into_iter();
                alive.map(|one| one.id).collect()
            }
            Seats::Tasks => {
                let running = tasks::assert_seats(self, count).into_iter();
                running.map(|one| one.arn).collect()
            }
        }
    }

    /// How many instances or tasks there have been, those among them that are gone.
    pub fn ever(&self) -> usize {
        if self.seats == Seats::Tasks {
            return tasks::ever(self);
        }
        let filter = [
            ("Filter.1.Name", "instance-state-name"),
            ("Filter.1.Value.1", "pending"),
            ("Filter.1.Value.2", "running"),
            ("Filter.1.Value.3", "terminated"),
            ("MaxResults", "1000"),
        ];
        let answer = self.emulator.client().ec2("DescribeInstances", &filter);
        answer.texts("amiLaunchIndex").len()
    }

    /// All moments at which anything of the event ends, by its tags.
    pub fn ends(&self) -> BTreeSet<String> {
        let client = self.emulator.client();
        let mut ends: BTreeSet<String> = BTreeSet::new();
        for id in self.tagged() {
            let filter = [
                ("Filter.1.Name", "resource-id"),
                ("Filter.1.Value.1", &*id),
                ("Filter.2.Name", "key"),
                ("Filter.2.Value.1", EXPIRES),
            ];
            ends.extend(client.ec2("DescribeTags", &filter).texts("value"));
        }
        let named = json!({"ResourceType": "Parameter", "ResourceId": self.claim()});
        let tags = client.json("ssm", "ListTagsForResource", &named);
        let tags = tags["TagList"].as_array().into_iter().flatten();
        let ours = tags.filter(|tag| tag["Key"] == EXPIRES);
        ends.extend(ours.filter_map(|tag| tag["Value"].as_str().map(str::to_owned)));
        ends
    }

    /// Has everything of the event end at that moment.
    pub fn set_ends(&self, end: Timestamp) {
        let (client, end) = (self.emulator.client(), end.to_string());
        for id in self.tagged() {
            let tag = [
                ("ResourceId.1", &*id),
                ("Tag.1.Key", EXPIRES),
                ("Tag.1.Value", &end),
            ];
            client.ec2("CreateTags", &tag);
        }
        let tags = json!([{"Key": EXPIRES, "Value": end}]);
        let named = json!({
            "ResourceType": "Parameter", "ResourceId": self.claim(), "Tags": tags,
        });
        client.json("ssm", "AddTagsToResource", &named);
    }

    /// What of EC2 carries the event's tag and is there: volumes and interfaces go with their
    /// instances.
    fn tagged(&self) -> Vec<String> {
        let filter = [
            ("Filter.1.Name", "tag:dev.seatbox.environment"),
            ("Filter.1.Value.1", &*self.name),
            ("MaxResults", "1000"),
        ];
        let client = self.emulator.client();
        let mut ids: Vec<String> = self.alive().into_iter().map(|one| one.id).collect();
        for (action, id) in [
            ("DescribeVpcs", "vpcId"),
            ("DescribeSubnets", "subnetId"),
            ("DescribeInternetGateways", "internetGatewayId"),
            ("DescribeSecurityGroups", "groupId"),
        ] {
            let found = client.ec2(action, &filter).texts(id);
            ids.extend(found);
        }
        ids.sort();
        ids.dedup();
        ids
    }

    fn claim(&self) -> String {
        format!("/seatbox/{}/claim", self.name)
    }

    /// A file of a seat's workspace, as the seat's instance has it.
    pub fn workspace(&self, instance: &Alive, file: &str) -> PathBuf {
        let inside = format!("{}/root/var/lib/seatbox/workspace/{file}", instance.id);
        self.instances().join(inside)
    }
}

/// An instance that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alive {
    pub seat: u32,
    pub id: String,
    pub kind: String,
    pub zone: String,
    pub tags: BTreeMap<String, String>,
}

impl Alive {
    fn read(instance: Node<'_, '_>) -> Self {
        let text = |path: &[&str]| xml::text(instance, path).unwrap_or_default().to_owned();
        let tags = xml::members(instance, &["tagSet"]).into_iter();
        let tags: BTreeMap<String, String> = tags
            .map(|tag| {
                let part = |name| xml::text(tag, &[name]).unwrap_or_default().to_owned();
                (part("key"), part("value"))
            })
            .collect();
        let place: usize = text(&["amiLaunchIndex"]).parse().expect("it has a place");
        let seats = tags["dev.seatbox.seats"].split(',').flat_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse::<u32>().expect("seats are numbers");
            number(first)..=number(last)
        });
        Self {
            seat: seats.into_iter().nth(place).expect("it is somebody's"),
            id: text(&["instanceId"]),
            kind: text(&["instanceType"]),
            zone: text(&["placement", "availabilityZone"]),
            tags,
        }
    }
}

/// The states of a report's seats, each once.
pub fn states(report: &Value) -> Vec<&str> {
    let seats = report["seats"].as_array().expect("there are seats");
    let states = seats.iter().filter_map(|seat| seat["state"].as_str());
    let mut states: Vec<&str> = states.collect();
    states.sort_unstable();
    states.dedup();
    states
}

/// The failures of a report's seats that failed, all of that class.
#[track_caller]
pub fn failures(report: &Value, class: &str) -> Vec<Value> {
    let seats = report["seats"].as_array().expect("there are seats");
    let failures = seats.iter().map(|seat| seat["failure"].clone());
    let failures: Vec<Value> = failures.filter(|failure| !failure.is_null()).collect();
    let alike = failures.iter().all(|failure| failure["class"] == class);
    assert!(alike, "{report:#}");
    failures
}
