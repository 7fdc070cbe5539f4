//! An event whose seats are tasks, on an emulator of its own.

use std::collections::BTreeMap;

use serde_json::json;

use crate::aws::ec2::lab::Lab;
use crate::support::aws::client::REGION;

/// A service to work in and one that it needs, which has a secret and a check.
const STACK: &str = r#"
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment:
      SEAT: '${SEATBOX_SEAT}'
      DATABASE_URL: 'redis://:${SEATBOX_SECRET_REDIS}@${SEATBOX_HOST_REDIS}:6379'
    ports: ['8080']
    volumes: ['work:/work']
    depends_on: {redis: {condition: service_healthy}}
    x-seatbox: {workspace: /work}
  redis:
    image: docker.io/library/redis:7
    environment: {PASSWORD: '${SEATBOX_SECRET_REDIS}'}
    healthcheck: {test: [CMD-SHELL, 'redis-cli -a "$$PASSWORD" ping'], interval: 5s}
volumes: {work: {}}
"#;

/// The same without a secret: all seats share one definition.
const ALIKE: &str = r#"
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment: {SEAT: '${SEATBOX_SEAT}'}
    ports: ['8080']
"#;

/// An event with so many seats, whose services have secrets.
pub fn lab(topic: &str, seats: u32) -> Lab {
    with_stack(topic, seats, STACK)
}

/// An event with so many seats, whose services have none.
pub fn alike(topic: &str, seats: u32) -> Lab {
    with_stack(topic, seats, ALIKE)
}

/// An event whose commands run here, and have this desk for their workspace.
pub fn at_desk(topic: &str, seats: u32) -> Lab {
    let lab = with_stack(topic, seats, "");
    let place = lab.desk.path("").canonicalize().unwrap();
    let place = place.to_str().unwrap();
    let stack = format!(
        "services:\n  work:\n    image: docker.io/library/golang:1.23-bookworm\n    \
         command: [sleep, infinity]\n    volumes: ['work:{place}']\n    \
         x-seatbox: {{workspace: {place}}}\nvolumes: {{work: {{}}}}\n"
    );
    lab.desk.write("stack.yaml", stack);
    lab
}

/// The tasks that run, by their seats.
pub fn tasks(lab: &Lab) -> BTreeMap<u32, String> {
    let client = lab.emulator.client();
    let cluster = format!("seatbox-{}", lab.name);
    let running = json!({"cluster": cluster, "desiredStatus": "RUNNING"});
    let listed = client.json("ecs", "ListTasks", &running);
    if listed["taskArns"] == json!([]) {
        return BTreeMap::new();
    }
    let named = json!({"cluster": cluster, "tasks": listed["taskArns"], "include": ["TAGS"]});
    let described = client.json("ecs", "DescribeTasks", &named);
    let tasks = described["tasks"].as_array().unwrap().iter();
    let seat = |tags: &serde_json::Value| {
        let mut tags = tags.as_array().unwrap().iter();
        let seat = tags.find(|tag| tag["key"] == "dev.seatbox.seat").unwrap();
        seat["value"].as_str().unwrap().parse().unwrap()
    };
    tasks
        .map(|task| {
            (
                seat(&task["tags"]),
                task["taskArn"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn with_stack(topic: &str, seats: u32, stack: &str) -> Lab {
    let lab = Lab::new(topic, seats);
    lab.desk.write("stack.yaml", stack);
    let text = format!(
        "version: 1\nname: {}\nseats: {{count: {seats}}}\nlifetime: 2h\nprovider: ecs\n\
         stack: stack.yaml\naws: {{region: {REGION}, venue: [203.0.113.0/24]}}\n",
        lab.name,
    );
    lab.desk.write("seatbox.yaml", text);
    lab
}
