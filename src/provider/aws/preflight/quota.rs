//! What an account may have.

use crate::engine::{Failure, FailureClass};
use crate::provider::aws::Session;
use crate::provider::aws::limits::{Action, Service};
use crate::provider::preflight::{Check, QuotaView, Verdict};

const GET: Action = Action::new(Service::ServiceQuotas, "GetServiceQuota");
const GET_DEFAULT: Action = Action::new(Service::ServiceQuotas, "GetAWSDefaultServiceQuota");

/// A quota that AWS publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The service that has it.
    pub service: &'static str,
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub unit: &'static str,
}

impl Quota {
    /// What to do where it is used up. `need` says who needs how much: AWS names neither.
    pub fn ask_for_more(&self, need: &str) -> String {
        format!(
            "ask for more of the quota `{}` ({}): {need}",
            self.name, self.code
        )
    }
}

/// What an account may have of what counts in a quota, and what it has.
#[derive(Debug)]
pub struct Room<T> {
    /// The quota.
    pub quota: Quota,
    /// How much it may have.
    pub value: Result<u64, Failure>,
    /// What it has.
    pub running: Result<Vec<T>, Failure>,
}

impl<T> Room<T> {
    /// Asks for both, of which `running` does the second.
    pub async fn ask(
        session: &Session,
        quota: Quota,
        running: impl Future<Output = Result<Vec<T>, Failure>>,
    ) -> Self {
        let (value, running) = tokio::join!(value(session, quota), running);
        Self {
            quota,
            value,
            running,
        }
    }
}

/// How much the account may have: what was granted, or else what everybody may have.
///
/// # Errors
/// What AWS says.
pub async fn value(session: &Session, quota: Quota) -> Result<u64, Failure> {
    let request = session.quotas.get_service_quota();
    let request = request.service_code(quota.service).quota_code(quota.code);
    let granted = session.call(GET, || request.clone().send()).await;
    let quota = match granted {
        Ok(answer) => answer.quota,
        Err(failure) if failure.class == FailureClass::NotFound => {
            let request = session.quotas.get_aws_default_service_quota();
            let request = request.service_code(quota.service).quota_code(quota.code);
            let answer = session.call(GET_DEFAULT, || request.clone().send());
            answer.await?.quota
        }
        Err(failure) => return Err(failure),
    };
    let value = quota.and_then(|quota| quota.value);
    value
        .filter(|value| *value >= 0.0)
        // Whole numbers, and far from where they would not be exact.
        .map(|value| value as u64)
        .ok_or_else(|| Failure::new(FailureClass::Invalid, GET.name, "the answer names no value"))
}

/// How what is used and needed fits in a quota, which has room for so many seats.
pub fn judge(
    session: &Session,
    quota: Quota,
    value: u64,
    used: u64,
    need: u64,
    room: u64,
) -> Check {
    let Quota {
        service,
        code,
        name,
        unit,
    } = quota;
    let view = QuotaView {
        service: service.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        value,
        used,
        need,
    };
    let enough = view.enough();
    let verdict = match enough <= value {
        true => Verdict::Passed,
        false => Verdict::Failed,
    };
    let message = format!("{name} ({code}): {need} {unit} needed, {used} in use, {value} allowed");
    let mut check = Check::new("quota", verdict, message);
    if verdict == Verdict::Failed {
        let mut hint = format!(
            "ask for {enough} or more: `aws service-quotas request-service-quota-increase \
             --service-code {service} --quota-code {code} --desired-value {enough} --region {}`",
            session.region
        );
        match room {
            0 => {}
            1 => hint.push_str("; there is room for 1 seat now"),
            seats => hint.push_str(&format!("; there is room for {seats} seats now")),
        }
        check = check.with_hint(hint);
    }
    check.quota = Some(view);
    check
}

/// That it is not known how much the account may have, or has.
pub fn unknown(quota: Quota, failure: &Failure) -> Check {
    let message = format!("{} ({}): {failure}", quota.name, quota.code);
    Check::new("quota", Verdict::Unknown, message)
}
