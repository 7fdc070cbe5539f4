//! An event whose seats are tasks, on an emulator of its own.

use crate::aws::ec2::lab::Lab;
use crate::support::aws::client::REGION;

/// A service to work in and one that it needs, which has a secret and a check.
const STACK: &str = r#"
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment:
      SEAT: '${SEATBOX_SEAT}'
      DATABASE_URL: 'redis://:${SEATBOX_SECRET_REDIS}@${SEATBOX_HOST_REDIS}:6379'
    ports: ['8080']
    volumes: ['work:/work']
    depends_on: {redis: {condition: service_healthy}}
    x-seatbox: {workspace: /work}
  redis:
    image: docker.io/library/redis:7
    environment: {PASSWORD: '${SEATBOX_SECRET_REDIS}'}
    healthcheck: {test: [CMD-SHELL, 'redis-cli -a "$$PASSWORD" ping'], interval: 5s}
volumes: {work: {}}
"#;

/// The same without a secret: all seats share one definition.
const ALIKE: &str = r#"
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment: {SEAT: '${SEATBOX_SEAT}'}
    ports: ['8080']
"#;

/// An event with so many seats, whose services have secrets.
pub fn lab(topic: &str, seats: u32) -> Lab {
    with_stack(topic, seats, STACK)
}

/// An event with so many seats, whose services have none.
pub fn alike(topic: &str, seats: u32) -> Lab {
    with_stack(topic, seats, ALIKE)
}

fn with_stack(topic: &str, seats: u32, stack: &str) -> Lab {
    let lab = Lab::new(topic, seats);
    lab.desk.write("stack.yaml", stack);
    let text = format!(
        "version: 1\nname: {}\nseats: {{count: {seats}}}\nlifetime: 2h\nprovider: ecs\n\
         stack: stack.yaml\naws: {{region: {REGION}, venue: [203.0.113.0/24]}}\n",
        lab.name,
    );
    lab.desk.write("seatbox.yaml", text);
    lab
}
