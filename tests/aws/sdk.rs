//! The SDK that the program uses, through the proxy: it must take what it gets for AWS's.

use aws_sdk_ec2::error::ProvideErrorMetadata as _;
use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
use aws_smithy_types::retry::RetryConfig;

use super::made::{arns, cluster, network};
use crate::support::aws::client::REGION;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::faults::Fate;
use crate::support::aws::images::JAMMY;
use crate::support::aws::proxy::Proxy;

async fn config(endpoint: &str, retries: RetryConfig) -> aws_config::SdkConfig {
    aws_config::from_env()
        .endpoint_url(endpoint)
        .region(REGION)
        .test_credentials()
        .retry_config(retries)
        .load()
        .await
}

#[tokio::test]
async fn the_sdk_launches_lists_and_ends_seats_under_rules_as_strict_as_aws() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let network = network(&proxy.client());
    proxy.set(|settings| settings.be_strict());
    let config = config(&proxy.url(), RetryConfig::disabled()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config);

    let tag = Tag::builder()
        .key("dev.seatbox.seats")
        .value("1-23")
        .build();
    let tags = TagSpecification::builder()
        .resource_type(ResourceType::Instance)
        .tags(tag)
        .build();
    let launch = ec2
        .run_instances()
        .image_id(JAMMY)
        .instance_type(InstanceType::T3Small)
        .min_count(1)
        .max_count(23)
        .subnet_id(&network.subnets[0])
        .security_group_ids(&network.group)
        .client_token("t-token")
        .tag_specifications(tags);
    let launched = launch.clone().send().await.expect("they are launched");
    let again = launch.send().await.expect("they are the same");
    assert_eq!(again.instances(), launched.instances());
    let indexes = launched
        .instances()
        .iter()
        .filter_map(|one| one.ami_launch_index());
    assert_eq!(indexes.collect::<Vec<_>>(), (0..23).collect::<Vec<_>>());

    let mut pages = ec2
        .describe_instances()
        .max_results(10)
        .into_paginator()
        .items()
        .send();
    let mut listed = Vec::new();
    while let Some(reservation) = pages.next().await {
        let reservation = reservation.expect("a page arrives");
        listed.extend(
            reservation
                .instances()
                .iter()
                .filter_map(|one| one.instance_id.clone()),
        );
    }
    assert_eq!(listed.len(), 23);
    assert_eq!(proxy.counts().of("DescribeInstances").answered, 3);

    let terminate = ec2.terminate_instances().set_instance_ids(Some(listed));
    terminate.send().await.expect("they end");
    ec2.delete_subnet()
        .subnet_id(&network.subnets[0])
        .send()
        .await
        .expect("nothing is in it");

    // And so it is without the proxy.
    let config = self::config(&emulator.url(), RetryConfig::disabled()).await;
    let subnets = aws_sdk_ec2::Client::new(&config)
        .describe_subnets()
        .send()
        .await;
    let subnets = subnets.expect("they are listed");
    let ids: Vec<_> = subnets
        .subnets()
        .iter()
        .filter_map(|one| one.subnet_id())
        .collect();
    assert!(!ids.contains(&&*network.subnets[0]) && ids.contains(&&*network.subnets[1]));
}

#[tokio::test]
async fn the_sdk_finds_the_codes_of_errors_and_tries_again_after_those_that_pass() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.be_strict());
    let once = config(&proxy.url(), RetryConfig::disabled()).await;
    let ec2 = aws_sdk_ec2::Client::new(&once);
    let ecs = aws_sdk_ecs::Client::new(&once);

    let missing = ec2
        .describe_instances()
        .instance_ids("i-0123456789abcdef0")
        .send()
        .await;
    let missing = missing.expect_err("there is none");
    assert_eq!(missing.code(), Some("InvalidInstanceID.NotFound"));
    let held = ec2
        .delete_vpc()
        .vpc_id(&network.vpc)
        .send()
        .await
        .expect_err("it is in use");
    assert_eq!(held.code(), Some("DependencyViolation"));
    proxy.set(|settings| settings.faults.plan("ListTasks", Fate::Throttle));
    let throttled = ecs
        .list_tasks()
        .cluster("t-cluster")
        .send()
        .await
        .expect_err("it is throttled");
    assert_eq!(throttled.code(), Some("ThrottlingException"));
    client.json("ecs", "RunTask", &network.run(1));
    let tasks = ecs
        .delete_cluster()
        .cluster("t-cluster")
        .send()
        .await
        .expect_err("a task runs");
    assert!(
        tasks
            .into_service_error()
            .is_cluster_contains_tasks_exception()
    );

    let mut run = network.run(1);
    run["clientToken"] = "t-token".into();
    let first = arns(&client.json("ecs", "RunTask", &run));
    let other = ecs
        .run_task()
        .cluster("t-cluster")
        .task_definition("t-family")
        .client_token("t-token");
    let conflict = other
        .send()
        .await
        .expect_err("it is another call")
        .into_service_error();
    let aws_sdk_ecs::operation::run_task::RunTaskError::ConflictException(conflict) = conflict
    else {
        panic!("no conflict: {conflict:?}");
    };
    assert_eq!(conflict.resource_ids(), first);

    let thrice = config(&proxy.url(), RetryConfig::standard().with_max_attempts(3)).await;
    proxy.counts().reset();
    proxy.set(|settings| {
        settings.faults.plan("DescribeVpcs", Fate::LoseReply);
        settings.faults.plan("DescribeVpcs", Fate::Unavailable);
    });
    let ec2 = aws_sdk_ec2::Client::new(&thrice);
    ec2.describe_vpcs()
        .send()
        .await
        .expect("the third attempt works");
    assert_eq!(proxy.counts().of("DescribeVpcs").total(), 3);
}
