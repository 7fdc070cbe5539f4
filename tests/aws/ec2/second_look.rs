//! The second look of a removal, by the list of the Resource Groups Tagging API.

use serde_json::Value;

use super::lab::Lab;
use crate::support::aws::answer::Refusal;
use crate::support::aws::client::REGION;
use crate::support::desk::run;
use crate::support::schema::assert_output;

/// The tags of something of that environment, for the call that makes it.
fn tags<'a>(kind: &'a str, environment: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("TagSpecification.1.ResourceType", kind),
        ("TagSpecification.1.Tag.1.Key", "dev.seatbox.environment"),
        ("TagSpecification.1.Tag.1.Value", environment),
        ("TagSpecification.1.Tag.2.Key", "dev.seatbox.seat"),
        ("TagSpecification.1.Tag.2.Value", "shared"),
        ("TagSpecification.1.Tag.3.Key", "dev.seatbox.expires"),
        ("TagSpecification.1.Tag.3.Value", "2020-01-01T00:00:00Z"),
    ]
}

fn arn(resource: &str) -> String {
    format!("arn:aws:ec2:{REGION}:123456789012:{resource}")
}

/// A snapshot, which Seatbox never makes, and so never lists.
fn snapshot(lab: &Lab, environment: &str) -> String {
    let client = lab.emulator.client();
    let zone = format!("{REGION}a");
    let volume = [("Size", "1"), ("AvailabilityZone", &*zone)];
    let volume = client.ec2("CreateVolume", &volume).text("volumeId");
    let mut call = tags("snapshot", environment);
    call.push(("VolumeId", &volume));
    let id = client.ec2("CreateSnapshot", &call).text("snapshotId");
    client.ec2("DeleteVolume", &[("VolumeId", &volume)]);
    id
}

fn second(certificate: &Value) -> (u64, u64, u64) {
    let look = &certificate["second_look"];
    assert_eq!(
        (&look["by"], &look["made"]),
        (&"tagging-api".into(), &true.into()),
        "{look:#}"
    );
    let count = |name: &str| look[name].as_u64().expect("it was made");
    (count("listed"), count("gone"), count("left"))
}

#[test]
fn instances_that_have_ended_are_on_the_list_and_are_not_left() {
    let lab = Lab::new("second", 2);
    lab.up();
    let certificate = lab.run(&["down", "--output", "json"]).exits(0).json();
    assert_output(&certificate, "Certificate");
    assert_eq!(certificate["clean"], true, "{certificate:#}");
    let (listed, gone, left) = second(&certificate);
    assert!(
        listed >= 2 && gone == listed && left == 0,
        "{certificate:#}"
    );
    lab.assert_nothing_left();

    lab.run(&["down"]).exits(0).says(&[
        ", by each service's own lists: nothing",
        "by tags  the list of AWS's tagging API: ",
        " on it, all gone since",
        "nothing of t-second is left",
    ]);
}

#[test]
fn what_only_that_list_shows_is_left_by_its_name() {
    let lab = Lab::new("strays", 2);
    let ours = snapshot(&lab, &lab.name);
    let of_others = snapshot(&lab, "t-strays-2");
    let client = lab.emulator.client();
    let vpc = client
        .ec2("CreateVpc", &[("CidrBlock", "10.9.0.0/16")])
        .text("vpcId");
    let subnet = [("VpcId", &*vpc), ("CidrBlock", "10.9.0.0/24")];
    let subnet = client.ec2("CreateSubnet", &subnet).text("subnetId");
    let mut gateway = tags("natgateway", &lab.name);
    gateway.extend([("SubnetId", &*subnet), ("ConnectivityType", "private")]);
    let gateway = client
        .ec2("CreateNatGateway", &gateway)
        .text("natGatewayId");

    let ran = lab.run(&["down", "--output", "json"]).exits(3);
    let certificate = ran.json();
    assert_output(&certificate, "Certificate");
    assert_eq!(certificate["clean"], false);
    assert_eq!(second(&certificate), (2, 0, 2));
    let failed = certificate["failed"].as_array().unwrap();
    let mut names: Vec<&str> = failed.iter().filter_map(|one| one["id"].as_str()).collect();
    names.sort_unstable();
    let expected = [
        arn(&format!("natgateway/{gateway}")),
        arn(&format!("snapshot/{ours}")),
    ];
    assert_eq!(names, expected);
    assert!(!ran.all().contains(&of_others), "{ran}");

    // Of another seat's removal it is none.
    lab.run(&["down", "--seats", "1"]).exits(0);
    // A sweep has no other measure than the rest.
    let sweep = ["sweep", "--provider", "ec2", "--only", &lab.name];
    let sweep = run(lab.command(&sweep).env("AWS_REGION", REGION));
    sweep.exits(3).says(&[&ours, &gateway]);

    // The gateway is listed for an hour after its end, here and on AWS.
    client.ec2("DeleteSnapshot", &[("SnapshotId", &ours)]);
    client.ec2("DeleteNatGateway", &[("NatGatewayId", &gateway)]);
    let certificate = lab.json(&["down"]);
    assert_eq!(second(&certificate), (1, 1, 0));
    assert_eq!(certificate["clean"], true);
}

#[test]
fn what_is_gone_is_asked_for_by_its_name_and_what_nobody_can_be_asked_for_is_left() {
    let lab = Lab::new("late", 2);
    let name = lab.name.clone();
    let tags = [
        ("dev.seatbox.environment", &*name),
        ("dev.seatbox.seat", "2"),
    ];
    let parameter = format!("arn:aws:ssm:{REGION}:123456789012:parameter/seatbox/{name}/claim");
    lab.proxy.set(|settings| {
        for gone in [
            "volume/vol-0a",
            "instance/i-0a",
            "natgateway/nat-0a",
            "subnet/subnet-0a",
        ] {
            settings.lingering.add(&arn(gone), &tags);
        }
        settings.lingering.add(&parameter, &tags);
        for (service, gone) in [
            ("ecs", "cluster/seatbox-t-late"),
            ("ecs", "task/seatbox-t-late/0a"),
            ("ecs", "task-definition/seatbox-t-late_0a:1"),
            ("logs", "log-group:/seatbox/t-late"),
        ] {
            let arn = format!("arn:aws:{service}:{REGION}:123456789012:{gone}");
            settings.lingering.add(&arn, &tags);
        }
    });
    let certificate = lab.json(&["down"]);
    assert_eq!(second(&certificate), (9, 9, 0));
    lab.proxy
        .set(|settings| settings.lingering.add("arn:aws:s3:::bucket", &tags));
    lab.run(&["down"]).exits(3).says(&[
        "failed   1: 1 s3\n  s3 arn:aws:s3:::bucket: ",
        "10 things on it, 1 there still",
        "1 thing is left of t-late",
    ]);
}

#[test]
fn who_may_not_read_that_list_is_told_so_and_does_not_fail_for_it() {
    let lab = Lab::new("denied", 2);
    let denied = Refusal::new(
        "AccessDeniedException",
        "is not authorized to perform: tag:GetResources",
    );
    lab.proxy
        .set(|settings| settings.refuse("GetResources", denied));
    let certificate = lab.run(&["down", "--output", "json"]).exits(0).json();
    assert_output(&certificate, "Certificate");
    assert_eq!(certificate["clean"], true);
    let look = &certificate["second_look"];
    assert_eq!(look["made"], false);
    assert_eq!(look["failure"]["class"], "denied");
    lab.run(&["down"])
        .exits(0)
        .says(&["by tags  the list of AWS's tagging API: can't be read"]);

    // What passes is worth coming again for.
    let broken = Refusal::with_status(500, "InternalServiceException", "no");
    lab.proxy
        .set(|settings| settings.refuse("GetResources", broken));
    lab.run(&["down"])
        .exits(3)
        .says(&["is left is not known: the looks are not complete"]);
}
