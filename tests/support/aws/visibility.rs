//! What was made just now is not seen everywhere at once: a call that names it may be told that there
//! is no such thing, and a list may lack it.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::{Call, Parameters};
use super::{capacity, xml};

/// Which ids the answer to a creating call holds.
const BIRTHS: [(&str, &str); 6] = [
    ("RunInstances", "instanceId"),
    ("CreateVpc", "vpcId"),
    ("CreateSubnet", "subnetId"),
    ("CreateSecurityGroup", "groupId"),
    ("CreateInternetGateway", "internetGatewayId"),
    ("CreateRouteTable", "routeTableId"),
];

/// Calls that make something by a name, which parameter that is, and what is made.
const NAMED_BIRTHS: [(&str, &str, &str); 4] = [
    ("CreateCluster", "clusterName", "cluster"),
    ("RegisterTaskDefinition", "family", "definition"),
    ("CreateRole", "RoleName", "role"),
    ("CreateLogGroup", "logGroupName", "group"),
];

/// What says that there is no such thing, by the beginning of the id.
const CODES: [(&str, &str); 6] = [
    ("i-", "InvalidInstanceID.NotFound"),
    ("vpc-", "InvalidVpcID.NotFound"),
    ("subnet-", "InvalidSubnetID.NotFound"),
    ("sg-", "InvalidGroup.NotFound"),
    ("igw-", "InvalidInternetGatewayID.NotFound"),
    ("rtb-", "InvalidRouteTableID.NotFound"),
];

/// Lists that may lack something, where its members are and what their id is.
const LISTS: [(&str, &[&str], &str); 7] = [
    (
        "DescribeInstances",
        &["reservationSet", "instancesSet"],
        "instanceId",
    ),
    ("DescribeVpcs", &["vpcSet"], "vpcId"),
    ("DescribeSubnets", &["subnetSet"], "subnetId"),
    ("DescribeSecurityGroups", &["securityGroupInfo"], "groupId"),
    (
        "DescribeInternetGateways",
        &["internetGatewaySet"],
        "internetGatewayId",
    ),
    ("DescribeRouteTables", &["routeTableSet"], "routeTableId"),
    ("DescribeTags", &["tagSet"], "resourceId"),
];

/// How long new things may be hidden, and how often they are.
#[derive(Debug)]
pub struct Visibility {
    /// For so long after it was made.
    pub hides_for: Duration,
    /// In so many of a hundred looks.
    pub percent: f64,
    random: StdRng,
    born: HashMap<String, Instant>,
}

impl Default for Visibility {
    fn default() -> Self {
        Self {
            hides_for: Duration::ZERO,
            percent: 100.0,
            random: StdRng::seed_from_u64(0),
            born: HashMap::new(),
        }
    }
}

impl Visibility {
    /// Takes down what a call made.
    pub(super) fn learn(&mut self, call: &Call, answer: &Answer) {
        if self.hides_for.is_zero() || !answer.worked() {
            return;
        }
        let now = Instant::now();
        self.born
            .retain(|_, born| now.duration_since(*born) < self.hides_for);
        let birth = BIRTHS.iter().find(|(action, _)| *action == call.action);
        let mut ids = birth.map_or_else(Vec::new, |(_, id)| xml::texts(answer.text(), id));
        if call.is("ecs", "RunTask") {
            ids.extend(capacity::tasks(answer));
        }
        let birth = NAMED_BIRTHS
            .iter()
            .find(|(action, ..)| *action == call.action);
        if let Some((_, name, kind)) = birth {
            ids.extend(call.text(name).map(|name| format!("{kind}/{name}")));
        }
        for id in ids {
            self.born.entry(id).or_insert(now);
        }
    }

    /// Whether it is so young that this look misses it.
    fn misses(&mut self, id: &str) -> bool {
        let young = self
            .born
            .get(id)
            .is_some_and(|born| born.elapsed() < self.hides_for);
        young && self.random.random_range(0.0..100.0) < self.percent
    }

    /// Refuses a call that names what it does not see.
    pub(super) fn check(&mut self, call: &Call) -> Result<(), Refusal> {
        // A filter finds nothing, and that is it.
        if self.born.is_empty() {
            return Ok(());
        }
        let named = match &call.parameters {
            Parameters::Form(pairs) => {
                let named = pairs
                    .iter()
                    .filter(|(name, _)| !name.starts_with("Filter."));
                named.map(|(_, value)| value.as_str()).collect()
            }
            _ => call.texts(),
        };
        let mut named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        if call.action == "DescribeTasks" {
            // Tasks that it misses it names in its answer.
            named.clear();
        }
        named.extend(by_name(call));
        if call.is("ecs", "RunTask") {
            // ECS takes on the roles of the task's definition.
            let roles = self.born.keys().filter(|id| id.starts_with("role/"));
            named.extend(roles.cloned());
        }
        let missed = named.into_iter().find(|id| self.misses(id));
        missed.map_or(Ok(()), |id| Err(refusal(call, &id)))
    }

    /// Takes out of a list what it does not see.
    pub(super) fn cut(&mut self, call: &Call, answer: &mut Answer) {
        if self.born.is_empty() || !answer.worked() {
            return;
        }
        if call.service == "ec2" {
            self.cut_xml(call, answer);
        } else if let Ok(mut value) = serde_json::from_str::<Value>(answer.text()) {
            self.cut_json(call, &mut value);
            answer.body = value.to_string().into();
        }
    }

    fn cut_xml(&mut self, call: &Call, answer: &mut Answer) {
        let Some((_, lists, id)) = LISTS.iter().find(|(action, ..)| *action == call.action) else {
            return;
        };
        let named: Vec<String> = call.texts().into_iter().map(str::to_owned).collect();
        let document = xml::parse(answer.text());
        let mut ranges = Vec::<Range<usize>>::new();
        for member in xml::members(document.root_element(), lists) {
            let id = xml::text(member, &[id]).unwrap_or_default();
            if !named.iter().any(|name| name == id) && self.misses(id) {
                ranges.push(member.range());
            }
        }
        let kept = xml::without(answer.text(), ranges);
        answer.body = kept.into();
    }

    fn cut_json(&mut self, call: &Call, answer: &mut Value) {
        match &*call.action {
            "ListTasks" => {
                if let Some(arns) = answer["taskArns"].as_array_mut() {
                    arns.retain(|arn| !self.misses(arn.as_str().unwrap_or_default()));
                }
            }
            "DescribeTasks" => {
                let tasks = answer["tasks"].as_array().cloned().unwrap_or_default();
                let (missed, seen): (Vec<_>, Vec<_>) = tasks
                    .into_iter()
                    .partition(|task| self.misses(task["taskArn"].as_str().unwrap_or_default()));
                answer["tasks"] = seen.into();
                let failures = answer["failures"].as_array_mut();
                if let Some(failures) = failures {
                    let missing = missed
                        .iter()
                        .map(|task| json!({"arn": task["taskArn"], "reason": "MISSING"}));
                    failures.extend(missing);
                }
            }
            "DescribeClusters" => {
                let name = |cluster: &Value| {
                    format!(
                        "cluster/{}",
                        cluster["clusterName"].as_str().unwrap_or_default()
                    )
                };
                if let Some(clusters) = answer["clusters"].as_array_mut() {
                    clusters.retain(|cluster| !self.misses(&name(cluster)));
                }
            }
            "DescribeLogGroups" => {
                let name = |group: &Value| {
                    format!(
                        "group/{}",
                        group["logGroupName"].as_str().unwrap_or_default()
                    )
                };
                if let Some(groups) = answer["logGroups"].as_array_mut() {
                    groups.retain(|group| !self.misses(&name(group)));
                }
            }
            "ListTaskDefinitionFamilies" => {
                if let Some(families) = answer["families"].as_array_mut() {
                    families.retain(|family| {
                        let family = family.as_str().unwrap_or_default();
                        !self.misses(&format!("definition/{family}"))
                    });
                }
            }
            "GetResources" => {
                if let Some(found) = answer["ResourceTagMappingList"].as_array_mut() {
                    found.retain(|one| {
                        let arn = one["ResourceARN"].as_str().unwrap_or_default();
                        let id = arn.rsplit('/').next().unwrap_or(arn);
                        !self.misses(id) && !self.misses(arn)
                    });
                }
            }
            _ => {}
        }
    }
}

/// What a call uses that is called by its name.
fn by_name(call: &Call) -> Vec<String> {
    let of = |parameter: &str, kind: &str| {
        let name = call.text(parameter)?.rsplit('/').next()?;
        let name = name.split(':').next()?;
        Some(format!("{kind}/{name}"))
    };
    let names = match &*call.service {
        "ecs" => [of("cluster", "cluster"), of("taskDefinition", "definition")],
        "iam" if call.action != "CreateRole" => [of("RoleName", "role"), None],
        "logs" if call.action == "PutRetentionPolicy" => {
            let group = call.text("logGroupName");
            [group.map(|name| format!("group/{name}")), None]
        }
        _ => [None, None],
    };
    names.into_iter().flatten().collect()
}

fn refusal(call: &Call, id: &str) -> Refusal {
    let code = CODES.iter().find(|(start, _)| id.starts_with(start));
    let kind = id.split_once('/').map_or("", |(kind, _)| kind);
    match (&*call.service, code, kind) {
        ("ec2", Some((_, code)), _) => Refusal::new(code, format!("The ID '{id}' does not exist")),
        (_, Some((_, code)), _) => Refusal::new(
            "InvalidParameterException",
            format!("The ID '{id}' does not exist (ErrorCode: {code})"),
        ),
        (_, _, "cluster") => Refusal::new("ClusterNotFoundException", "Cluster not found."),
        (_, _, "definition") => {
            Refusal::new("ClientException", "Unable to describe task definition.")
        }
        ("ecs", _, "role") => Refusal::new(
            "ClientException",
            "ECS was unable to assume the role that was provided for this task.",
        ),
        (_, _, "role") => {
            let message = format!("The role with name {id} cannot be found.");
            Refusal::with_status(404, "NoSuchEntity", message)
        }
        (_, _, "group") => Refusal::new(
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        _ => Refusal::new(
            "InvalidParameterException",
            "The referenced task was not found.",
        ),
    }
}
