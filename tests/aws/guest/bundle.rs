//! The bundle of one seat of a made-up environment.

use seatbox::environment::{Overrides, load};
use seatbox::model::SeatNumber;
use seatbox::provider::aws::ec2::guest_bundle::{Bundle, guest_bundle};
use seatbox::provider::values::seat_values;
use seatbox::provider::workspace::WorkspaceSource;
use seatbox::secret::EventKey;

use crate::support::desk::Desk;

/// The bundle of seat 7 of an environment of that name and stack, whose workspace begins with
/// `hello.go`.
pub async fn bundle(name: &str, stack: &str) -> Bundle {
    let desk = Desk::new();
    desk.write("first/hello.go", "package main\n");
    desk.write("stack.yaml", stack);
    let text = format!(
        "version: 1\nname: {name}\nseats: {{count: 7}}\nlifetime: 1h\nstack: stack.yaml\n\
         workspace: {{files: first}}\n"
    );
    let file = desk.write("lab.yaml", text);
    let loaded = load(&file, &Overrides::new([], jiff::Timestamp::UNIX_EPOCH));
    let environment = loaded.expect("the stack is a good one").environment;
    let seat = SeatNumber::new(7).unwrap();
    let key = EventKey::from_bytes([1; 32]);
    let values = seat_values(&environment, &key, seat);
    let workspace = WorkspaceSource::default();
    guest_bundle(&environment, seat, &values, &workspace)
        .await
        .unwrap()
}
