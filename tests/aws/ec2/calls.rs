//! Calls that fail, and calls that worked and say that they failed.

use super::lab::Lab;
use crate::aws::unreliable::{self, SEATS};
use crate::support::aws::faults::Fate;
use crate::support::scale::scale;

#[test]
fn seats_converge_though_calls_fail_and_replies_are_lost() {
    for _ in 0..scale(1, 5) {
        unreliable::endure(&Lab::new("calls", SEATS));
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
