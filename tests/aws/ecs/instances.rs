//! Tasks on container instances that somebody has added to the environment's cluster.

use std::net::Ipv4Addr;

use serde_json::json;

use super::lab::{alike, tasks};
use crate::aws::ec2::lab::{Lab, states};
use crate::support::aws::images::JAMMY;

fn event(topic: &str, seats: u32) -> Lab {
    let lab = alike(topic, seats);
    let path = lab.desk.path("seatbox.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    lab.desk
        .write("seatbox.yaml", text + "ecs: {capacity: ec2}\n");
    lab
}

/// A container instance that somebody has added to an event's cluster, in its network.
struct Added {
    instance: String,
    arn: String,
}

impl Added {
    fn to(lab: &Lab) -> Self {
        let client = lab.emulator.client();
        let own = [
            ("Filter.1.Name", "tag:dev.seatbox.environment"),
            ("Filter.1.Value.1", &*lab.name),
        ];
        let subnet = client.ec2("DescribeSubnets", &own).text("subnetId");
        let launch = [
            ("ImageId", JAMMY),
            ("InstanceType", "t3.small"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("SubnetId", &*subnet),
        ];
        let instance = client.ec2("RunInstances", &launch).text("instanceId");
        let document = json!({"instanceId": instance}).to_string();
        let cluster = format!("seatbox-{}", lab.name);
        let named = json!({"cluster": cluster, "instanceIdentityDocument": document});
        let added = client.json("ecs", "RegisterContainerInstance", &named);
        let arn = &added["containerInstance"]["containerInstanceArn"];
        let arn = arn.as_str().unwrap().to_owned();
        Self { instance, arn }
    }

    fn remove(self, lab: &Lab) {
        let cluster = format!("seatbox-{}", lab.name);
        let named = json!({"cluster": cluster, "containerInstance": self.arn, "force": true});
        lab.emulator
            .client()
            .json("ecs", "DeregisterContainerInstance", &named);
        let named = [("InstanceId.1", &*self.instance)];
        lab.proxy.client().ec2("TerminateInstances", &named);
    }
}

#[test]
fn seats_on_instances_come_once_the_cluster_has_some() {
    let lab = event("instances", 2);
    let cluster = format!("seatbox-{}", lab.name);
    // They are added to the cluster, which is made before.
    lab.run(&["up"]).exits(3).says(&[
        &format!("the cluster {cluster} is made now"),
        "No Container Instances were found in your cluster",
    ]);
    assert!(tasks(&lab).is_empty());
    // From then on nothing is asked for that can't be.
    lab.proxy.counts().reset();
    lab.run(&["up"]).exits(2).says(&[
        &format!("the cluster {cluster} has no container instance"),
        "nothing was created",
    ]);
    assert_eq!(lab.proxy.counts().of("RunTask").total(), 0);
    let instance = Added::to(&lab);
    let report = lab.up();
    assert_eq!(tasks(&lab).len(), 2);
    for seat in report["seats"].as_array().unwrap() {
        let address: Ipv4Addr = seat["address"].as_str().unwrap().parse().unwrap();
        assert!(address.is_private(), "{report:#}");
    }
    // All go, and the instances with whoever added them.
    let ran = lab.run(&["down", "--seats", "1-2"]);
    assert!(ran.status.success(), "{ran}");
    instance.remove(&lab);
    lab.down();
}

#[test]
fn instances_that_are_full_are_want_of_room() {
    let lab = event("instances-full", 5);
    lab.run(&["up"]).exits(3);
    let instance = Added::to(&lab);
    // The emulator's instance has 4 vCPUs, and each of these seats 1.
    let ran = lab.run(&["up", "--output", "json"]).exits(3);
    let report = ran.json();
    let seats = report["seats"].as_array().unwrap();
    let failed: Vec<_> = seats
        .iter()
        .filter(|seat| seat["state"] != "ready")
        .collect();
    assert_eq!(failed.len(), 5 - tasks(&lab).len(), "{report:#}");
    assert!(!failed.is_empty() && failed.len() < 5, "{report:#}");
    for seat in failed {
        assert_eq!(seat["failure"]["class"], "capacity", "{report:#}");
    }
    assert!(states(&report).contains(&"ready"));
    lab.run(&["down", "--seats", "1-5"]).exits(0);
    instance.remove(&lab);
    lab.down();
}
