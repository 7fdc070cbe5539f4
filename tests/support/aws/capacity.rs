//! What AWS has and what the account may have of it: a launch gets as many as fit, if it takes fewer
//! than it wants, and an error otherwise.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::fargate;
use super::upstream::Upstream;
use super::xml;

/// How Fargate says that there is no room for a task.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Among the failures of a launch that worked.
    #[default]
    Failure,
    /// As an error.
    Error,
    /// By the end of a task that it launched.
    End,
}

/// How many tasks a launch on Fargate gets, why not all, and where.
#[derive(Debug, Default)]
pub(super) struct Fit {
    pub count: u64,
    pub reason: Option<&'static str>,
    pub zone: String,
}

/// What there is; without limits until a test sets some.
#[derive(Debug, Default, Clone)]
pub struct Capacity {
    /// How many instances of a type still fit in a zone; `*` stands for any type or any zone. What is
    /// not named is without end.
    pub room: BTreeMap<(String, String), u64>,
    /// How many vCPUs all instances may have that run, as the account's quota.
    pub vcpus: Option<u64>,
    /// How many VPCs the account may have, as its quota.
    pub vpcs: Option<usize>,
    /// How many tasks on Fargate still fit in a zone; `*` stands for any. What is not named is without
    /// end.
    pub fargate_room: BTreeMap<String, u64>,
    /// How Fargate says that there is no room.
    pub fargate_shortage: Shortage,
    /// How many vCPUs all Fargate tasks may have, as the account's quota.
    pub fargate_vcpus: Option<u64>,
}

impl Capacity {
    /// No instance of that type in that zone; `*` stands for any.
    pub fn without(&mut self, kind: &str, zone: &str) {
        self.room.insert((kind.to_owned(), zone.to_owned()), 0);
    }

    fn key(&self, kind: &str, zone: &str) -> Option<(String, String)> {
        let keys = [(kind, zone), ("*", zone), (kind, "*"), ("*", "*")];
        let mut keys = keys
            .map(|(kind, zone)| (kind.to_owned(), zone.to_owned()))
            .into_iter();
        keys.find(|key| self.room.contains_key(key))
    }

    /// Takes down that instances of a type were launched in a zone.
    pub(super) fn launched(&mut self, kind: &str, zone: &str, count: u64) {
        if let Some(room) = self.key(kind, zone).and_then(|key| self.room.get_mut(&key)) {
            *room = room.saturating_sub(count);
        }
    }

    /// How many instances a launch is to get.
    pub(super) async fn fit(
        &self,
        call: &Call,
        upstream: &Upstream,
        vcpus: &mut HashMap<String, u64>,
    ) -> Result<u64, Refusal> {
        let wanted = call.number("MaxCount").unwrap_or(1);
        let least = call.number("MinCount").unwrap_or(1);
        let kind = call.text("InstanceType").unwrap_or("m1.small");
        let mut fits = wanted;
        if !self.room.is_empty() {
            let zone = zone(call, upstream).await;
            let room = self.key(kind, &zone).map(|key| self.room[&key]);
            fits = room.map_or(wanted, |room| room.min(wanted));
            if fits < least {
                return Err(Refusal::with_status(
                    500,
                    "InsufficientInstanceCapacity",
                    format!(
                        "We currently do not have sufficient {kind} capacity in the Availability \
                         Zone you requested ({zone}). Our system will be working on provisioning \
                         additional capacity."
                    ),
                ));
            }
        }
        if let Some(quota) = self.vcpus {
            let each = vcpus_of(call, kind, upstream, vcpus).await;
            let used = vcpus_used(call, upstream, vcpus).await;
            fits = fits.min(quota.saturating_sub(used) / each);
            if fits < least {
                return Err(Refusal::new(
                    "VcpuLimitExceeded",
                    format!(
                        "You have requested more vCPU capacity than your current vCPU limit of \
                         {quota} allows for the instance bucket that the specified instance type \
                         belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to \
                         request an adjustment to this limit."
                    ),
                ));
            }
        }
        Ok(fits)
    }

    /// How many tasks a launch on Fargate is to get. They are all in one zone, that of the first of
    /// its subnets: AWS takes one of them.
    pub(super) async fn fit_tasks(&self, call: &Call, upstream: &Upstream) -> Fit {
        let wanted = call.number("count").unwrap_or(1);
        let mut fit = Fit {
            count: wanted,
            ..Fit::default()
        };
        if !fargate::launches(call) {
            return fit;
        }
        if !self.fargate_room.is_empty() {
            let network = &call.json()["networkConfiguration"]["awsvpcConfiguration"];
            let subnet = network["subnets"][0].as_str().unwrap_or_default();
            fit.zone = zone_of(call, subnet, upstream).await;
            let room = self.fargate_key(&fit.zone);
            let room = room.map_or(wanted, |key| self.fargate_room[key]);
            if room < wanted {
                (fit.count, fit.reason) = (room, Some(NO_CAPACITY));
            }
        }
        if let Some(quota) = self.fargate_vcpus {
            let each = fargate::cpu(call, upstream).await.max(1);
            let used = cpu_used(call, upstream).await;
            let room = (quota * 1024).saturating_sub(used) / each;
            if room < fit.count {
                (fit.count, fit.reason) = (room, Some(NO_VCPUS));
            }
        }
        fit
    }

    fn fargate_key<'a>(&self, zone: &'a str) -> Option<&'a str> {
        [zone, "*"]
            .into_iter()
            .find(|zone| self.fargate_room.contains_key(*zone))
    }

    /// Takes down that tasks were launched on Fargate in a zone.
    pub(super) fn launched_tasks(&mut self, zone: &str, count: u64) {
        let key = self.fargate_key(zone);
        if let Some(room) = key.and_then(|key| self.fargate_room.get_mut(key)) {
            *room = room.saturating_sub(count);
        }
    }
}

pub(super) const NO_CAPACITY: &str = "Capacity is unavailable at this time. Please try again later or in a \
                           different availability zone";
const NO_VCPUS: &str =
    "You\u{2019}ve reached the limit on the number of vCPUs you can run concurrently";

/// Refuses a VPC that is one too many.
pub(super) async fn check_vpcs(
    quota: usize,
    call: &Call,
    upstream: &Upstream,
) -> Result<(), Refusal> {
    let vpcs = upstream.ask_ec2(call, "DescribeVpcs", &[]).await;
    if xml::texts(vpcs.text(), "vpcId").len() < quota {
        return Ok(());
    }
    let message = "The maximum number of VPCs has been reached.";
    Err(Refusal::new("VpcLimitExceeded", message))
}

/// The names of the tasks in the answer to a launch.
pub(super) fn tasks(answer: &Answer) -> Vec<String> {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let tasks = value["tasks"].as_array().into_iter().flatten();
    let arns = tasks.filter_map(|task| task["taskArn"].as_str());
    arns.map(str::to_owned).collect()
}

/// The answer to a launch, with a failure for each task that it lacks.
pub(super) fn with_failures(answer: Option<Answer>, missing: u64, reason: &str) -> Answer {
    let answer = answer.map(|answer| serde_json::from_slice::<Value>(&answer.body));
    let mut answer = answer
        .and_then(Result::ok)
        .unwrap_or_else(|| json!({"tasks": []}));
    let failures = (0..missing).map(|_| json!({"reason": reason}));
    answer["failures"] = failures.collect();
    Answer::json(&answer)
}

/// The zone in which a launch is to happen.
pub(super) async fn zone(call: &Call, upstream: &Upstream) -> String {
    if let Some(zone) = call.text("Placement.AvailabilityZone") {
        return zone.to_owned();
    }
    let subnet = call
        .text("SubnetId")
        .or_else(|| call.text("NetworkInterface.1.SubnetId"));
    zone_of(call, subnet.unwrap_or_default(), upstream).await
}

async fn zone_of(call: &Call, subnet: &str, upstream: &Upstream) -> String {
    let named = [("SubnetId.1", subnet)];
    let answer = upstream.ask_ec2(call, "DescribeSubnets", &named).await;
    xml::texts(answer.text(), "availabilityZone")
        .pop()
        .unwrap_or_default()
}

async fn vcpus_of(
    call: &Call,
    kind: &str,
    upstream: &Upstream,
    known: &mut HashMap<String, u64>,
) -> u64 {
    if let Some(vcpus) = known.get(kind) {
        return *vcpus;
    }
    let named = [("InstanceType.1", kind)];
    let answer = upstream
        .ask_ec2(call, "DescribeInstanceTypes", &named)
        .await;
    let vcpus = xml::texts(answer.text(), "defaultVCpus").pop();
    let vcpus = vcpus.and_then(|vcpus| vcpus.parse().ok()).unwrap_or(1);
    known.insert(kind.to_owned(), vcpus);
    vcpus
}

async fn vcpus_used(call: &Call, upstream: &Upstream, known: &mut HashMap<String, u64>) -> u64 {
    let running = [
        ("Filter.1.Name", "instance-state-name"),
        ("Filter.1.Value.1", "pending"),
        ("Filter.1.Value.2", "running"),
        ("MaxResults", "1000"),
    ];
    let answer = upstream.ask_ec2(call, "DescribeInstances", &running).await;
    let mut used = 0;
    for kind in xml::texts(answer.text(), "instanceType") {
        used += vcpus_of(call, &kind, upstream, known).await;
    }
    used
}

/// The CPU units of all Fargate tasks that run.
async fn cpu_used(call: &Call, upstream: &Upstream) -> u64 {
    let clusters = upstream
        .ask_json(call, "ecs", "ListClusters", json!({}))
        .await;
    let mut tasks = BTreeMap::new();
    for cluster in clusters["clusterArns"].as_array().into_iter().flatten() {
        let running = json!({"cluster": cluster, "desiredStatus": "RUNNING"});
        let listed = upstream.ask_json(call, "ecs", "ListTasks", running).await;
        if listed["taskArns"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let named = json!({"cluster": cluster, "tasks": listed["taskArns"]});
        let described = upstream.ask_json(call, "ecs", "DescribeTasks", named).await;
        for task in described["tasks"].as_array().into_iter().flatten() {
            tasks.insert(task["taskArn"].to_string(), task.clone());
        }
    }
    let mut used = 0;
    for task in tasks.into_values() {
        let mut like = call.clone();
        like.set_json(json!({
            "taskDefinition": task["taskDefinitionArn"],
            "overrides": task["overrides"],
        }));
        used += fargate::cpu(&like, upstream).await;
    }
    used
}
