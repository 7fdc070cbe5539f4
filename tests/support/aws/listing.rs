//! All that exists in an account, by each service's own list calls: the emulator's inner state still
//! knows what was deleted.
//!
//! What AWS keeps for a while after its end is left out: instances that are terminated, tasks that
//! have stopped, task definitions and clusters that are inactive.

use std::collections::BTreeSet;

use roxmltree::Node;
use serde_json::{Value, json};

use super::client::Client;
use super::xml;

/// A list call of EC2 or IAM: what a thing is called here, the action, where the things are in its
/// answer, their id, and what else of them is to be seen.
type QueryList = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const EC2: [QueryList; 26] = [
    (
        "instance",
        "DescribeInstances",
        &["reservationSet", "instancesSet"],
        "instanceId",
        &["instanceState", "instanceType", "groupSet", "tagSet"],
    ),
    (
        "volume",
        "DescribeVolumes",
        &["volumeSet"],
        "volumeId",
        &["status", "tagSet"],
    ),
    (
        "interface",
        "DescribeNetworkInterfaces",
        &["networkInterfaceSet"],
        "networkInterfaceId",
        &["status", "description", "groupSet", "tagSet"],
    ),
    (
        "group",
        "DescribeSecurityGroups",
        &["securityGroupInfo"],
        "groupId",
        &["groupName", "tagSet"],
    ),
    (
        "rule",
        "DescribeSecurityGroupRules",
        &["securityGroupRuleSet"],
        "securityGroupRuleId",
        &[
            "groupId",
            "ipProtocol",
            "fromPort",
            "toPort",
            "cidrIpv4",
            "tagSet",
        ],
    ),
    (
        "subnet",
        "DescribeSubnets",
        &["subnetSet"],
        "subnetId",
        &["cidrBlock", "mapPublicIpOnLaunch", "tagSet"],
    ),
    (
        "vpc",
        "DescribeVpcs",
        &["vpcSet"],
        "vpcId",
        &["cidrBlock", "dhcpOptionsId", "tagSet"],
    ),
    (
        "gateway",
        "DescribeInternetGateways",
        &["internetGatewaySet"],
        "internetGatewayId",
        &["attachmentSet", "tagSet"],
    ),
    (
        "route table",
        "DescribeRouteTables",
        &["routeTableSet"],
        "routeTableId",
        &["associationSet", "routeSet", "tagSet"],
    ),
    (
        "network acl",
        "DescribeNetworkAcls",
        &["networkAclSet"],
        "networkAclId",
        &["tagSet"],
    ),
    (
        "key pair",
        "DescribeKeyPairs",
        &["keySet"],
        "keyName",
        &["keyFingerprint", "tagSet"],
    ),
    (
        "launch template",
        "DescribeLaunchTemplates",
        &["launchTemplates"],
        "launchTemplateId",
        &["tagSet"],
    ),
    (
        "address",
        "DescribeAddresses",
        &["addressesSet"],
        "publicIp",
        &["instanceId", "tagSet"],
    ),
    (
        "image",
        "DescribeImages",
        &["imagesSet"],
        "imageId",
        &["name", "tagSet"],
    ),
    (
        "snapshot",
        "DescribeSnapshots",
        &["snapshotSet"],
        "snapshotId",
        &["tagSet"],
    ),
    (
        "NAT gateway",
        "DescribeNatGateways",
        &["natGatewaySet"],
        "natGatewayId",
        &["state", "tagSet"],
    ),
    (
        "endpoint",
        "DescribeVpcEndpoints",
        &["vpcEndpointSet"],
        "vpcEndpointId",
        &["state", "tagSet"],
    ),
    (
        "spot request",
        "DescribeSpotInstanceRequests",
        &["spotInstanceRequestSet"],
        "spotInstanceRequestId",
        &["state", "tagSet"],
    ),
    (
        "flow log",
        "DescribeFlowLogs",
        &["flowLogSet"],
        "flowLogId",
        &["tagSet"],
    ),
    (
        "instance profile association",
        "DescribeIamInstanceProfileAssociations",
        &["iamInstanceProfileAssociationSet"],
        "associationId",
        &["instanceId"],
    ),
    (
        "DHCP options",
        "DescribeDhcpOptions",
        &["dhcpOptionsSet"],
        "dhcpOptionsId",
        &["tagSet"],
    ),
    (
        "egress gateway",
        "DescribeEgressOnlyInternetGateways",
        &["egressOnlyInternetGatewaySet"],
        "egressOnlyInternetGatewayId",
        &["tagSet"],
    ),
    (
        "prefix list",
        "DescribeManagedPrefixLists",
        &["prefixListSet"],
        "prefixListId",
        &["tagSet"],
    ),
    (
        "peering",
        "DescribeVpcPeeringConnections",
        &["vpcPeeringConnectionSet"],
        "vpcPeeringConnectionId",
        &["status", "tagSet"],
    ),
    (
        "fleet",
        "DescribeFleets",
        &["fleetSet"],
        "fleetId",
        &["fleetState", "tagSet"],
    ),
    (
        "tag",
        "DescribeTags",
        &["tagSet"],
        "resourceId",
        &["key", "value"],
    ),
];

const IAM: [QueryList; 4] = [
    ("role", "ListRoles", &["Roles"], "RoleName", &[]),
    (
        "instance profile",
        "ListInstanceProfiles",
        &["InstanceProfiles"],
        "InstanceProfileName",
        &["Roles"],
    ),
    (
        "policy",
        "ListPolicies",
        &["Policies"],
        "PolicyName",
        &["DefaultVersionId"],
    ),
    ("user", "ListUsers", &["Users"], "UserName", &[]),
];

/// A list call in JSON: the service, what a thing is called here, the action, the list in its
/// answer, and the things' id.
type JsonList = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const JSON: [JsonList; 6] = [
    (
        "logs",
        "group",
        "DescribeLogGroups",
        "logGroups",
        "logGroupName",
    ),
    (
        "ssm",
        "parameter",
        "DescribeParameters",
        "Parameters",
        "Name",
    ),
    (
        "ssm",
        "document",
        "ListDocuments",
        "DocumentIdentifiers",
        "Name",
    ),
    (
        "ecr",
        "repository",
        "DescribeRepositories",
        "repositories",
        "repositoryName",
    ),
    ("events", "rule", "ListRules", "Rules", "Name"),
    (
        "secretsmanager",
        "secret",
        "ListSecrets",
        "SecretList",
        "Name",
    ),
];

/// What exists, sorted.
pub fn of(client: &Client) -> Vec<String> {
    let mut lines = Vec::new();
    let interfaces_of_tasks = clusters(client, &mut lines);
    let mut living = interfaces_of_tasks;
    for list in &EC2 {
        query(client, "ec2", list, &mut living, &mut lines);
    }
    for list in &IAM {
        query(client, "iam", list, &mut living, &mut lines);
    }
    for (service, kind, action, list, id) in &JSON {
        for thing in pages(client, service, action, json!({}), list) {
            lines.push(format!("{service} {kind} {}", plain(&thing[id])));
        }
    }
    let active = json!({"status": "ACTIVE"});
    for arn in pages(
        client,
        "ecs",
        "ListTaskDefinitions",
        active,
        "taskDefinitionArns",
    ) {
        lines.push(format!("ecs task definition {}", plain(&arn)));
    }
    lines.sort();
    // The emulator names a task in each cluster whose name begins like that of the task's own.
    lines.dedup();
    lines
}

/// Adds the things of one list, also to the living, to whom others belong.
fn query(
    client: &Client,
    service: &str,
    list: &QueryList,
    living: &mut BTreeSet<String>,
    lines: &mut Vec<String>,
) {
    let (kind, action, lists, id, details) = list;
    let own = match *kind {
        "image" | "snapshot" => vec![("Owner.1", "self")],
        // Those that AWS itself offers are thousands.
        "policy" => vec![("Scope", "Local")],
        _ => Vec::new(),
    };
    let mut next = None::<String>;
    loop {
        let mut parameters = own.clone();
        if let Some(token) = &next {
            parameters.push(("NextToken", token));
        }
        let reply = client.try_query(service, action, &parameters);
        let reply = reply.expect("an answer arrives").worked();
        let document = xml::parse(&reply.body);
        let mut answer = document.root_element();
        if service == "iam" {
            answer = answer
                .first_element_child()
                .expect("its result is in the answer");
        }
        for thing in xml::members(answer, lists) {
            let id = xml::text(thing, &[id]).unwrap_or("without an id");
            match *kind {
                "instance" if xml::text(thing, &["instanceState", "code"]) == Some(TERMINATED) => {
                    continue;
                }
                "interface" if is_left_over(thing, id, living) => continue,
                // The emulator forgets to take it away with its VPC.
                "network acl"
                    if xml::text(thing, &["default"]) == Some("true")
                        && !xml::text(thing, &["vpcId"])
                            .is_some_and(|vpc| living.contains(vpc)) =>
                {
                    continue;
                }
                // The emulator remembers those of what is gone.
                "tag" if !living.contains(id) => continue,
                _ => _ = living.insert(id.to_owned()),
            }
            let details = details
                .iter()
                .flat_map(|name| xml::texts_below(thing, name));
            let details: Vec<&str> = details.collect();
            let line = format!("{service} {kind} {id} {}", details.join(" "));
            lines.push(line.trim_end().to_owned());
        }
        next = next_page(document.root_element());
        if next.is_none() {
            return;
        }
    }
}

const TERMINATED: &str = "48";

/// AWS takes an interface away with the instance or the task for which it made it; the emulator keeps
/// it for ever.
fn is_left_over(interface: Node<'_, '_>, id: &str, living: &BTreeSet<String>) -> bool {
    if xml::text(interface, &["description"]) == Some(OF_A_TASK) {
        return !living.contains(id);
    }
    let instance = xml::text(interface, &["attachment", "instanceId"]);
    instance.is_some_and(|instance| !living.contains(instance))
}

/// How the emulator describes the interface of a task.
const OF_A_TASK: &str = "moto ECS";

fn next_page(answer: Node<'_, '_>) -> Option<String> {
    xml::text(answer, &["nextToken"])
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
}

/// The things of a list, of all its pages.
fn pages(client: &Client, service: &str, action: &str, mut call: Value, list: &str) -> Vec<Value> {
    let mut things = Vec::new();
    loop {
        let mut answer = client.json(service, action, &call);
        if let Some(more) = answer[list].as_array_mut() {
            things.append(more);
        }
        let token = |key: &&str| answer[*key].as_str().is_some_and(|token| !token.is_empty());
        let Some(key) = ["nextToken", "NextToken"].into_iter().find(token) else {
            return things;
        };
        call[key] = answer[key].take();
    }
}

/// Adds all of ECS that is in a cluster, and gives the interfaces of the tasks that run.
fn clusters(client: &Client, lines: &mut Vec<String>) -> BTreeSet<String> {
    let mut interfaces = BTreeSet::new();
    for cluster in pages(client, "ecs", "ListClusters", json!({}), "clusterArns") {
        let described = client.json("ecs", "DescribeClusters", &json!({"clusters": [cluster]}));
        if described["clusters"][0]["status"] == "INACTIVE" {
            continue;
        }
        lines.push(format!("ecs cluster {}", plain(&cluster)));
        for (kind, action, list) in [
            ("service", "ListServices", "serviceArns"),
            (
                "container instance",
                "ListContainerInstances",
                "containerInstanceArns",
            ),
        ] {
            for arn in pages(client, "ecs", action, json!({"cluster": cluster}), list) {
                lines.push(format!("ecs {kind} {}", plain(&arn)));
            }
        }
        let running = json!({"cluster": cluster, "desiredStatus": "RUNNING"});
        let tasks = pages(client, "ecs", "ListTasks", running, "taskArns");
        for tasks in tasks.chunks(100) {
            lines.extend(tasks.iter().map(|arn| format!("ecs task {}", plain(arn))));
            let named = json!({"cluster": cluster, "tasks": tasks});
            let described = client.json("ecs", "DescribeTasks", &named).to_string();
            let parts = described.split('"').filter(|part| part.starts_with("eni-"));
            interfaces.extend(parts.map(str::to_owned));
        }
    }
    interfaces
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
