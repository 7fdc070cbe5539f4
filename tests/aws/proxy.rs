//! The proxy itself: what it lets through, and what it takes down.

use std::time::Duration;

use serde_json::json;

use super::made::{arns, cluster, network};
use crate::support::aws::call::Parameters;
use crate::support::aws::counts::Tally;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

#[test]
fn a_proxy_that_is_told_nothing_passes_all_calls_on_and_counts_them_by_action() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();

    let vpc = client
        .ec2("CreateVpc", &[("CidrBlock", "10.214.0.0/16")])
        .text("vpcId");
    let direct = emulator.client().ec2("DescribeVpcs", &[("VpcId.1", &vpc)]);
    let through = client.ec2("DescribeVpcs", &[("VpcId.1", &vpc)]);
    assert_eq!(through.body, direct.body);
    let cluster = client.json("ecs", "CreateCluster", &json!({"clusterName": "t-cluster"}));
    assert_eq!(cluster["cluster"]["clusterName"], "t-cluster");
    let unknown = client.try_query("ec2", "DescribeVpcs", &[("VpcId.1", "vpc-0")]);
    assert_eq!(
        unknown.expect("an answer arrives").code(),
        "InvalidVpcID.NotFound"
    );

    let counts = proxy.counts();
    assert_eq!(
        counts.of("CreateVpc"),
        Tally {
            answered: 1,
            ..Tally::default()
        }
    );
    let twice = Tally {
        answered: 1,
        failed: 1,
        ..Tally::default()
    };
    assert_eq!(counts.of("DescribeVpcs"), twice);
    assert_eq!(counts.of("CreateCluster").total(), 1);
    assert_eq!(counts.total().total(), 4);

    let records = counts.records();
    let Parameters::Form(pairs) = &records[0].call.parameters else {
        panic!("EC2 is called with forms");
    };
    assert!(pairs.contains(&("CidrBlock".to_owned(), "10.214.0.0/16".to_owned())));
    assert_eq!(records[2].call.service, "ecs");
    assert_eq!(records[2].call.region, "eu-central-1");
    assert_eq!(records[2].call.access_key, "test");

    counts.reset();
    assert_eq!(counts.arrived(), 0);
}

#[test]
fn a_call_can_be_waited_for_and_is_done_although_its_caller_hangs_up() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    proxy.set(|settings| settings.latency = Duration::from_millis(300));
    assert!(!proxy.counts().await_arrival(1, Duration::ZERO));

    let mut caller = std::process::Command::new("bash")
        .args([
            "-c",
            CALLER,
            "bash",
            &proxy.url().replace("http://127.0.0.1:", ""),
        ])
        .spawn()
        .expect("bash can be started");
    assert!(proxy.counts().await_arrival(1, Duration::from_secs(60)));
    caller.kill().expect("it can be killed");
    caller.wait().expect("it ends");

    let patience = std::time::Instant::now() + Duration::from_secs(60);
    while proxy.counts().of("CreateVpc").total() == 0 {
        assert!(
            std::time::Instant::now() < patience,
            "the call is never done"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let vpcs = emulator
        .client()
        .ec2("DescribeVpcs", &[])
        .texts("cidrBlock");
    assert!(vpcs.contains(&"10.77.0.0/16".to_owned()), "{vpcs:?}");
}

/// Makes a VPC, and is killed while it waits for the answer.
const CALLER: &str = r#"
exec 3<>"/dev/tcp/127.0.0.1/$1"
body='Action=CreateVpc&Version=2016-11-15&CidrBlock=10.77.0.0/16'
printf 'POST / HTTP/1.1\r\nHost: t\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20261101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=none\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s' ${#body} "$body" >&3
read -r answer <&3
"#;

#[test]
fn canonical_publishes_which_image_is_ubuntu() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let name = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id";
    let image = client.json("ssm", "GetParameter", &json!({"Name": name}));
    let image = image["Parameter"]["Value"]
        .as_str()
        .expect("there is a value")
        .to_owned();
    let described = client.ec2("DescribeImages", &[("ImageId.1", &image)]);
    let expected = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20261014";
    assert_eq!(described.text("name"), expected);

    let own = json!({"Name": "/t/own", "Value": "v", "Type": "String"});
    client.json("ssm", "PutParameter", &own);
    let several = json!({"Names": [name, "/t/own", "/t/none"]});
    let several = client.json("ssm", "GetParameters", &several);
    let values = several["Parameters"].as_array().into_iter().flatten();
    let values: Vec<_> = values.filter_map(|one| one["Value"].as_str()).collect();
    assert_eq!(values, ["v", &image]);
    assert_eq!(several["InvalidParameters"], json!(["/t/none"]));
}

#[test]
fn a_cluster_lists_its_own_running_tasks_and_no_others() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    client.json(
        "ecs",
        "CreateCluster",
        &json!({"clusterName": "t-cluster-2"}),
    );
    let tasks = arns(&client.json("ecs", "RunTask", &network.run(2)));
    let mut other = network.run(1);
    other["cluster"] = json!("t-cluster-2");
    client.json("ecs", "RunTask", &other);
    client.json(
        "ecs",
        "StopTask",
        &json!({"cluster": "t-cluster", "task": tasks[0]}),
    );

    let listed = client.json("ecs", "ListTasks", &json!({"cluster": "t-cluster"}));
    assert_eq!(listed["taskArns"], json!([tasks[1]]));
    let named =
        json!({"cluster": "t-cluster", "tasks": [tasks[1], "0123456789abcdef0123456789abcdef"]});
    let described = client.json("ecs", "DescribeTasks", &named);
    assert_eq!(arns(&described), tasks[1..]);
    assert_eq!(described["failures"][0]["reason"], "MISSING");
}
