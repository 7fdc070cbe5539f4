//! AWS's token buckets, of the sizes that it publishes.

use super::lab::{alike, lab};
use crate::aws::buckets;
use crate::support::scale::full;

#[test]
fn seats_come_up_within_awss_buckets_and_almost_no_call_is_throttled() {
    buckets::hold(&alike("tasks-buckets", 200), 200);
    // A definition for each seat, of which AWS registers one a second.
    if full() {
        buckets::hold(&lab("tasks-secrets", 200), 200);
    }
}
