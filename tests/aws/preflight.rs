//! What is looked at before anything is created.

use super::account::{Account, VENUE};
use super::made::{cluster, network, with};
use crate::support::aws::answer::Refusal;
use crate::support::aws::client::REGION;
use crate::support::aws::settings::Settings;
use crate::support::schema::assert_output;

fn account(settings: &str) -> Account {
    Account::new(&format!("provider: ec2\n{VENUE}{settings}"))
}

/// Nothing was asked for that changes anything.
#[track_caller]
fn assert_only_looked(account: &Account) {
    let actions = account.proxy.counts().by_action();
    let changes = |action: &&String| {
        !["Describe", "Get", "List"]
            .iter()
            .any(|look| action.starts_with(look))
    };
    let changes: Vec<&String> = actions.keys().filter(changes).collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_quota_that_is_too_small_is_told_with_what_to_ask_for_and_nothing_is_created() {
    let account = account("seats: {count: 23}\n");
    let before = account.emulator.listing();
    account
        .proxy
        .set(|settings| settings.capacity.vcpus = Some(5));
    let quota = [
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances (L-1216C47A)",
        "46 vCPUs needed, 0 in use, 5 allowed",
        "--quota-code L-1216C47A --desired-value 46 --region eu-central-1",
        "there is room for 2 seats now",
    ];
    account
        .run(&["up"])
        .exits(2)
        .says(&quota)
        .says(&["nothing was created"]);
    assert_only_looked(&account);
    assert_eq!(account.emulator.listing(), before);
    account.run(&["plan"]).exits(2).says(&quota);
    account
        .run(&["plan", "--seats", "1-2"])
        .exits(0)
        .says(&["4 vCPUs needed, 0 in use, 5 allowed"]);
}

#[test]
fn programs_are_told_the_quota_in_numbers() {
    let account = account("seats: {count: 23}\n");
    account
        .proxy
        .set(|settings| settings.capacity.vcpus = Some(20));
    let plan = account.run(&["plan", "--output", "json"]).exits(2).json();
    assert_output(&plan, "PlanReport");
    let checks = plan["preflight"].as_array().unwrap();
    let of = |quota: &str| {
        let is_it = |check: &&serde_json::Value| check["quota"]["code"] == quota;
        checks.iter().find(is_it).unwrap()
    };
    let failed = of("L-1216C47A");
    assert_eq!(failed["result"], "failed");
    for (field, value) in [("need", 46), ("used", 0), ("value", 20), ("enough", 46)] {
        assert_eq!(failed["quota"][field], value, "{field}");
    }
    let is_of_vpcs = |check: &&serde_json::Value| {
        let message = check["message"].as_str().unwrap();
        message.contains("(L-F678F1CE)")
    };
    let of_vpcs = checks.iter().find(is_of_vpcs).unwrap();
    assert_eq!(of_vpcs["result"], "passed");
    // Nobody knows how many this account may have.
    assert!(of_vpcs.get("quota").is_none_or(serde_json::Value::is_null));
    assert_eq!(checks[0]["check"], "identity");
    assert!(checks[0]["message"].as_str().unwrap().contains(REGION));

    let up = account.run(&["up", "--output", "json"]).exits(2);
    let error: serde_json::Value = serde_json::from_str(up.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["preflight"], plan["preflight"]);
}

#[test]
fn what_others_run_counts_and_what_is_of_another_family_does_not() {
    let account = account("seats: {count: 3}\n");
    let client = account.client(REGION);
    let network = network(&client);
    client.ec2("RunInstances", &with(&network.launch(2, 2), &[]));
    let mut other = network.launch(1, 1);
    for (name, value) in &mut other {
        if name == "InstanceType" {
            *value = "g4dn.xlarge".to_owned();
        }
    }
    client.ec2("RunInstances", &with(&other, &[]));
    account
        .proxy
        .set(|settings| settings.capacity.vcpus = Some(10));
    account
        .run(&["plan"])
        .exits(0)
        .says(&["6 vCPUs needed, 4 in use, 10 allowed"]);
    account
        .proxy
        .set(|settings| settings.capacity.vcpus = Some(9));
    account
        .run(&["plan"])
        .exits(2)
        .says(&["--desired-value 10", "there is room for 2 seats now"]);
    account
        .run(&["plan", "--set", "ec2.market=spot"])
        .exits(0)
        .says(&["(L-34B43A08)", "6 vCPUs needed, 0 in use"]);
}

#[test]
fn what_can_not_be_found_out_keeps_nobody_from_trying() {
    let account = account("seats: {count: 23}\n");
    let denied = || Refusal::new("AccessDeniedException", "no");
    account.proxy.set(|settings| {
        settings.capacity.vcpus = Some(5);
        settings.refuse("GetServiceQuota", denied());
        settings.refuse(
            "DescribeInstanceTypes",
            Refusal::with_status(403, "UnauthorizedOperation", "no"),
        );
    });
    let plan = account.run(&["plan", "--output", "json"]).exits(0).json();
    assert_output(&plan, "PlanReport");
    let results: Vec<_> = plan["preflight"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["check"].as_str().unwrap(),
                check["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            ("identity", "passed"),
            ("type", "unknown"),
            ("image", "passed"),
            ("quota", "unknown"),
            // As many VPCs as everybody may have need no question.
            ("quota", "passed"),
        ]
    );
}

#[test]
fn a_vpc_that_is_one_too_many_is_told() {
    let account = account("seats: {count: 1}\n");
    let client = account.client(REGION);
    let another = |number: u8| {
        let range = format!("10.{number}.0.0/16");
        client.ec2("CreateVpc", &[("CidrBlock", &range)]);
    };
    let allow = |vpcs| {
        let set = |settings: &mut Settings| settings.capacity.vpcs = Some(vpcs);
        account.proxy.set(set);
    };
    let quotas_asked_for = || account.proxy.counts().of("GetServiceQuota").total();
    allow(5);
    // With the account's own there are four.
    (1..=3).for_each(another);
    account
        .run(&["plan"])
        .exits(0)
        .says(&["1 VPCs needed, 4 in use, 5 or more allowed"]);
    assert_eq!(quotas_asked_for(), 1, "that of processors");
    another(4);
    account.run(&["up"]).exits(2).says(&[
        "VPCs per Region (L-F678F1CE): 1 VPCs needed, 5 in use, 5 allowed",
        "--service-code vpc --quota-code L-F678F1CE --desired-value 6",
    ]);
    assert_only_looked(&account);
    allow(6);
    account
        .run(&["plan"])
        .exits(0)
        .says(&["1 VPCs needed, 5 in use, 6 allowed"]);
}

#[test]
fn types_that_do_not_serve_are_told() {
    let account = account("seats: {count: 1}\n");
    for (types, pieces) in [
        (
            "[t2.micro]",
            &["t2.micro is not built on the Nitro system"][..],
        ),
        (
            "[t3.small, t4g.small]",
            &[
                "is for x86_64, which t4g.small can't run",
                "stand in for each other",
            ],
        ),
    ] {
        let set = format!("ec2.types={types}");
        account.run(&["up", "--set", &set]).exits(2).says(pieces);
    }
    account
        .run(&["up", "--set", "ec2.image=ami-0123456789abcdef0"])
        .exits(2)
        .says(&["ami-0123456789abcdef0"]);
    assert_only_looked(&account);
}

#[test]
fn a_plan_of_a_new_environment_costs_a_call_for_each_thing_that_is_looked_at() {
    let account = account("seats: {count: 23}\n");
    account.run(&["plan"]).exits(0);
    let counts = account.proxy.counts().by_action();
    let calls = counts
        .into_iter()
        .map(|(action, count)| (action, count.total()));
    let wanted = [
        ("DescribeAvailabilityZones", 1),
        ("DescribeImages", 1),
        ("DescribeInstanceTypeOfferings", 1),
        ("DescribeInstanceTypes", 1),
        // What is in use of a quota: before there is a VPC or a claim nothing else is looked for.
        ("DescribeInstances", 1),
        ("DescribeVpcs", 1),
        ("GetCallerIdentity", 1),
        // The claim and the image.
        ("GetParameters", 1),
        // Of processors. Five VPCs are everybody's.
        ("GetServiceQuota", 1),
    ];
    let wanted = wanted.map(|(action, calls)| (action.to_owned(), calls));
    assert_eq!(calls.collect::<Vec<_>>(), wanted);
}

#[test]
fn an_image_that_may_not_be_looked_for_keeps_nobody_from_trying() {
    let account = account("seats: {count: 1}\n");
    account
        .proxy
        .set(|settings| settings.public_parameters_refused = true);
    let plan = account.run(&["plan"]).exits(0);
    plan.says(&["image", "AccessDeniedException"]);
}

#[test]
fn a_quota_of_fargate_is_looked_at_with_what_runs_there() {
    let account = account("seats: {count: 23}\n");
    let client = account.client(REGION);
    let network = network(&client);
    cluster(&client);
    client.json("ecs", "RunTask", &network.run(2));
    account
        .proxy
        .set(|settings| settings.capacity.fargate_vcpus = Some(6));
    let of = |provider: &str| {
        let plan = account.run(&["plan", "--provider", provider, "--output", "json"]);
        let plan = plan.exits(2).json();
        let checks = plan["preflight"].as_array().unwrap().clone();
        checks
            .into_iter()
            .find(|check| check["quota"]["code"] == "L-3032A538")
            .unwrap()
    };
    let check = of("ecs");
    assert_eq!(check["result"], "failed", "{check:#}");
    assert_eq!(check["quota"]["used"], 1, "{check:#}");
    assert_eq!(check["quota"]["value"], 6);
    let need = check["quota"]["need"].as_u64().unwrap();
    assert!(need >= 23, "{check:#}");
    account.run(&["up", "--provider", "ecs"]).exits(2).says(&[
        "Fargate On-Demand vCPU resource count (L-3032A538)",
        &format!(
            "--service-code fargate --quota-code L-3032A538 --desired-value {}",
            need + 1
        ),
    ]);
    assert_only_looked(&account);
    account
        .run(&[
            "plan",
            "--provider",
            "ecs",
            "--set",
            "ecs.capacity=fargate-spot",
        ])
        .exits(0)
        .says(&["(L-36FBB829)", "0 in use"]);
}
