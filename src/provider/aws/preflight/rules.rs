//! Room for the rules of a group.

use super::quota::{self, Quota};
use crate::model::Environment;
use crate::provider::aws::Session;
use crate::provider::aws::network::wanted_rules;
use crate::provider::preflight::Check;

const RULES: Quota = Quota {
    service: "vpc",
    code: "L-0EA8095F",
    name: "Inbound or outbound rules per security group",
    unit: "rules",
};

/// How many rules every account may have (Amazon VPC user guide, "Amazon VPC quotas").
const EVERYBODYS: u64 = 60;

/// Whether one group may have as many as the environment wants, where those are more than everybody
/// may have: instances that nobody reaches are paid for, too.
pub async fn check(session: &Session, environment: &Environment) -> Option<Check> {
    let need = wanted_rules(environment).len() as u64;
    if need <= EVERYBODYS {
        return None;
    }
    Some(match quota::value(session, RULES).await {
        Ok(value) => quota::judge(session, RULES, value, 0, need, 0),
        Err(failure) => quota::unknown(RULES, &failure),
    })
}
