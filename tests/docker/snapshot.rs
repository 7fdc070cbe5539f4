//! A service's first start that is made once for all seats.

use bollard::query_parameters::RemoveImageOptionsBuilder;

use super::event::{Event, states};

/// A Redis whose first start takes a moment and writes down that it was made, and with which
/// password. What makes a copy a seat's own is `OWN`, what asks it is `ASK`.
const STACK: &str = r#"
services:
  db:
    image: redis:7
    entrypoint: []
    command:
      - sh
      - -c
      - |
        if [ ! -e /data/pass ]; then
          echo NAME >> /data/first-starts
          printf %s "$$PASS" > /data/pass
        fi
        exec redis-server - <<END
        dir /data
        requirepass $$(cat /data/pass)
        END
    environment: {PASS: "${SEATBOX_SECRET_DB}"}
    volumes: ["db:/data"]
    ports: ["6379"]
    healthcheck: {test: 'ASK', interval: 10m}
    x-seatbox: {snapshot: {personalize: 'OWN'}}
volumes: {db: {}}
"#;
/// Makes a copy a seat's own.
pub const OWN: &str = r#"REDISCLI_AUTH="$$(cat /data/pass)" redis-cli config set requirepass "$$PASS" | grep -qx OK && printf %s "$$PASS" > /data/pass"#;
/// Asks whether the seat's own password works.
pub const ASK: &str = r#"REDISCLI_AUTH="$$PASS" redis-cli ping | grep -qx PONG"#;
/// Says `PONG` where it does.
pub const SAYS_PONG: &str = r#"REDISCLI_AUTH="$PASS" redis-cli ping"#;

/// An event of its own snapshot: the event's name is in what the first start writes.
pub async fn event(topic: &str, seats: u32, own: &str, ask: &str) -> Event {
    let event = Event::new(topic, seats, "").await;
    let stack = STACK.replace("OWN", own).replace("ASK", ask);
    event.stack(&stack.replace("NAME", &event.name));
    event
}

/// The engine's id of the event's snapshot.
pub async fn snapshot(event: &Event) -> String {
    let reference = &event.seat(1).await["db"].image;
    assert!(
        reference.starts_with("seatbox.local/snapshot:db-"),
        "{reference}"
    );
    let image = event.docker.inspect_image(reference).await.unwrap();
    image.id.unwrap()
}

/// Takes an image's reference away, or all of it by its id. The reference of a snapshot follows from
/// the stack, in which the event's name is, so it is nobody else's.
pub async fn forget(event: &Event, image: &str) {
    let options = RemoveImageOptionsBuilder::new().force(true).build();
    let removed = event.docker.remove_image(image, Some(options), None).await;
    removed.unwrap();
}

#[tokio::test]
async fn a_first_start_is_made_once_and_every_copy_has_a_password_of_its_own() {
    let event = event("snapshot", 3, OWN, ASK).await;
    event
        .run(&["plan"])
        .exits(0)
        .says(&["shared", "make", "image seatbox.local/snapshot:db-"]);
    event.up();
    let mut passwords = Vec::new();
    for seat in 1..=3 {
        let first = event.says(seat, "db", "cat /data/first-starts");
        assert_eq!(first, event.name, "seat {seat} made a first start itself");
        assert_eq!(event.says(seat, "db", SAYS_PONG), "PONG");
        passwords.push(event.says(seat, "db", "printenv PASS; cat /data/pass"));
    }
    for password in &passwords {
        let (own, kept) = password.split_once('\n').unwrap();
        assert_eq!(own, kept);
    }
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords.len(), 3, "two seats have one password");
    let id = snapshot(&event).await;
    // What it was made with is gone: three of each kind, and nothing shared.
    assert_eq!(event.everything().await.len(), 9);
    event.run(&["up"]).exits(0).says(&["Nothing to change"]);

    // A reset begins from it again.
    event.says(2, "db", "echo mine >> /data/first-starts");
    event.run(&["reset", "--seat", "2"]).exits(0);
    assert_eq!(event.says(2, "db", "cat /data/first-starts"), event.name);
    assert_eq!(event.says(2, "db", SAYS_PONG), "PONG");

    // That it is gone replaces nothing.
    let before = event.containers().await;
    forget(&event, &event.seat(1).await["db"].image).await;
    event.run(&["up"]).exits(0).says(&["Nothing to change"]);
    assert_eq!(event.containers().await, before);
    event.down().await;
    forget(&event, &id).await;
}

#[tokio::test]
async fn a_copy_that_was_left_before_it_was_made_a_seats_own_is_put_right() {
    let event = event("copy", 3, OWN, ASK).await;
    event.up();
    // As after a kill between the start and `personalize`: another password holds.
    let script = r#"REDISCLI_AUTH="$PASS" redis-cli config set requirepass other && printf other > /data/pass"#;
    event.says(2, "db", script);
    event.run(&["status"]).exits(3);
    assert_eq!(states(&event.up()), ["ready"]);
    assert_eq!(event.says(2, "db", SAYS_PONG), "PONG");
    let id = snapshot(&event).await;
    event.down().await;
    forget(&event, &id).await;
}

#[tokio::test]
async fn a_snapshot_that_can_not_be_told_from_a_seat_is_not_used_and_the_seats_come_up_all_the_same()
 {
    // A check that passes with any password.
    let blind = r#"redis-cli -a "$$(cat /data/pass)" ping | grep -qx PONG"#;
    let event = event("blind", 3, OWN, blind).await;
    event
        .run(&["up"])
        .exits(0)
        .says(&["db has no snapshot", "passes with any other password too"]);
    for seat in 1..=3 {
        assert_eq!(event.says(seat, "db", SAYS_PONG), "PONG");
    }
    let containers = event.seat(1).await;
    assert_eq!(containers["db"].image, "seatbox.local/redis:7");
    assert_eq!(event.everything().await.len(), 9);
    event.down().await;
}

#[tokio::test]
async fn fewer_seats_than_are_worth_it_make_their_own_first_start() {
    let event = event("two", 2, OWN, ASK).await;
    let plan = event.run(&["plan"]).exits(0);
    assert!(!plan.stdout.contains("snapshot"), "{plan}");
    event.up();
    assert_eq!(event.says(1, "db", SAYS_PONG), "PONG");
    event.down().await;
}
