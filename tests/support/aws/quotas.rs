//! What Service Quotas says that an account may have: what the proxy's settings say, where they say
//! something.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::capacity::Capacity;

/// What an account may have of what no test limits.
const PLENTY: u64 = 20_000;

/// Service, code, name.
const QUOTAS: [(&str, &str, &str); 6] = [
    (
        "ec2",
        "L-1216C47A",
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    ),
    (
        "ec2",
        "L-34B43A08",
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
    ),
    (
        "fargate",
        "L-3032A538",
        "Fargate On-Demand vCPU resource count",
    ),
    ("fargate", "L-36FBB829", "Fargate Spot vCPU resource count"),
    ("vpc", "L-F678F1CE", "VPCs per Region"),
    (
        "vpc",
        "L-0EA8095F",
        "Inbound or outbound rules per security group",
    ),
];

/// The answer, if it is one of these services' quotas that are asked for.
pub(super) fn answer(call: &Call, capacity: &Capacity) -> Option<Result<Answer, Refusal>> {
    let service = call.text("ServiceCode")?;
    let of_service = QUOTAS.iter().filter(|(of, ..)| *of == service);
    let quotas: Vec<Value> = of_service
        .map(|quota| describe(call, quota, capacity))
        .collect();
    if call.service != "servicequotas" || quotas.is_empty() {
        return None;
    }
    match &*call.action {
        "ListServiceQuotas" | "ListAWSDefaultServiceQuotas" => {
            Some(Ok(Answer::json(&json!({"Quotas": quotas}))))
        }
        "GetServiceQuota" | "GetAWSDefaultServiceQuota" => {
            let code = call.text("QuotaCode").unwrap_or_default();
            let found = quotas.into_iter().find(|quota| quota["QuotaCode"] == code);
            let none = || Refusal::new("NoSuchResourceException", "There is no such quota");
            Some(
                found
                    .map(|quota| Answer::json(&json!({"Quota": quota})))
                    .ok_or_else(none),
            )
        }
        _ => None,
    }
}

fn describe(call: &Call, (service, code, name): &(&str, &str, &str), capacity: &Capacity) -> Value {
    let value = match *code {
        "L-1216C47A" => capacity.vcpus,
        "L-3032A538" => capacity.fargate_vcpus,
        "L-0EA8095F" => Some(60),
        "L-F678F1CE" => capacity.vpcs.map(|vpcs| vpcs as u64),
        _ => None,
    };
    json!({
        "ServiceCode": service,
        "QuotaArn": format!("arn:aws:servicequotas:{}:123456789012:{service}/{code}", call.region),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value.unwrap_or(PLENTY) as f64,
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": false,
    })
}
