//! AWS's token buckets, of the sizes that it publishes.

use super::lab::Lab;
use crate::aws::buckets;
use crate::support::scale::scale;

#[test]
fn seats_come_up_within_awss_buckets_and_almost_no_call_is_throttled() {
    let seats = scale(200, 1000);
    let lab = Lab::new("buckets", seats);
    lab.answer_at_once();
    buckets::hold(&lab, seats);
}
