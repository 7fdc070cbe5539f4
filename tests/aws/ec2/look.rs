//! What a look at an environment asks for, and what it may not.

use serde_json::json;

use super::lab::Lab;
use crate::support::aws::images::JAMMY;

/// Says that somebody makes an environment's network, or has made it.
fn claim(lab: &Lab, environment: &str) {
    let claim = json!({
        "Name": format!("/seatbox/{environment}/claim"), "Value": "made", "Type": "String",
        "Tags": [
            {"Key": "dev.seatbox.environment", "Value": environment},
            {"Key": "dev.seatbox.seat", "Value": "shared"},
        ],
    });
    lab.emulator.client().json("ssm", "PutParameter", &claim);
}

/// Makes a VPC of the event's.
fn vpc(lab: &Lab) {
    let tags = [
        ("CidrBlock", "10.214.0.0/16"),
        ("TagSpecification.1.ResourceType", "vpc"),
        ("TagSpecification.1.Tag.1.Key", "dev.seatbox.environment"),
        ("TagSpecification.1.Tag.1.Value", &lab.name),
        ("TagSpecification.1.Tag.2.Key", "dev.seatbox.seat"),
        ("TagSpecification.1.Tag.2.Value", "shared"),
    ];
    lab.emulator.client().ec2("CreateVpc", &tags);
}

/// How often each list was asked for of what needs a VPC.
fn asked_inside(lab: &Lab) -> Vec<u64> {
    lab.proxy.counts().reset();
    // No seat is ready.
    lab.run(&["status"]).exits(3);
    let lists = [
        "DescribeInstances",
        "DescribeInternetGateways",
        "DescribeSecurityGroups",
        "DescribeSubnets",
    ];
    let counts = lab.proxy.counts();
    lists.map(|list| counts.of(list).total() as u64).to_vec()
}

#[test]
fn with_a_claim_or_a_vpc_everything_is_looked_for_and_with_neither_nothing_inside() {
    let lab = Lab::new("look", 1);
    assert_eq!(asked_inside(&lab), [0; 4]);
    // Another environment's is none.
    claim(&lab, "t-look-2");
    assert_eq!(asked_inside(&lab), [0; 4]);
    claim(&lab, &lab.name);
    assert_eq!(asked_inside(&lab), [1; 4]);
    lab.run(&["down"]).exits(0);
    vpc(&lab);
    assert_eq!(asked_inside(&lab), [1; 4]);
    lab.run(&["down"]).exits(0);
    assert_eq!(asked_inside(&lab), [0; 4]);
}

#[test]
fn more_claims_than_one_call_reads_are_all_swept() {
    let lab = Lab::new("claims", 1);
    for number in 1..=11 {
        claim(&lab, &format!("t-claims-{number}"));
    }
    lab.proxy.counts().reset();
    let sweep = ["sweep", "--all", "--dry-run", "--provider", "ec2"];
    let plan = lab.json(&sweep).to_string();
    for number in 1..=11 {
        assert!(plan.contains(&format!("/seatbox/t-claims-{number}/claim")));
    }
    assert_eq!(lab.proxy.counts().of("GetParameters").total(), 2);
    lab.run(&["sweep", "--all", "--provider", "ec2"]).exits(0);
    lab.down();
}

#[test]
fn who_may_not_read_the_images_parameter_sees_the_seats() {
    let lab = Lab::new("no-image", 1);
    lab.up();
    lab.proxy
        .set(|settings| settings.public_parameters_refused = true);
    assert_eq!(lab.json(&["status"])["counts"]["ready"], 1);
    lab.run(&["up"]).exits(0).says(&["Nothing to change"]);
    lab.down();
}

#[test]
fn a_version_of_an_images_parameter_is_read_with_the_claim() {
    let lab = Lab::with(
        "version",
        1,
        "ec2: {ssh_config: ssh_config, image: '/golden/image:1'}\n",
    );
    let client = lab.emulator.client();
    let golden = json!({"Name": "/golden/image", "Value": JAMMY, "Type": "String"});
    client.json("ssm", "PutParameter", &golden);
    lab.up();
    lab.assert_seats(1);
    let counts = lab.proxy.counts();
    assert_eq!(counts.of("GetParameter").total(), 0);
    assert_eq!(lab.json(&["status"])["counts"]["ready"], 1);
    client.json("ssm", "DeleteParameter", &json!({"Name": "/golden/image"}));
    lab.down();
}
