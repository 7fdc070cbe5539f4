//! What AWS has not, and what an account may not have.

use serde_json::json;

use super::made::{arns, cluster, network, with};
use crate::support::aws::capacity::Shortage;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

#[test]
fn a_launch_gets_as_many_as_a_zone_has_if_it_takes_fewer_than_it_wants() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    proxy.set(|settings| {
        let room = &mut settings.capacity.room;
        room.insert(("t3.small".to_owned(), "eu-central-1a".to_owned()), 5);
        settings.capacity.without("t3.medium", "*");
    });
    let launch = |least, most, more: &[(&str, &str)]| {
        let launch = network.launch(least, most);
        let reply = client.try_query("ec2", "RunInstances", &with(&launch, more));
        reply.expect("an answer arrives")
    };

    let refused = launch(6, 6, &[]);
    assert_eq!(
        (refused.status, &*refused.code()),
        (500, "InsufficientInstanceCapacity")
    );
    assert_eq!(launch(1, 3, &[]).texts("instanceId").len(), 3);
    let some = launch(1, 23, &[]);
    assert_eq!(some.texts("instanceId").len(), 2);
    assert_eq!(some.texts("amiLaunchIndex"), ["0", "1"]);
    assert_eq!(launch(1, 1, &[]).code(), "InsufficientInstanceCapacity");

    let mut elsewhere = network.launch(4, 4);
    elsewhere.iter_mut().for_each(|(name, value)| {
        if name == "SubnetId" {
            value.clone_from(&network.subnets[1]);
        }
    });
    client.ec2("RunInstances", &with(&elsewhere, &[]));
    elsewhere.iter_mut().for_each(|(name, value)| {
        if name == "InstanceType" {
            "t3.medium".clone_into(value);
        }
    });
    let other = client.try_query("ec2", "RunInstances", &with(&elsewhere, &[]));
    assert_eq!(
        other.expect("an answer arrives").code(),
        "InsufficientInstanceCapacity"
    );
}

#[test]
fn a_launch_of_more_than_the_quota_of_vcpus_leaves_is_refused_as_a_whole() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    proxy.set(|settings| settings.capacity.vcpus = Some(41));
    let launch = |least, most| {
        let launch = network.launch(least, most);
        let reply = client.try_query("ec2", "RunInstances", &with(&launch, &[]));
        reply.expect("an answer arrives")
    };

    assert_eq!(launch(23, 23).code(), "VcpuLimitExceeded");
    assert_eq!(launch(1, 23).code(), "VcpuLimitExceeded");
    let ids = launch(1, 20).texts("instanceId");
    assert_eq!(ids.len(), 20, "t3.small has two each");
    assert_eq!(launch(1, 3).code(), "VcpuLimitExceeded");
    client.ec2("TerminateInstances", &[("InstanceId.1", &ids[0])]);
    assert_eq!(launch(1, 3).code(), "VcpuLimitExceeded");
    assert_eq!(launch(1, 1).texts("instanceId").len(), 1);
}

#[test]
fn launches_at_the_same_time_do_not_share_the_last_that_there_is() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let network = network(&proxy.client());
    proxy.set(|settings| settings.capacity.vcpus = Some(8));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let launch = network.launch(1, 1);
                let _ = proxy
                    .client()
                    .try_query("ec2", "RunInstances", &with(&launch, &[]));
            });
        }
    });
    assert_eq!(
        emulator
            .client()
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len(),
        4
    );
}

#[test]
fn fargate_starts_what_fits_and_says_why_it_does_not_start_the_rest() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.capacity.fargate_vcpus = Some(6));

    let ten = client.json("ecs", "RunTask", &network.run(10));
    assert_eq!(arns(&ten).len(), 10);
    let rest = client.json("ecs", "RunTask", &network.run(5));
    assert_eq!(arns(&rest).len(), 2, "twelve of half a vCPU are six");
    let failures = rest["failures"].as_array().expect("there are failures");
    assert_eq!(failures.len(), 3);
    let reason = failures[0]["reason"].as_str().expect("there is a reason");
    assert!(
        reason.contains("the number of vCPUs you can run concurrently"),
        "{reason}"
    );
    let stop = json!({"cluster": "t-cluster", "task": arns(&ten)[0]});
    client.json("ecs", "StopTask", &stop);
    assert_eq!(
        arns(&client.json("ecs", "RunTask", &network.run(5))).len(),
        1
    );

    proxy.set(|settings| {
        settings.capacity.fargate_vcpus = None;
        let room = &mut settings.capacity.fargate_room;
        room.insert("eu-central-1a".to_owned(), 1);
    });
    let some = client.json("ecs", "RunTask", &network.run(2));
    assert_eq!(arns(&some).len(), 1, "the first subnet's zone counts");
    let reason = some["failures"][0]["reason"]
        .as_str()
        .expect("there is a reason");
    assert!(reason.starts_with("Capacity is unavailable"), "{reason}");
    let mut elsewhere = network.run(2);
    elsewhere["networkConfiguration"]["awsvpcConfiguration"]["subnets"] =
        json!([network.subnets[1]]);
    let all = client.json("ecs", "RunTask", &elsewhere);
    assert_eq!(arns(&all).len(), 2, "the other zone has");

    // It says so in an error as well, or by the end of a task that it launched.
    proxy.set(|settings| settings.capacity.fargate_shortage = Shortage::Error);
    let refused = client.try_json("ecs", "RunTask", &network.run(1));
    let refused = refused.expect("an answer arrives");
    assert_eq!(refused.code(), "ClientException");
    proxy.set(|settings| settings.capacity.fargate_shortage = Shortage::End);
    let ended = arns(&client.json("ecs", "RunTask", &network.run(1)));
    let named = json!({"cluster": "t-cluster", "tasks": ended});
    let ended = &client.json("ecs", "DescribeTasks", &named)["tasks"][0];
    assert_eq!(ended["lastStatus"], "STOPPED");
    assert_eq!(ended["stoppedReason"], reason);
}

#[test]
fn service_quotas_says_what_the_account_may_have() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    proxy.set(|settings| {
        settings.capacity.vcpus = Some(5);
        settings.capacity.fargate_vcpus = Some(6);
        settings.capacity.vpcs = Some(2);
    });
    let value = |service, code| {
        let asked = json!({"ServiceCode": service, "QuotaCode": code});
        client.json("servicequotas", "GetServiceQuota", &asked)["Quota"]["Value"].as_f64()
    };
    assert_eq!(value("ec2", "L-1216C47A"), Some(5.0));
    assert_eq!(value("fargate", "L-3032A538"), Some(6.0));
    assert!(
        value("ec2", "L-34B43A08") > Some(1000.0),
        "nothing limits spot"
    );
    let listed = json!({"ServiceCode": "ec2"});
    let listed = client.json("servicequotas", "ListServiceQuotas", &listed);
    assert_eq!(listed["Quotas"].as_array().map(Vec::len), Some(2));
    let none = json!({"ServiceCode": "ec2", "QuotaCode": "L-0"});
    let none = client.try_json("servicequotas", "GetServiceQuota", &none);
    assert_eq!(
        none.expect("an answer arrives").code(),
        "NoSuchResourceException"
    );

    let vpc = || {
        let reply = client.try_query("ec2", "CreateVpc", &[("CidrBlock", "10.9.0.0/16")]);
        reply.expect("an answer arrives").code()
    };
    assert_eq!([vpc(), vpc()], ["", "VpcLimitExceeded"], "one was there");
}
