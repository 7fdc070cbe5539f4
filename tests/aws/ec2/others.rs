//! What is not ours is never touched, whatever it is called.

use serde_json::json;

use super::lab::Lab;
use crate::aws::made::{network, with};

const ENVIRONMENT: &str = "dev.seatbox.environment";

fn tag(lab: &Lab, id: &str, tags: &[(&str, &str)]) {
    for (key, value) in tags {
        let tag = [
            ("ResourceId.1", id),
            ("Tag.1.Key", key),
            ("Tag.1.Value", value),
        ];
        lab.emulator.client().ec2("CreateTags", &tag);
    }
}

#[test]
fn things_of_others_survive_all_verbs_untouched() {
    let mut lab = Lab::new("others", 2);
    let name = format!("seatbox-{}", lab.name);
    let client = lab.emulator.client();
    // A network and an instance with our names and without our tags.
    let unmarked = network(&client);
    let launch = |network: &crate::aws::made::Network| {
        let launch = network.launch(1, 1);
        let launched = client.ec2("RunInstances", &with(&launch, &[]));
        launched.text("instanceId")
    };
    let namesake = launch(&unmarked);
    for id in [&namesake, &unmarked.vpc, &unmarked.group] {
        // What looks like our tags but for the one that counts.
        tag(&lab, id, &[("Name", &name), ("dev.seatbox.seat", "1")]);
    }
    // Another environment's, whose name begins like ours.
    let theirs = network(&client);
    let other = format!("{}-2", lab.name);
    let seat = launch(&theirs);
    for id in [
        &seat,
        &theirs.vpc,
        &theirs.group,
        &theirs.gateway,
        &theirs.subnets[0],
    ] {
        tag(
            &lab,
            id,
            &[
                (ENVIRONMENT, &other),
                ("dev.seatbox.seat", "1"),
                ("dev.seatbox.expires", "2099-01-01T00:00:00Z"),
            ],
        );
    }
    client.json(
        "ssm",
        "PutParameter",
        &json!({
            "Name": format!("/seatbox/{other}/claim"), "Value": "made", "Type": "String",
            "Tags": [
                {"Key": ENVIRONMENT, "Value": other},
                {"Key": "dev.seatbox.seat", "Value": "shared"},
            ],
        }),
    );
    lab.note_others();

    lab.up();
    lab.assert_seats(2);
    lab.json(&["reset", "--all"]);
    lab.json(&["extend", "--by", "1h"]);
    lab.json(&["sweep", "--provider", "ec2"]);
    lab.assert_seats(2);
    lab.down();
}

#[test]
fn a_parameter_of_our_name_that_is_not_ours_is_named_and_left_alone() {
    let mut lab = Lab::new("namesake", 2);
    let client = lab.emulator.client();
    let name = format!("/seatbox/{}/claim", lab.name);
    let theirs = json!({"Name": name, "Value": "theirs", "Type": "String"});
    client.json("ssm", "PutParameter", &theirs);
    lab.note_others();
    lab.run(&["up"]).exits(3).says(&[&name]);
    let found = client.json("ssm", "GetParameter", &json!({"Name": name}));
    assert_eq!(found["Parameter"]["Value"], "theirs");
    lab.down();
}

#[test]
fn an_instance_too_many_of_a_seat_goes_and_the_seats_own_stays() {
    let lab = Lab::new("surplus", 2);
    lab.up();
    let first = lab.assert_seats(2);
    let client = lab.emulator.client();
    let network = network(&client);
    let launched = client.ec2("RunInstances", &with(&network.launch(1, 1), &[]));
    let surplus = launched.text("instanceId");
    let mut tags = first[1].tags.clone();
    tags.insert("dev.seatbox.seats".to_owned(), "2".to_owned());
    let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    tag(&lab, &surplus, &tags);
    assert_eq!(lab.alive().len(), 3);
    lab.up();
    let left = lab.assert_seats(2);
    assert!(
        left.iter()
            .all(|one| first.contains(one) || one.id == surplus)
    );
    assert_eq!(lab.ever(), 3, "one is made for what is there");
}

#[test]
fn what_was_let_in_by_hand_is_shut_out_again_whatever_it_is() {
    let lab = Lab::new("rules", 1);
    lab.up();
    let client = lab.emulator.client();
    let filter = [
        ("Filter.1.Name", &*format!("tag:{ENVIRONMENT}")),
        ("Filter.1.Value.1", &*lab.name),
    ];
    let groups = || client.ec2("DescribeSecurityGroups", &filter);
    let sources = || {
        let groups = groups();
        let mut all = Vec::new();
        for kind in ["cidrIp", "cidrIpv6", "prefixListId"] {
            all.extend(groups.texts(kind));
        }
        all.sort();
        all
    };
    let group = groups().text("groupId");
    let before = sources();
    for source in [
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "2001:db8::/32"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "198.51.100.0/24"),
        ("IpPermissions.1.Groups.1.GroupId", &group),
    ] {
        let rule = [
            ("GroupId", &*group),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "22"),
            ("IpPermissions.1.ToPort", "22"),
            source,
        ];
        client.ec2("AuthorizeSecurityGroupIngress", &rule);
    }
    // A group names its own id once, and once more where its members may reach each other.
    let named = || groups().texts("groupId").len();
    assert_eq!((sources().len(), named()), (before.len() + 2, 2));
    lab.up();
    assert_eq!((sources(), named()), (before, 1));
    lab.up();
    let counts = lab.proxy.counts();
    assert_eq!(counts.of("RevokeSecurityGroupIngress").answered, 1);
    lab.down();
}
