//! Calls that fail, and calls that worked and say that they failed.

use super::lab::Lab;
use crate::support::aws::faults::{Fate, Faults};
use crate::support::scale::{record, scale, seed};

const SEATS: u32 = 23;

#[test]
fn seats_converge_though_calls_fail_and_replies_are_lost() {
    for _ in 0..scale(1, 5) {
        let lab = Lab::new("calls", SEATS);
        let seed = seed();
        lab.proxy.set(|settings| {
            settings.faults = Faults::seeded(seed);
            settings.faults.errors = 5.0;
            settings.faults.lost_replies = 2.0;
        });
        lab.up();
        let first = lab.assert_seats(SEATS);
        assert_eq!(lab.ever(), SEATS as usize, "more were made than are needed");
        lab.up();
        assert_eq!(lab.assert_seats(SEATS), first);
        lab.json(&["reset", "--seats", "1-3", "--workspace"]);
        lab.assert_seats(SEATS);
        lab.down();
        let counts = lab.proxy.set(|settings| settings.faults.counts().clone());
        let calls: usize = counts.values().sum();
        let wrong = calls - counts[&Fate::Pass];
        record(
            &format!("EC2: 5 % of calls fail and 2 % of replies are lost, {SEATS} seats"),
            &format!(
                "{SEATS} of {SEATS} ready, none left; {calls} calls, {wrong} wrong (seed {seed})"
            ),
        );
    }
}

#[test]
fn whatever_reply_is_lost_nothing_is_made_twice() {
    let lab = Lab::new("replies", 2);
    lab.proxy.set(|settings| {
        for action in [
            "PutParameter",
            "CreateVpc",
            "CreateInternetGateway",
            "AttachInternetGateway",
            "CreateRoute",
            "CreateSubnet",
            "CreateSecurityGroup",
            "AuthorizeSecurityGroupIngress",
            "RunInstances",
            "RunInstances",
            "CreateTags",
            "TerminateInstances",
            "DetachInternetGateway",
            "DeleteInternetGateway",
            "DeleteSubnet",
            "DeleteSecurityGroup",
            "DeleteVpc",
            "DeleteParameter",
        ] {
            settings.faults.plan(action, Fate::LoseReply);
        }
    });
    lab.up();
    lab.assert_seats(2);
    assert_eq!(lab.ever(), 2);
    let made = lab.emulator.listing();
    let count = |kind: &str| made.iter().filter(|line| line.starts_with(kind)).count();
    // One VPC comes with every account.
    assert_eq!(count("ec2 vpc "), 2);
    lab.down();
}
