//! AWS's token buckets, of the sizes that it publishes.

use super::lab::Lab;
use crate::support::aws::published::published;
use crate::support::aws::throttle::Throttle;
use crate::support::scale::{record, scale};

#[test]
fn seats_come_up_within_awss_buckets_and_almost_no_call_is_throttled() {
    let seats = scale(200, 1000);
    let lab = Lab::new("buckets", seats);
    lab.answer_at_once();
    lab.proxy
        .set(|settings| settings.throttle = Throttle::by(published()));
    lab.proxy.counts().reset();
    lab.up();
    lab.assert_seats(seats);
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
        &format!("EC2: AWS's buckets, {seats} seats"),
        &format!(
            "all ready, none left; {} calls, {} throttled",
            total.total(),
            total.throttled
        ),
    );
}
