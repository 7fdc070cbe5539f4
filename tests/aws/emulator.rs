//! The emulator that the tests rest on, and the listing by which they see what is left.

use serde_json::json;

use crate::support::aws::client::Client;
use crate::support::aws::emulator::Emulator;

const IMAGE: &str = "ami-0a1b2c3d4e5f62204";

#[test]
fn a_listing_shows_what_was_made_and_is_as_before_once_it_is_gone() {
    let emulator = Emulator::start();
    let client = emulator.client();
    let before = emulator.listing();

    let group = client.ec2(
        "CreateSecurityGroup",
        &[("GroupName", "t"), ("GroupDescription", "t")],
    );
    let group = group.text("groupId");
    let instances = launch(&client, 3);
    client.iam(
        "CreateRole",
        &[("RoleName", "t-role"), ("AssumeRolePolicyDocument", "{}")],
    );
    client.json("logs", "CreateLogGroup", &json!({"logGroupName": "t-logs"}));
    let parameter = json!({"Name": "/t/1", "Value": "v", "Type": "SecureString"});
    client.json("ssm", "PutParameter", &parameter);
    let definition = register(&client);
    client.json("ecs", "CreateCluster", &json!({"clusterName": "t-cluster"}));
    let tasks = run(&client, &definition);

    let between = emulator.listing();
    let names = instances
        .iter()
        .chain(&tasks)
        .chain([&group, &definition])
        .map(String::as_str);
    for name in names.chain(["t-role", "t-logs", "/t/1", "cluster/t-cluster"]) {
        assert!(
            between.iter().any(|line| line.contains(name)),
            "{name} is not in {between:#?}"
        );
    }

    for instance in &instances {
        client.ec2("TerminateInstances", &[("InstanceId.1", instance)]);
    }
    client.ec2("DeleteSecurityGroup", &[("GroupId", &group)]);
    client.iam("DeleteRole", &[("RoleName", "t-role")]);
    client.json("logs", "DeleteLogGroup", &json!({"logGroupName": "t-logs"}));
    client.json("ssm", "DeleteParameter", &json!({"Name": "/t/1"}));
    for task in &tasks {
        client.json(
            "ecs",
            "StopTask",
            &json!({"cluster": "t-cluster", "task": task}),
        );
    }
    client.json(
        "ecs",
        "DeregisterTaskDefinition",
        &json!({"taskDefinition": definition}),
    );
    client.json("ecs", "DeleteCluster", &json!({"cluster": "t-cluster"}));
    assert_eq!(emulator.listing(), before);
}

#[test]
fn tasks_run_until_they_are_stopped_however_often_they_are_looked_at() {
    let emulator = Emulator::start();
    let client = emulator.client();
    // Whatever is forgotten, the hold on tasks is not.
    emulator.reset();
    client.json("ecs", "CreateCluster", &json!({"clusterName": "t-cluster"}));
    let definition = register(&client);
    let tasks = run(&client, &definition);
    for _ in 0..20 {
        let named = json!({"cluster": "t-cluster", "tasks": tasks});
        let described = client.json("ecs", "DescribeTasks", &named);
        assert_eq!(described["tasks"][0]["lastStatus"], "RUNNING");
    }
}

fn launch(client: &Client, count: usize) -> Vec<String> {
    let count = count.to_string();
    let launch = [
        ("ImageId", IMAGE),
        ("InstanceType", "t3.small"),
        ("MinCount", &*count),
        ("MaxCount", &*count),
    ];
    client.ec2("RunInstances", &launch).texts("instanceId")
}

fn register(client: &Client) -> String {
    let definition = json!({
        "family": "t-family",
        "containerDefinitions": [{"name": "t", "image": "t", "memory": 512}],
    });
    let registered = client.json("ecs", "RegisterTaskDefinition", &definition);
    let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str();
    arn.expect("it has a name").to_owned()
}

fn run(client: &Client, definition: &str) -> Vec<String> {
    let run = json!({
        "cluster": "t-cluster",
        "taskDefinition": definition,
        "launchType": "FARGATE",
        "count": 2,
    });
    let ran = client.json("ecs", "RunTask", &run);
    let tasks = ran["tasks"].as_array().expect("there are tasks");
    let arns = tasks.iter().filter_map(|task| task["taskArn"].as_str());
    arns.map(str::to_owned).collect()
}
