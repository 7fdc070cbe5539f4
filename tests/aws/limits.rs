//! Buckets, and what single calls may ask for.

use serde_json::json;

use super::made::{cluster, definition, network, with};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;
use crate::support::aws::throttle::{Bucket, Throttle, by_action};

/// So slow that nothing comes back in a test.
const NEVER: f64 = 1e-9;

#[test]
fn a_call_that_finds_its_bucket_empty_is_throttled_and_those_of_other_actions_are_not() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let bucket = |burst| {
        Some(Bucket {
            burst,
            refill_per_second: NEVER,
        })
    };
    let calls = move |service: &str, action: &str| match (service, action) {
        ("ec2", "DescribeVpcs") => bucket(3.0),
        ("ecs", "ListClusters") => bucket(1.0),
        _ => None,
    };
    proxy.set(|settings| settings.throttle = Throttle::by(by_action(calls, |_| None)));

    let codes: Vec<String> = (0..5)
        .map(|_| {
            client
                .try_query("ec2", "DescribeVpcs", &[])
                .expect("an answer arrives")
                .code()
        })
        .collect();
    assert_eq!(
        codes,
        ["", "", "", "RequestLimitExceeded", "RequestLimitExceeded"]
    );
    client.ec2("DescribeSubnets", &[]);
    client.json("ecs", "ListClusters", &json!({}));
    let throttled = client
        .try_json("ecs", "ListClusters", &json!({}))
        .expect("an answer arrives");
    assert_eq!(
        (throttled.status, &*throttled.code()),
        (400, "ThrottlingException")
    );
    assert_eq!(proxy.counts().of("DescribeVpcs").throttled, 2);
    assert_eq!(proxy.counts().total().throttled, 3);

    let mut elsewhere = proxy.client();
    elsewhere.region = "eu-west-1".to_owned();
    elsewhere.ec2("DescribeVpcs", &[]);
}

#[test]
fn a_bucket_fills_again() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let calls = |_: &str, _: &str| {
        Some(Bucket {
            burst: 1.0,
            refill_per_second: 50.0,
        })
    };
    proxy.set(|settings| settings.throttle = Throttle::by(by_action(calls, |_| None)));
    let mut answered = 0;
    while answered < 5 {
        let reply = client
            .try_query("ec2", "DescribeVpcs", &[])
            .expect("an answer arrives");
        answered += usize::from(reply.code().is_empty());
    }
}

#[test]
fn instances_are_taken_from_a_bucket_of_their_own() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let resources = |action: &str| {
        let limited = ["RunInstances", "TerminateInstances"].contains(&action);
        limited.then_some(Bucket {
            burst: 5.0,
            refill_per_second: NEVER,
        })
    };
    proxy.set(|settings| settings.throttle = Throttle::by(by_action(|_, _| None, resources)));

    let four = network.launch(4, 4);
    let ids = client
        .ec2("RunInstances", &with(&four, &[]))
        .texts("instanceId");
    assert_eq!(ids.len(), 4);
    let again = client.try_query("ec2", "RunInstances", &with(&four, &[]));
    assert_eq!(
        again.expect("an answer arrives").code(),
        "RequestLimitExceeded"
    );
    client.ec2(
        "TerminateInstances",
        &[("InstanceId.1", &ids[0]), ("InstanceId.2", &ids[1])],
    );
    client.ec2("RunInstances", &with(&network.launch(1, 1), &[]));
}

#[test]
fn a_throttle_of_ec2_may_come_in_an_error_of_ecs() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    let calls = |_: &str, action: &str| {
        (action == "RunTask").then_some(Bucket {
            burst: 0.0,
            refill_per_second: NEVER,
        })
    };
    proxy.set(|settings| {
        settings.throttle = Throttle::by(by_action(calls, |_| None));
        settings.throttle.wraps = true;
    });
    let [first, second] = [(); 2].map(|()| {
        let reply = client.try_json("ecs", "RunTask", &network.run(1));
        reply.expect("an answer arrives")
    });
    assert_eq!(first.code(), "InvalidParameterException");
    assert!(
        first.body.contains("(ErrorCode: RequestLimitExceeded)"),
        "{first:?}"
    );
    assert!(first.body.contains(&network.group), "{first:?}");
    assert_eq!(second.code(), "ThrottlingException");
    assert_eq!(proxy.counts().of("RunTask").throttled, 2);
}

#[test]
fn fargate_takes_its_sizes_alone_and_a_run_ten_tasks() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.fargate = true);

    let register = |cpu: &str, memory: &str| {
        let reply = client.try_json("ecs", "RegisterTaskDefinition", &definition(cpu, memory));
        reply.expect("an answer arrives").code()
    };
    for (cpu, memory) in [
        ("256", "512"),
        ("0.5 vCPU", "1 GB"),
        ("4096", "30720"),
        ("8192", "20480"),
    ] {
        assert_eq!(register(cpu, memory), "", "{cpu} and {memory}");
    }
    for (cpu, memory) in [
        ("256", "4096"),
        ("300", "512"),
        ("512", "1025"),
        ("8192", "17408"),
        ("512", ""),
    ] {
        assert_eq!(
            register(cpu, memory),
            "ClientException",
            "{cpu} and {memory}"
        );
    }
    let mut bridged = definition("256", "512");
    bridged["networkMode"] = json!("bridge");
    let bridged = client.try_json("ecs", "RegisterTaskDefinition", &bridged);
    assert_eq!(
        bridged.expect("an answer arrives").code(),
        "ClientException"
    );

    assert_eq!(register("512", "1024"), "");
    let run = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut run = network.run(10);
        change(&mut run);
        let reply = client.try_json("ecs", "RunTask", &run);
        reply.expect("an answer arrives").code()
    };
    assert_eq!(run(&|_| ()), "");
    assert_eq!(
        run(&|run| run["count"] = json!(11)),
        "InvalidParameterException"
    );
    assert_eq!(
        run(&|run| run["overrides"] = json!({"memory": "8192"})),
        "ClientException"
    );
    assert_eq!(
        run(&|run| run["overrides"] = json!({"cpu": "1024", "memory": "8192"})),
        ""
    );
    let long = json!({"containerOverrides": [{"name": "web", "command": ["x".repeat(9000)]}]});
    assert_eq!(
        run(&|run| run["overrides"] = long.clone()),
        "InvalidParameterException"
    );
}

#[test]
fn what_is_too_large_for_one_call_is_refused() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.shapes = true);

    let launch = network.launch(1, 1);
    let code = |more: &[(&str, &str)]| {
        let launch = with(&launch, more);
        client
            .try_query("ec2", "RunInstances", &launch)
            .expect("an answer arrives")
            .code()
    };
    assert_eq!(code(&[("UserData", &"A".repeat(21_000))]), "");
    assert_eq!(
        code(&[("UserData", &"A".repeat(22_000))]),
        "InvalidParameterValue"
    );
    fn tag<'a>(key: &'a str, value: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", key),
            ("TagSpecification.1.Tag.1.Value", value),
        ]
    }
    assert_eq!(code(&tag("dev.seatbox.seats", "1-3,7")), "");
    assert_eq!(
        code(&tag("dev.seatbox.seats", &"1,".repeat(200))),
        "InvalidParameterValue"
    );
    assert_eq!(code(&tag("aws:seat", "1")), "InvalidParameterValue");

    let ecs = |parameters: &serde_json::Value, action: &str| {
        let reply = client.try_json("ecs", action, parameters);
        reply.expect("an answer arrives").code()
    };
    let mut run = network.run(1);
    run["tags"] = json!([{"key": "dev.seatbox.seats", "value": "1-3,7"}]);
    assert_eq!(
        ecs(&run, "RunTask"),
        "InvalidParameterException",
        "ECS takes no comma"
    );
    run["tags"] = json!([{"key": "dev.seatbox.seats", "value": "1-3 7"}]);
    assert_eq!(ecs(&run, "RunTask"), "");
    let many = json!({"cluster": "t-cluster", "tasks": vec!["0".repeat(32); 101]});
    assert_eq!(ecs(&many, "DescribeTasks"), "InvalidParameterException");
}
