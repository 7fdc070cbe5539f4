//! What Fargate refuses, and the sizes of a RunTask.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::answer::Refusal;
use super::call::Call;
use super::upstream::Upstream;

/// CPU units, the MiB that go with them from and to, and the step between these.
/// ("Amazon ECS task definition parameters for Fargate", task size)
const SIZES: [(u64, RangeInclusive<u64>, u64); 7] = [
    (256, 512..=2048, 512),
    (512, 1024..=4096, 1024),
    (1024, 2048..=8192, 1024),
    (2048, 4096..=16384, 1024),
    (4096, 8192..=30720, 1024),
    (8192, 16384..=61440, 4096),
    (16384, 32768..=122_880, 8192),
];

/// The most tasks that a RunTask starts.
const TASKS: u64 = 10;

/// The most characters of a RunTask's overrides, as JSON.
const OVERRIDES: usize = 8192;

/// Refuses what ECS refuses.
pub(super) async fn check(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    match &*call.action {
        "RegisterTaskDefinition" => definition(call.json()),
        "RunTask" => run(call, upstream).await,
        _ => Ok(()),
    }
}

/// Whether a launch is one on Fargate.
pub(super) fn launches(call: &Call) -> bool {
    let strategy = call.json()["capacityProviderStrategy"].as_array();
    let providers = strategy.into_iter().flatten();
    let mut providers = providers.filter_map(|one| one["capacityProvider"].as_str());
    call.text("launchType") == Some("FARGATE")
        || providers.any(|provider| provider.starts_with("FARGATE"))
}

/// The CPU units of each task of a launch.
pub(super) async fn cpu(call: &Call, upstream: &Upstream) -> u64 {
    let overridden = units(&call.json()["overrides"]["cpu"]);
    match overridden {
        Some(cpu) => cpu,
        None => units(&described(call, upstream).await["cpu"]).unwrap_or_default(),
    }
}

fn definition(definition: &Value) -> Result<(), Refusal> {
    let needs = definition["requiresCompatibilities"].as_array();
    if !needs.is_some_and(|needs| needs.iter().any(|need| need == "FARGATE")) {
        return Ok(());
    }
    if definition["networkMode"] != "awsvpc" {
        let message = "Fargate only supports network mode \u{2018}awsvpc\u{2019}.";
        return Err(Refusal::new("ClientException", message));
    }
    for size in ["memory", "cpu"] {
        if units(&definition[size]).is_none() {
            let message =
                format!("Fargate requires task definition to have {size} at the task level.");
            return Err(Refusal::new("ClientException", message));
        }
    }
    pair(units(&definition["cpu"]), units(&definition["memory"]))?;
    let containers = definition["containerDefinitions"]
        .as_array()
        .into_iter()
        .flatten();
    let reserved = containers.filter_map(|one| units(&one["memory"])).max();
    if reserved > units(&definition["memory"]) {
        let message = "Invalid setting for container. The memory of a container can't be more than \
                       the memory of the task.";
        return Err(Refusal::new("ClientException", message));
    }
    Ok(())
}

async fn run(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    let refusal = |message: &str| Err(Refusal::new("InvalidParameterException", message));
    if !(1..=TASKS).contains(&call.number("count").unwrap_or(1)) {
        return refusal("count must be between 1 and 10");
    }
    let overrides = &call.json()["overrides"];
    if overrides.to_string().len() > OVERRIDES {
        return refusal("Container Overrides length must be at most 8192");
    }
    let sizes = [&overrides["cpu"], &overrides["memory"]];
    if call.text("launchType") == Some("EC2") {
        return run_on_instances(call, upstream).await;
    }
    if !launches(call) || sizes.iter().all(|size| size.is_null()) {
        return Ok(());
    }
    let described = described(call, upstream).await;
    let size = |name: &str| units(&overrides[name]).or_else(|| units(&described[name]));
    pair(size("cpu"), size("memory"))
}

/// What a launch on container instances must be like, and find.
async fn run_on_instances(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    let refusal = |message: &str| Err(Refusal::new("InvalidParameterException", message));
    let network = &call.json()["networkConfiguration"]["awsvpcConfiguration"];
    if network["assignPublicIp"] == "ENABLED" {
        return refusal("Assign public IP is not supported for this launch type.");
    }
    let needs = &described(call, upstream).await["requiresCompatibilities"];
    let needs = needs.as_array();
    if needs.is_some_and(|needs| !needs.is_empty() && !needs.iter().any(|need| need == "EC2")) {
        return refusal("Task definition does not support launch_type EC2.");
    }
    let named = serde_json::json!({"cluster": call.json()["cluster"]});
    let found = upstream
        .ask_json(call, "ecs", "ListContainerInstances", named)
        .await;
    match found["containerInstanceArns"].as_array() {
        Some(found) if !found.is_empty() => Ok(()),
        _ => refusal("No Container Instances were found in your cluster."),
    }
}

async fn described(call: &Call, upstream: &Upstream) -> Value {
    let named = serde_json::json!({"taskDefinition": call.json()["taskDefinition"]});
    let mut answer = upstream
        .ask_json(call, "ecs", "DescribeTaskDefinition", named)
        .await;
    answer["taskDefinition"].take()
}

fn pair(cpu: Option<u64>, memory: Option<u64>) -> Result<(), Refusal> {
    let (cpu, memory) = (cpu.unwrap_or_default(), memory.unwrap_or_default());
    let fits = SIZES.iter().any(|(size, range, step)| {
        *size == cpu && range.contains(&memory) && (memory - range.start()) % step == 0
    });
    if fits {
        return Ok(());
    }
    let message = format!(
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the \
         Amazon ECS documentation for the valid values."
    );
    Err(Refusal::new("ClientException", message))
}

/// `512`, `"512"`, `"0.5 vCPU"`, `"1 GB"`: CPU units, or MiB.
fn units(value: &Value) -> Option<u64> {
    let Some(text) = value.as_str() else {
        return value.as_u64();
    };
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches("vcpu").trim_end_matches("gb").trim();
    let number: f64 = number.parse().ok()?;
    let large = lower.ends_with("vcpu") || lower.ends_with("gb");
    Some((number * if large { 1024.0 } else { 1.0 }) as u64)
}
