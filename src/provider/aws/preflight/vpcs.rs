//! Room for one more VPC.

use super::quota::{self, Quota};
use crate::provider::aws::Session;
use crate::provider::preflight::Check;

const VPCS: Quota = Quota {
    service: "vpc",
    code: "L-F678F1CE",
    name: "VPCs per Region",
    unit: "VPCs",
};

/// How many every account may have (Amazon VPC user guide, "Amazon VPC quotas").
const FOR_ALL: u64 = 5;

/// Whether the account may have so many more than it has. It is asked for where that is more than
/// everybody may have.
pub async fn check(session: &Session, used: u64, need: u64) -> Check {
    let value = match used + need {
        ..=FOR_ALL => Ok(FOR_ALL),
        _ => quota::value(session, VPCS).await,
    };
    match value {
        Ok(value) => quota::judge(session, VPCS, value, used, need, 0),
        Err(failure) => quota::unknown(VPCS, &failure),
    }
}
