//! More seats than one page of a list holds.

use super::lab::Lab;
use crate::aws::made::{network, with};

#[test]
fn the_status_of_1500_seats_costs_a_call_a_page() {
    const SEATS: u32 = 1500;
    const PAGE: u32 = 100;
    let lab = Lab::new("many", SEATS);
    // By hand: launching them is another matter.
    let client = lab.emulator.client();
    let network = network(&client);
    // Without a VPC of its own an environment has no instances.
    let own = [
        ("ResourceId.1", &*network.vpc),
        ("Tag.1.Key", "dev.seatbox.environment"),
        ("Tag.1.Value", &*lab.name),
        ("Tag.2.Key", "dev.seatbox.seat"),
        ("Tag.2.Value", "shared"),
    ];
    client.ec2("CreateTags", &own);
    for first in (1..=SEATS).step_by(PAGE as usize) {
        let seats = format!("{first}-{}", first + PAGE - 1);
        let launch = network.launch(PAGE as usize, PAGE as usize);
        let mut tags = vec![("TagSpecification.1.ResourceType".to_owned(), "instance")];
        for (number, (key, value)) in [
            ("dev.seatbox.environment", &*lab.name),
            ("dev.seatbox.seats", &*seats),
            ("dev.seatbox.stack", "whatever"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("TagSpecification.1.Tag.{}", number + 1);
            tags.push((format!("{name}.Key"), key));
            tags.push((format!("{name}.Value"), value));
        }
        let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (&**key, *value)).collect();
        client.ec2("RunInstances", &with(&launch, &tags));
    }
    lab.proxy
        .set(|settings| settings.pages.longest = Some(PAGE as usize));
    lab.proxy.counts().reset();
    let status = lab.json(&["status"]);
    assert_eq!(status["seats"].as_array().unwrap().len(), SEATS as usize);
    let pages = lab.proxy.counts().of("DescribeInstances").total();
    assert_eq!(pages, (SEATS / PAGE) as usize);
    let others = lab.proxy.counts().total().total() - pages;
    assert!(others <= 10, "{:#?}", lab.proxy.counts().by_action());
}
