//! AWS's token buckets, of the sizes that it publishes, whatever seats are.

use super::ec2::lab::Lab;
use crate::support::aws::published::published;
use crate::support::aws::throttle::Throttle;
use crate::support::scale::record;

/// Brings so many seats up and takes them away, within the buckets.
pub fn hold(lab: &Lab, seats: u32) {
    lab.proxy
        .set(|settings| settings.throttle = Throttle::by(published()));
    lab.proxy.counts().reset();
    lab.up();
    lab.assert_ids(seats);
    lab.json(&["status"]);
    lab.json(&["extend", "--by", "1h"]);
    lab.down();
    let total = lab.proxy.counts().total();
    let share = total.throttled * 100;
    assert!(
        share < total.total() * 2,
        "{total:?} {:#?}",
        lab.proxy.counts().by_action()
    );
    record(
        &format!("{}: AWS's buckets, {seats} seats", lab.seats),
        &format!(
            "all ready, none left; {} calls, {} throttled",
            total.total(),
            total.throttled
        ),
    );
}
