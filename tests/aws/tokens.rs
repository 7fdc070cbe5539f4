//! Client tokens.

use serde_json::json;

use super::made::{arns, cluster, network, with};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::faults::Fate;
use crate::support::aws::proxy::Proxy;

#[test]
fn the_same_launch_with_the_same_token_is_one_launch() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    proxy.set(|settings| settings.tokens.count = true);
    let (three, four) = (network.launch(3, 3), network.launch(4, 4));
    let token = [("ClientToken", "t-token")];

    proxy.set(|settings| settings.faults.plan("RunInstances", Fate::LoseReply));
    client
        .try_query("ec2", "RunInstances", &with(&three, &token))
        .expect_err("the reply is lost");
    let again = client
        .ec2("RunInstances", &with(&three, &token))
        .texts("instanceId");
    assert_eq!(
        client
            .ec2("RunInstances", &with(&three, &token))
            .texts("instanceId"),
        again
    );
    assert_eq!(
        emulator
            .client()
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len(),
        3
    );

    let other = client.try_query("ec2", "RunInstances", &with(&four, &token));
    assert_eq!(
        other.expect("an answer arrives").code(),
        "IdempotentParameterMismatch"
    );
    let new = [("ClientToken", "t-another")];
    assert_eq!(
        client
            .ec2("RunInstances", &with(&four, &new))
            .texts("instanceId")
            .len(),
        4
    );
    let long = "t".repeat(65);
    let long = client.try_query(
        "ec2",
        "RunInstances",
        &with(&three, &[("ClientToken", &long)]),
    );
    assert_eq!(
        long.expect("an answer arrives").code(),
        "InvalidParameterValue"
    );

    let filter = [
        ("Filter.1.Name", "client-token"),
        ("Filter.1.Value.1", "t-token"),
    ];
    assert_eq!(
        client.ec2("DescribeInstances", &filter).texts("instanceId"),
        again
    );
}

#[test]
fn a_launch_that_was_refused_may_be_asked_for_again_with_its_token() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let launch = network.launch(1, 1);
    let launch = with(&launch, &[("ClientToken", "t-token")]);
    proxy.set(|settings| {
        settings.tokens.count = true;
        settings.capacity.vcpus = Some(0);
    });
    let refused = client
        .try_query("ec2", "RunInstances", &launch)
        .expect("an answer arrives");
    assert_eq!(refused.code(), "VcpuLimitExceeded");
    proxy.set(|settings| settings.capacity.vcpus = None);
    client.ec2("RunInstances", &launch);
}

#[test]
fn two_who_run_the_same_task_at_once_with_one_token_run_it_once() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.tokens.count = true);
    let mut run = network.run(2);
    run["clientToken"] = json!("t-token");

    let ran = std::thread::scope(|scope| {
        let runs = [(); 3].map(|()| scope.spawn(|| proxy.client().json("ecs", "RunTask", &run)));
        runs.map(|run| arns(&run.join().expect("it runs")))
    });
    assert!(ran.iter().all(|tasks| *tasks == ran[0]), "{ran:?}");
    let listed = client.json("ecs", "ListTasks", &json!({"cluster": "t-cluster"}));
    assert_eq!(listed["taskArns"].as_array().map(Vec::len), Some(2));

    run["count"] = json!(1);
    let other = client
        .try_json("ecs", "RunTask", &run)
        .expect("an answer arrives");
    assert_eq!(other.code(), "ConflictException");
    let named: Vec<String> =
        serde_json::from_value(other.json()["resourceIds"].clone()).expect("they are names");
    assert_eq!(named, ran[0]);
}
