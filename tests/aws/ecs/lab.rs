//! An event whose seats are tasks, on an emulator of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::ec2::lab::{Lab, Seats};
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

const EXPIRES: &str = "dev.seatbox.expires";

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
         x-seatbox: {{workspace: {place}, shell: [sh, -c, 'echo shell-is-here; exec sh']}}\nvolumes: {{work: {{}}}}\n"
    );
    lab.desk.write("stack.yaml", stack);
    lab
}

/// The tasks that run, by their seats.
pub fn tasks(lab: &Lab) -> BTreeMap<u32, String> {
    let running = running(lab).into_iter();
    running.map(|task| (task.seat, task.arn)).collect()
}

fn with_stack(topic: &str, seats: u32, stack: &str) -> Lab {
    let mut lab = Lab::new(topic, seats);
    lab.seats = Seats::Tasks;
    // Each wait for a task is a pause of seconds between two looks, and there are many tests.
    lab.seats_take(Duration::ZERO);
    lab.desk.write("stack.yaml", stack);
    describe(&lab, seats, "");
    lab
}

/// Writes the environment file anew, with more in it.
pub fn describe(lab: &Lab, seats: u32, more: &str) {
    let text = format!(
        "version: 1\nname: {}\nseats: {{count: {seats}}}\nlifetime: 2h\nprovider: ecs\n\
         stack: stack.yaml\naws: {{region: {REGION}, venue: [203.0.113.0/24]}}\n{more}",
        lab.name,
    );
    lab.desk.write("seatbox.yaml", text);
}

/// Has everything of the event end at that moment, but for parameters, which end with their seats.
pub fn set_ends(lab: &Lab, end: Timestamp) {
    lab.set_ends(end);
    let (client, end) = (lab.emulator.client(), end.to_string());
    let tags = json!([{"key": EXPIRES, "value": end}]);
    let mut arns: Vec<String> = running(lab).into_iter().map(|one| one.arn).collect();
    arns.push(arn(
        &format!("ecs:{REGION}"),
        &format!("cluster/seatbox-{}", lab.name),
    ));
    for arn in arns {
        client.json(
            "ecs",
            "TagResource",
            &json!({"resourceArn": arn, "tags": tags}),
        );
    }
    let group = arn(
        &format!("logs:{REGION}"),
        &format!("log-group:/seatbox/{}", lab.name),
    );
    let tags = json!({EXPIRES: end});
    client.json(
        "logs",
        "TagResource",
        &json!({"resourceArn": group, "tags": tags}),
    );
    for role in roles(lab) {
        let tag = [
            ("RoleName", &*role),
            ("Tags.member.1.Key", EXPIRES),
            ("Tags.member.1.Value", &end),
        ];
        client.iam("TagRole", &tag);
    }
}

/// All moments at which anything of the event ends, by its tags; but for parameters, which end with
/// their seats.
pub fn ends(lab: &Lab) -> BTreeSet<String> {
    let client = lab.emulator.client();
    let mut ends = lab.ends();
    ends.extend(
        running(lab)
            .into_iter()
            .map(|mut one| one.tags.remove(EXPIRES).unwrap()),
    );
    let cluster = arn(
        &format!("ecs:{REGION}"),
        &format!("cluster/seatbox-{}", lab.name),
    );
    let tags = client.json(
        "ecs",
        "ListTagsForResource",
        &json!({"resourceArn": cluster}),
    );
    let tags = tags["tags"].as_array().unwrap().iter();
    let mut ours = tags.filter(|tag| tag["key"] == EXPIRES);
    ends.extend(
        ours.next()
            .map(|tag| tag["value"].as_str().unwrap().to_owned()),
    );
    let group = arn(
        &format!("logs:{REGION}"),
        &format!("log-group:/seatbox/{}", lab.name),
    );
    let tags = client.json(
        "logs",
        "ListTagsForResource",
        &json!({"resourceArn": group}),
    );
    ends.extend(tags["tags"][EXPIRES].as_str().map(str::to_owned));
    for role in roles(lab) {
        let tags = client.iam("ListRoleTags", &[("RoleName", &role)]);
        let pairs = tags.texts("Key").into_iter().zip(tags.texts("Value"));
        ends.extend(pairs.filter(|(key, _)| key == EXPIRES).map(|(_, end)| end));
    }
    ends
}

fn arn(of: &str, what: &str) -> String {
    format!("arn:aws:{of}:123456789012:{what}")
}

fn roles(lab: &Lab) -> Vec<String> {
    let ours = [("PathPrefix", "/seatbox/")];
    let roles = lab
        .emulator
        .client()
        .iam("ListRoles", &ours)
        .texts("RoleName");
    let prefix = format!("seatbox-{}-", lab.name);
    roles
        .into_iter()
        .filter(|name| name.starts_with(&prefix))
        .collect()
}

/// A task that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Running {
    pub seat: u32,
    pub arn: String,
    /// Its subnet's zone.
    pub zone: String,
    pub tags: BTreeMap<String, String>,
}

/// The tasks of the event that there are, and are not about to end: in the order of their seats.
pub fn running(lab: &Lab) -> Vec<Running> {
    let tasks = listed(lab, &json!({"desiredStatus": "RUNNING"}));
    let mut running: Vec<Running> = tasks.iter().map(|task| read(lab, task)).collect();
    running.sort();
    running
}

/// Makes sure that there is one task for each of so many seats, and no other.
#[track_caller]
pub fn assert_seats(lab: &Lab, count: u32) -> Vec<Running> {
    let running = running(lab);
    let seats: Vec<u32> = running.iter().map(|one| one.seat).collect();
    assert_eq!(seats, (1..=count).collect::<Vec<_>>());
    running
}

/// How many tasks there have been, those among them that have ended.
pub fn ever(lab: &Lab) -> usize {
    listed(lab, &json!({})).len()
}

/// The tasks of the event's cluster that a list has.
fn listed(lab: &Lab, list: &Value) -> Vec<Value> {
    let (client, mut list) = (lab.emulator.client(), list.clone());
    list["cluster"] = format!("seatbox-{}", lab.name).into();
    let mut arns = client.json("ecs", "ListTasks", &list)["taskArns"].take();
    // The emulator takes a cluster for another one whose name begins like its own.
    let own = format!(":task/seatbox-{}/", lab.name);
    if let Some(arns) = arns.as_array_mut() {
        arns.retain(|arn| arn.as_str().is_some_and(|arn| arn.contains(&own)));
    }
    if arns == json!([]) {
        return Vec::new();
    }
    let named = json!({"cluster": list["cluster"], "tasks": arns, "include": ["TAGS"]});
    let mut described = client.json("ecs", "DescribeTasks", &named);
    let tasks = described["tasks"].as_array_mut().map(std::mem::take);
    tasks.unwrap_or_default()
}

fn read(lab: &Lab, task: &Value) -> Running {
    let tags = task["tags"].as_array().into_iter().flatten();
    let part = |tag: &Value, part: &str| tag[part].as_str().unwrap_or_default().to_owned();
    let tags: BTreeMap<String, String> = tags
        .map(|tag| (part(tag, "key"), part(tag, "value")))
        .collect();
    let details = task["attachments"][0]["details"].as_array();
    let subnet = details
        .into_iter()
        .flatten()
        .find(|detail| detail["name"] == "subnetId");
    let subnet = subnet
        .map(|detail| part(detail, "value"))
        .unwrap_or_default();
    let named = [("SubnetId.1", &*subnet)];
    let subnet = lab.emulator.client().ec2("DescribeSubnets", &named);
    Running {
        seat: tags["dev.seatbox.seat"].parse().expect("it is a seat's"),
        arn: part(task, "taskArn"),
        zone: subnet.text("availabilityZone"),
        tags,
    }
}
