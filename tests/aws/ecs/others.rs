//! What is not ours is never touched, whatever it is called.

use serde_json::json;

use super::lab::{alike, assert_seats, lab, running};
use crate::aws::ec2::lab::states;
use crate::aws::made;
use crate::support::desk::{Desk, run};

#[test]
fn things_of_others_survive_all_verbs_untouched() {
    let mut lab = lab("tasks-others", 2);
    let client = lab.emulator.client();
    // Another environment, whose name begins like ours: everything of it has a name like ours.
    let theirs = Desk::new();
    let name = format!("{}-2", lab.name);
    for file in ["seatbox.yaml", "stack.yaml"] {
        let text = std::fs::read_to_string(lab.desk.path(file)).unwrap();
        theirs.write(file, text.replace(&lab.name, &name));
    }
    let other = |arguments: &[&str]| run(&mut lab.command_at(&theirs, arguments)).exits(0);
    other(&["up"]);
    // And things with our names, or almost, and without our tags.
    let network = made::network(&client);
    let cluster = json!({"clusterName": format!("seatbox-{}x", lab.name)});
    client.json("ecs", "CreateCluster", &cluster);
    let mut definition = made::definition("256", "512");
    for family in [
        format!("seatbox-{}", lab.name),
        format!("seatbox-{}-copy", lab.name),
    ] {
        definition["family"] = family.as_str().into();
        client.json("ecs", "RegisterTaskDefinition", &definition);
        let mut task = network.run(1);
        task["cluster"] = cluster["clusterName"].clone();
        task["taskDefinition"] = family.into();
        task["tags"] = json!([{"key": "dev.seatbox.seat", "value": "1"}]);
        client.json("ecs", "RunTask", &task);
    }
    let group = json!({"logGroupName": format!("/seatbox/{}x", lab.name)});
    client.json("logs", "CreateLogGroup", &group);
    let secret = json!({
        "Name": format!("/seatbox/{}/9/TOKEN", lab.name), "Value": "theirs", "Type": "String",
    });
    client.json("ssm", "PutParameter", &secret);
    let role = [
        ("RoleName", &*format!("seatbox-{}-exec", lab.name)),
        ("Path", "/seatbox/"),
        ("AssumeRolePolicyDocument", "{}"),
    ];
    client.iam("CreateRole", &role);
    lab.note_others();

    lab.up();
    assert_seats(&lab, 2);
    lab.json(&["reset", "--all", "--workspace"]);
    lab.json(&["extend", "--by", "1h"]);
    lab.json(&["sweep", "--provider", "ecs"]);
    assert_seats(&lab, 2);
    lab.down();
    let other = |arguments: &[&str]| run(&mut lab.command_at(&theirs, arguments)).exits(0);
    let status = other(&["status", "--output", "json"]).json();
    assert_eq!(states(&status), ["ready"], "{status:#}");
}

#[test]
fn a_task_of_somebody_elses_in_our_cluster_keeps_running_and_is_named() {
    let lab = alike("tasks-guest", 1);
    lab.up();
    let client = lab.emulator.client();
    let network = made::network(&client);
    made::cluster(&client);
    let mut run = network.run(1);
    run["cluster"] = format!("seatbox-{}", lab.name).into();
    let guest = made::arns(&client.json("ecs", "RunTask", &run)).remove(0);
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    let ran = lab.run(&["down"]).exits(3);
    ran.says(&[&guest, "which does not carry our tags"]);
    let named = json!({"cluster": run["cluster"], "tasks": [guest]});
    let task = &client.json("ecs", "DescribeTasks", &named)["tasks"][0];
    assert_eq!(task["desiredStatus"], "RUNNING", "{task:#}");
    let stop = json!({"cluster": run["cluster"], "task": guest});
    client.json("ecs", "StopTask", &stop);
    lab.run(&["down"]).exits(0);
}

#[test]
fn a_task_too_many_of_a_seat_goes_and_one_stays() {
    let lab = alike("tasks-surplus", 2);
    lab.up();
    let first = assert_seats(&lab, 2);
    let client = lab.emulator.client();
    let network = made::network(&client);
    let task = json!({
        "cluster": format!("seatbox-{}", lab.name),
        "tasks": [first[1].arn],
    });
    let like = client.json("ecs", "DescribeTasks", &task);
    let tags: Vec<_> = first[1].tags.iter().collect();
    let tags: Vec<_> = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let mut run = network.run(1);
    run["cluster"] = task["cluster"].clone();
    run["taskDefinition"] = like["tasks"][0]["taskDefinitionArn"].clone();
    run["tags"] = tags.into();
    client.json("ecs", "RunTask", &run);
    assert_eq!(running(&lab).len(), 3);
    lab.up();
    assert_seats(&lab, 2);
    assert_eq!(lab.ever(), 3, "one is made for what is there");
}

#[test]
fn what_has_our_names_and_not_our_tags_is_neither_taken_over_nor_taken_away() {
    let mut lab = alike("tasks-others", 1);
    let client = lab.emulator.client();
    let name = format!("seatbox-{}", lab.name);
    client.json(
        "ecs",
        "CreateCluster",
        &serde_json::json!({"clusterName": name}),
    );
    lab.note_others();
    let ran = lab.run(&["up"]).exits(3);
    ran.says(&[
        "which does not carry our tags",
        "give the environment another name",
    ]);
    lab.down();
}
