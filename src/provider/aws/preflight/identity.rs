//! Who one is, and where. The session knows it already.

use crate::provider::aws::Session;
use crate::provider::preflight::{Check, Verdict};

/// The account, the identity in it, the region and the partition.
pub fn check(session: &Session) -> Check {
    let message = format!(
        "account {}, region {} of {}, as {}",
        session.account, session.region, session.partition, session.identity
    );
    Check::new("identity", Verdict::Passed, message)
}
