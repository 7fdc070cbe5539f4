//! Calls that go wrong.

use serde_json::json;

use super::made::{network, with};
use crate::support::aws::answer::Refusal;
use crate::support::aws::counts::Tally;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::faults::{Fate, Faults};
use crate::support::aws::proxy::Proxy;

#[test]
fn a_planned_fault_befalls_the_next_call_of_its_action_and_no_other() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let launch = network.launch(1, 1);
    let launch = with(&launch, &[]);
    let instances = || {
        emulator
            .client()
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len()
    };

    proxy.set(|settings| settings.faults.plan("RunInstances", Fate::LoseReply));
    client.ec2("DescribeVpcs", &[]);
    client
        .try_query("ec2", "RunInstances", &launch)
        .expect_err("the reply is lost");
    assert_eq!(instances(), 1, "it has worked");
    client.ec2("RunInstances", &launch);
    assert_eq!(instances(), 2);

    proxy.set(|settings| settings.faults.plan("RunInstances", Fate::LoseCall));
    client
        .try_query("ec2", "RunInstances", &launch)
        .expect_err("the call is lost");
    assert_eq!(instances(), 2, "it has not worked");

    for (fate, status, code, made) in [
        (Fate::ErrorBefore, 500, "InternalError", 0),
        (Fate::ErrorAfter, 500, "InternalError", 1),
        (Fate::Unavailable, 503, "Unavailable", 0),
        (Fate::Throttle, 503, "RequestLimitExceeded", 0),
    ] {
        let before = instances();
        proxy.set(|settings| settings.faults.plan("RunInstances", fate));
        let reply = client
            .try_query("ec2", "RunInstances", &launch)
            .expect("an answer arrives");
        assert_eq!((reply.status, &*reply.code()), (status, code));
        assert_eq!(instances(), before + made, "{fate:?}");
    }

    let tally = Tally {
        answered: 1,
        throttled: 1,
        failed: 3,
        lost: 2,
    };
    assert_eq!(proxy.counts().of("RunInstances"), tally);
    assert_eq!(
        proxy.set(|settings| settings.faults.counts()[&Fate::LoseReply]),
        1
    );
}

#[test]
fn each_service_says_in_its_own_form_that_something_is_wrong() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let fates = [Fate::Throttle, Fate::ErrorBefore, Fate::Unavailable];
    let codes = |call: &dyn Fn() -> String, action: &str| {
        fates.map(|fate| {
            proxy.set(|settings| settings.faults.plan(action, fate));
            call()
        })
    };

    let iam = || {
        client
            .try_query("iam", "ListRoles", &[])
            .expect("an answer arrives")
            .code()
    };
    assert_eq!(
        codes(&iam, "ListRoles"),
        ["Throttling", "InternalFailure", "ServiceUnavailable"]
    );
    let ecs = || {
        let reply = client.try_json("ecs", "ListClusters", &json!({}));
        reply.expect("an answer arrives").code()
    };
    let expected = [
        "ThrottlingException",
        "ServerException",
        "ServiceUnavailableException",
    ];
    assert_eq!(codes(&ecs, "ListClusters"), expected);
    let ssm = || {
        let reply = client.try_json("ssm", "DescribeParameters", &json!({}));
        reply.expect("an answer arrives").code()
    };
    let expected = [
        "ThrottlingException",
        "InternalServerError",
        "ServiceUnavailableException",
    ];
    assert_eq!(codes(&ssm, "DescribeParameters"), expected);
}

#[test]
fn as_many_calls_go_wrong_as_are_asked_for_and_again_with_the_same_seed() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let run = |seed| {
        proxy.set(|settings| {
            settings.faults = Faults::seeded(seed);
            settings.faults.errors = 15.0;
            settings.faults.lost_replies = 6.0;
        });
        for _ in 0..100 {
            let _ = client.try_query("ec2", "DescribeAvailabilityZones", &[]);
        }
        proxy.set(|settings| settings.faults.counts().clone())
    };
    let first = run(7);
    assert_eq!(run(7), first);
    let wrong: usize = first
        .iter()
        .filter(|(fate, _)| **fate != Fate::Pass)
        .map(|(_, n)| n)
        .sum();
    assert!((10..=35).contains(&wrong), "about 21 of 100: {first:?}");
    for fate in [
        Fate::ErrorBefore,
        Fate::ErrorAfter,
        Fate::Unavailable,
        Fate::LoseReply,
    ] {
        assert!(first.contains_key(&fate), "{fate:?} is not in {first:?}");
    }
}

#[test]
fn an_action_may_be_refused_for_ever_and_a_region_may_be_silent() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    proxy.set(|settings| {
        let refusal =
            Refusal::with_status(403, "UnauthorizedOperation", "You are not <allowed> to.");
        settings.refuse("CreateVpc", refusal);
        settings.silent_regions.insert("eu-west-1".to_owned());
    });
    for _ in 0..2 {
        let reply = client.try_query("ec2", "CreateVpc", &[("CidrBlock", "10.9.0.0/16")]);
        let reply = reply.expect("an answer arrives");
        assert_eq!(
            (reply.status, &*reply.code()),
            (403, "UnauthorizedOperation")
        );
        assert_eq!(reply.text("Message"), "You are not <allowed> to.");
    }

    let mut elsewhere = proxy.client();
    elsewhere.region = "eu-west-1".to_owned();
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(elsewhere.try_query("ec2", "DescribeVpcs", &[]).is_ok()));
    assert!(
        proxy
            .counts()
            .await_arrival(3, std::time::Duration::from_secs(60))
    );
    client.ec2("DescribeVpcs", &[]);
    assert!(is_done.try_recv().is_err(), "there is no answer");
    drop(proxy);
    assert_eq!(is_done.recv(), Ok(false), "there never was one");
}
