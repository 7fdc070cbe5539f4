//! The second look of a removal of tasks.

use super::lab::lab;
use crate::support::aws::client::REGION;

#[test]
fn tasks_clusters_and_definitions_that_are_over_are_on_the_list_and_are_not_left() {
    let lab = lab("gone", 2);
    lab.up();
    lab.proxy.counts().reset();
    let certificate = lab.json(&["down"]);
    let look = &certificate["second_look"];
    assert_eq!(certificate["clean"], true, "{certificate:#}");
    assert_eq!(look["made"], true, "{look:#}");
    let count = |name: &str| look[name].as_u64().unwrap();
    // A cluster and two definitions, of what the emulator remembers.
    assert!(count("listed") >= 3, "{look:#}");
    assert_eq!((count("gone"), count("left")), (count("listed"), 0));
    lab.assert_nothing_left();
}

#[test]
fn what_of_a_service_is_there_still_is_left() {
    let lab = lab("there", 2);
    let client = lab.emulator.client();
    let tags = serde_json::json!([
        {"key": "dev.seatbox.environment", "value": lab.name},
        {"key": "dev.seatbox.seat", "value": "shared"},
    ]);
    // Its name is none of ours, so that no list of ours has it.
    let definition = serde_json::json!({
        "family": "t-copy", "tags": tags, "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "one", "image": "t", "memory": 64}],
    });
    client.json("ecs", "RegisterTaskDefinition", &definition);
    lab.run(&["down"]).exits(3).says(&[
        "1 ecs task-definition",
        &format!("arn:aws:ecs:{REGION}:123456789012:task-definition/t-copy:1: "),
        "there still",
    ]);
    let named = serde_json::json!({"taskDefinition": "t-copy:1"});
    client.json("ecs", "DeregisterTaskDefinition", &named);
    // Deregistered it can be used still, and so it is there.
    lab.run(&["down"]).exits(3);
    let named = serde_json::json!({"taskDefinitions": ["t-copy:1"]});
    client.json("ecs", "DeleteTaskDefinitions", &named);
    lab.run(&["down"]).exits(0);
}
