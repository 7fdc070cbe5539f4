//! A user's clock that is off, and credentials that end.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::aws::client::Client;
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

/// What EC2, IAM and ECS say.
fn codes(client: &Client) -> [String; 3] {
    let ec2 = client.try_query("ec2", "DescribeVpcs", &[]);
    let iam = client.try_query("iam", "ListRoles", &[]);
    let ecs = client.try_json("ecs", "ListClusters", &json!({}));
    [ec2, iam, ecs].map(|reply| reply.expect("an answer arrives").code())
}

const NONE: [&str; 3] = ["", "", ""];

#[test]
fn a_signature_is_good_for_five_minutes_and_answers_tell_the_time() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let mut client = proxy.client();
    let at = |minutes: i64| Some(Timestamp::now() + SignedDuration::from_mins(minutes));

    client.clock = at(-10);
    assert_eq!(codes(&client), NONE, "nothing is judged yet");
    proxy.set(|settings| settings.clock.judges = true);
    let expired = [
        "RequestExpired",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ];
    assert_eq!(codes(&client), expired);
    client.clock = at(10);
    let early = [
        "AuthFailure",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ];
    assert_eq!(codes(&client), early);
    client.clock = at(4);
    assert_eq!(codes(&client), NONE);

    // The same user, if it is AWS that is ahead.
    proxy.set(|settings| settings.clock.ahead = SignedDuration::from_mins(10));
    client.clock = None;
    assert_eq!(codes(&client), expired);
    let reply = client
        .try_query("ec2", "DescribeVpcs", &[])
        .expect("an answer arrives");
    let date = reply
        .head
        .lines()
        .find_map(|line| line.strip_prefix("date: "));
    let date = jiff::fmt::rfc2822::parse(date.expect("there is a date")).expect("it is one");
    let ahead = date.timestamp().duration_since(Timestamp::now());
    assert!((9..=10).contains(&ahead.as_mins()), "{ahead}");
}

#[test]
fn credentials_end_at_their_time() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let end = |seconds: i64| {
        let end = Timestamp::now() + SignedDuration::from_secs(seconds);
        proxy.set(|settings| settings.clock.credentials_end = Some(end));
    };
    end(3600);
    assert_eq!(codes(&client), NONE);
    end(0);
    assert_eq!(
        codes(&client),
        ["RequestExpired", "ExpiredToken", "ExpiredTokenException"]
    );
}
