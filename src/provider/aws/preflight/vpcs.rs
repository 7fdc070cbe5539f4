//! Room for one more VPC.

use super::quota::{self, Quota};
use crate::engine::Failure;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::preflight::Check;

const VPCS: Quota = Quota {
    service: "vpc",
    code: "L-F678F1CE",
    name: "VPCs per Region",
    unit: "VPCs",
};

/// Whether the account may have so many more.
pub async fn check(session: &Session, need: u64) -> Check {
    let (value, used) = tokio::join!(quota::value(session, VPCS), used(session));
    match (value, used) {
        (Ok(value), Ok(used)) => quota::judge(session, VPCS, value, used, need, 0),
        (Err(failure), _) | (_, Err(failure)) => quota::unknown(VPCS, &failure),
    }
}

/// How many there are, whosever they are.
async fn used(session: &Session) -> Result<u64, Failure> {
    let request = |token| {
        let request = session.ec2.describe_vpcs().max_results(1000);
        request.set_next_token(token).send()
    };
    let vpcs = session.pages(Action::ec2("DescribeVpcs"), request, |page| {
        (page.vpcs.unwrap_or_default(), page.next_token)
    });
    Ok(vpcs.await?.len() as u64)
}
