//! Room for one more VPC.

use super::quota::{self, Quota};
use crate::provider::aws::Session;
use crate::provider::preflight::{Check, Verdict};

const VPCS: Quota = Quota {
    service: "vpc",
    code: "L-F678F1CE",
    name: "VPCs per Region",
    unit: "VPCs",
};

/// How many every account may have (Amazon VPC user guide, "Amazon VPC quotas").
const EVERYBODYS: u64 = 5;

/// Whether the account may have so many more than it has. What it may have is asked for where everybody's
/// share is too small.
pub async fn check(session: &Session, used: u64, need: u64) -> Check {
    if used + need <= EVERYBODYS {
        let Quota {
            name, code, unit, ..
        } = VPCS;
        let message = format!(
            "{name} ({code}): {need} {unit} needed, {used} in use, {EVERYBODYS} or more allowed"
        );
        return Check::new("quota", Verdict::Passed, message);
    }
    match quota::value(session, VPCS).await {
        Ok(value) => quota::judge(session, VPCS, value, used, need, 0),
        Err(failure) => quota::unknown(VPCS, &failure),
    }
}
