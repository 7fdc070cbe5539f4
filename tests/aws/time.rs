//! What takes its time: to be seen, to start, to end.

use std::time::{Duration, Instant};

use serde_json::json;

use super::made::{arns, cluster, network, with};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn what_is_new_is_not_found_and_not_listed_until_it_is_seen() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let old = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.visibility.hides_for = LONG);
    let code = |action, parameters: &[(&str, &str)]| {
        client
            .try_query("ec2", action, parameters)
            .expect("an answer arrives")
            .code()
    };

    let launch = old.launch(3, 3);
    let ids = client
        .ec2("RunInstances", &with(&launch, &[]))
        .texts("instanceId");
    let first = [("InstanceId.1", &*ids[0])];
    assert_eq!(
        code("DescribeInstances", &first),
        "InvalidInstanceID.NotFound"
    );
    assert_eq!(
        code("TerminateInstances", &first),
        "InvalidInstanceID.NotFound"
    );
    let tag = [
        ("ResourceId.1", &*ids[0]),
        ("Tag.1.Key", "k"),
        ("Tag.1.Value", "v"),
    ];
    assert_eq!(code("CreateTags", &tag), "InvalidInstanceID.NotFound");
    assert_eq!(
        client
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len(),
        0
    );

    let vpc = client
        .ec2("CreateVpc", &[("CidrBlock", "10.9.0.0/16")])
        .text("vpcId");
    assert_eq!(
        code("DescribeVpcs", &[("VpcId.1", &vpc)]),
        "InvalidVpcID.NotFound"
    );
    let vpcs = client.ec2("DescribeVpcs", &[]).texts("vpcId");
    assert!(vpcs.contains(&old.vpc) && !vpcs.contains(&vpc), "{vpcs:?}");
    let subnet = [("VpcId", &*old.vpc), ("CidrBlock", "10.214.32.0/20")];
    let subnet = client.ec2("CreateSubnet", &subnet).text("subnetId");
    assert_eq!(
        code("DescribeSubnets", &[("SubnetId.1", &subnet)]),
        "InvalidSubnetID.NotFound"
    );
    assert_eq!(
        code("DescribeSubnets", &[("SubnetId.1", &old.subnets[0])]),
        ""
    );

    let tasks = arns(&client.json("ecs", "RunTask", &old.run(2)));
    let listed = client.json("ecs", "ListTasks", &json!({"cluster": "t-cluster"}));
    assert_eq!(listed["taskArns"], json!([]));
    let named = json!({"cluster": "t-cluster", "tasks": tasks});
    let described = client.json("ecs", "DescribeTasks", &named);
    assert_eq!(described["tasks"], json!([]));
    assert_eq!(
        described["failures"][1],
        json!({"arn": tasks[1], "reason": "MISSING"})
    );
    let stop = json!({"cluster": "t-cluster", "task": tasks[0]});
    let stop = client
        .try_json("ecs", "StopTask", &stop)
        .expect("an answer arrives");
    assert_eq!(stop.code(), "InvalidParameterException");

    proxy.set(|settings| settings.visibility.hides_for = Duration::ZERO);
    assert_eq!(
        client.ec2("DescribeInstances", &first).texts("instanceId"),
        ids[..1]
    );
    assert_eq!(
        client
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len(),
        3
    );
    let described = client.json("ecs", "DescribeTasks", &named);
    assert_eq!(arns(&described).len(), 2);
    assert_eq!(described["failures"], json!([]));
}

#[test]
fn what_is_new_is_missed_by_as_many_looks_as_are_asked_for() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    proxy.set(|settings| {
        settings.visibility.hides_for = LONG;
        settings.visibility.percent = 50.0;
    });
    let vpc = client
        .ec2("CreateVpc", &[("CidrBlock", "10.9.0.0/16")])
        .text("vpcId");
    let looks = (0..40).map(|_| client.try_query("ec2", "DescribeVpcs", &[("VpcId.1", &vpc)]));
    let seen = looks
        .filter(|look| look.as_ref().is_ok_and(|reply| reply.status == 200))
        .count();
    assert!((5..=35).contains(&seen), "{seen} of 40 looks saw it");
}

#[test]
fn instances_start_and_end_when_they_are_told_to_and_hold_their_network_until_then() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    proxy.set(|settings| {
        settings.lifecycle.starts_in = LONG;
        settings.lifecycle.ends_in = LONG;
    });
    let launch = network.launch(2, 2);
    let old = client
        .ec2("RunInstances", &with(&launch, &[]))
        .texts("instanceId");
    proxy.set(|settings| settings.lifecycle.starts_in = Duration::ZERO);
    client.ec2("RunInstances", &with(&launch, &[]));

    let in_state = |state: &str| {
        let filter = [
            ("Filter.1.Name", "instance-state-name"),
            ("Filter.1.Value.1", state),
        ];
        client.ec2("DescribeInstances", &filter).texts("instanceId")
    };
    assert_eq!(in_state("pending"), old);
    assert_eq!(in_state("running").len(), 2);
    let named = [("InstanceId.1", &*old[0])];
    let seen = client.ec2("DescribeInstances", &named);
    assert_eq!(seen.texts("name")[0], "pending");

    client.ec2("TerminateInstances", &named);
    assert_eq!(in_state("shutting-down"), old[..1]);
    assert_eq!(in_state("terminated").len(), 0);
    let group = [("GroupId", &*network.group)];
    let refused = client
        .try_query("ec2", "DeleteSecurityGroup", &group)
        .expect("an answer arrives");
    assert_eq!(refused.code(), "DependencyViolation");
}

#[test]
fn tasks_start_and_end_when_they_are_told_to_with_all_their_containers() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| {
        settings.lifecycle.starts_in = Duration::from_secs(2);
        settings.lifecycle.ends_in = LONG;
    });
    let ran = client.json("ecs", "RunTask", &network.run(1));
    assert_eq!(ran["tasks"][0]["lastStatus"], "PROVISIONING");
    let task = &arns(&ran)[0];
    let named = json!({"cluster": "t-cluster", "tasks": [task]});
    let patience = Instant::now() + Duration::from_secs(60);
    let running = loop {
        let described = client.json("ecs", "DescribeTasks", &named);
        if described["tasks"][0]["lastStatus"] == "RUNNING" {
            break described;
        }
        assert!(Instant::now() < patience, "it never runs: {described}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let containers = running["tasks"][0]["containers"]
        .as_array()
        .expect("there are containers");
    let seen: Vec<_> = containers
        .iter()
        .map(|one| ["name", "lastStatus", "healthStatus"].map(|field| one[field].as_str()))
        .collect();
    let expected = [["db", "RUNNING", "HEALTHY"], ["web", "RUNNING", "UNKNOWN"]];
    assert_eq!(seen, expected.map(|container| container.map(Some)));

    client.json(
        "ecs",
        "StopTask",
        &json!({"cluster": "t-cluster", "task": task}),
    );
    let stopping = client.json("ecs", "DescribeTasks", &named);
    assert_eq!(stopping["tasks"][0]["lastStatus"], "DEPROVISIONING");
    assert_eq!(stopping["tasks"][0]["desiredStatus"], "STOPPED");
    let group = [("GroupId", &*network.group)];
    let refused = client
        .try_query("ec2", "DeleteSecurityGroup", &group)
        .expect("an answer arrives");
    assert_eq!(refused.code(), "DependencyViolation");
    proxy.set(|settings| settings.lifecycle.ends_in = Duration::ZERO);
}
