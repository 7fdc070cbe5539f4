//! Calls that fail, and calls that worked and say that they failed.

use super::lab::{alike, lab};
use crate::aws::unreliable::{self, SEATS};
use crate::support::aws::faults::Fate;
use crate::support::scale::{full, scale};

#[test]
fn seats_converge_though_calls_fail_and_replies_are_lost() {
    for number in 0..scale(1, 5) {
        unreliable::endure(&alike("tasks-calls", SEATS));
        // With a definition for each seat, and parameters.
        if full() && number == 0 {
            unreliable::endure(&lab("tasks-calls", SEATS));
        }
    }
}

#[test]
fn whatever_reply_is_lost_nothing_is_made_twice() {
    let lab = lab("tasks-replies", 2);
    lab.proxy.set(|settings| {
        for action in [
            "CreateLogGroup",
            "PutRetentionPolicy",
            "CreateRole",
            "PutRolePolicy",
            "CreateCluster",
            "ModifyVpcAttribute",
            "PutParameter",
            "PutParameter",
            "RegisterTaskDefinition",
            "RunTask",
            "StopTask",
            "DeregisterTaskDefinition",
            "DeleteTaskDefinitions",
            "DeleteParameters",
            "DeleteCluster",
            "DeleteRolePolicy",
            "DeleteRole",
            "DeleteLogGroup",
        ] {
            settings.faults.plan(action, Fate::LoseReply);
        }
    });
    lab.up();
    lab.assert_ids(2);
    assert_eq!(lab.ever(), 2);
    lab.down();
}
