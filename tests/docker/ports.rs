//! Ports and addresses are planned, around whatever is there already.

use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use ipnet::Ipv4Net;

use super::event::Event;

const STACK: &str = r#"
services:
  one:
    image: seatbox.local/redis:7
    ports: ["6379", "8080/udp"]
  two:
    image: seatbox.local/redis:7
    ports: [{target: 6379}]
"#;

/// The host ports of each seat of a report, in its order.
fn host_ports(report: &serde_json::Value) -> Vec<Vec<u64>> {
    let seats = report["seats"].as_array().unwrap();
    seats
        .iter()
        .map(|seat| {
            let ports = seat["ports"].as_array().unwrap();
            ports
                .iter()
                .map(|port| port["host_port"].as_u64().unwrap())
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn a_seats_ports_follow_from_its_number_alone() {
    let event = Event::new("ports", 3, STACK).await;
    let first = u64::from(event.block.port);
    let block = |seat: u64| {
        (0..3)
            .map(|index| first + (seat - 1) * 4 + index)
            .collect::<Vec<_>>()
    };
    let report = event
        .run(&["up", "--seats", "3", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(host_ports(&report), [block(3)]);
    assert_eq!(host_ports(&event.up()), [block(1), block(2), block(3)]);
    for port in [first, first + 2] {
        let port = u16::try_from(port).unwrap();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
    event.down().await;
    assert_eq!(host_ports(&event.up()), [block(1), block(2), block(3)]);
    event.down().await;
}

#[tokio::test]
async fn two_events_on_the_same_ports_are_kept_apart_by_name() {
    let event = Event::new("first", 1, STACK).await;
    event.up();
    let other = Event::new("second", 1, STACK).await;
    let setting = format!("docker.ports.first={}", event.block.port);
    let ran = other.run(&["up", "--set", &setting]).exits(3);
    ran.says(&["taken by", &event.container(1, "one")]);
    assert!(other.containers().await.is_empty());
    event.down().await;
}

#[tokio::test]
async fn a_seats_network_goes_around_those_that_are_there() {
    let event = Event::new("subnets", 2, STACK).await;
    let mut subnets = event.block.subnet.subnets(27).unwrap();
    let taken = subnets.next().unwrap();
    let request = NetworkCreateRequest {
        name: format!("{}-in-the-way", event.name),
        labels: Some(event.by_hand()),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(taken.to_string()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        ..Default::default()
    };
    event.docker.create_network(request).await.unwrap();
    event.up();
    let mut all = vec![taken];
    for network in event.networks().await {
        let config = network.ipam.unwrap().config.unwrap();
        let subnet: Ipv4Net = config[0].subnet.as_ref().unwrap().parse().unwrap();
        assert_eq!(subnet.prefix_len(), 27);
        assert!(event.block.subnet.contains(&subnet), "{subnet}");
        let clash = all
            .iter()
            .find(|other| other.contains(&subnet) || subnet.contains(*other));
        assert_eq!(clash, None);
        all.push(subnet);
    }
    assert_eq!(all.len(), 3);
    event.down().await;
}
