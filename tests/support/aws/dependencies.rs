//! What can't be deleted because something else needs it.

use super::answer::Refusal;
use super::call::Call;
use super::upstream::Upstream;
use super::xml;
use serde_json::json;

/// Refuses to delete what is in use.
pub(super) async fn check(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    let violation = |message: String| Err(Refusal::new("DependencyViolation", message));
    match &*call.action {
        "DeleteSecurityGroup" => {
            let Some(group) = call.text("GroupId") else {
                return Ok(());
            };
            if has_interfaces(call, upstream, "group-id", group).await
                || is_named_by_others(call, upstream, group).await
            {
                return violation(format!("resource {group} has a dependent object"));
            }
        }
        "DeleteSubnet" => {
            let subnet = call.text("SubnetId").unwrap_or_default();
            if has_interfaces(call, upstream, "subnet-id", subnet).await {
                let message = "has dependencies and cannot be deleted.";
                return violation(format!("The subnet '{subnet}' {message}"));
            }
        }
        "DeleteVpc" => {
            let vpc = call.text("VpcId").unwrap_or_default();
            if has_interfaces(call, upstream, "vpc-id", vpc).await
                || has_parts(call, upstream, vpc).await
            {
                let message = "has dependencies and cannot be deleted.";
                return violation(format!("The vpc '{vpc}' {message}"));
            }
        }
        "DetachInternetGateway" => {
            let vpc = call.text("VpcId").unwrap_or_default();
            if has_public_addresses(call, upstream, vpc).await {
                return violation(format!(
                    "Network {vpc} has some mapped public address(es). Please unmap those public \
                     address(es) before detaching the gateway."
                ));
            }
        }
        "DeleteCluster" => return cluster(call, upstream).await,
        _ => {}
    }
    Ok(())
}

async fn has_interfaces(call: &Call, upstream: &Upstream, filter: &str, value: &str) -> bool {
    let filter = [("Filter.1.Name", filter), ("Filter.1.Value.1", value)];
    let answer = upstream
        .ask_ec2(call, "DescribeNetworkInterfaces", &filter)
        .await;
    !xml::texts(answer.text(), "networkInterfaceId").is_empty()
}

/// Whether a rule of another group lets this one in or out.
async fn is_named_by_others(call: &Call, upstream: &Upstream, group: &str) -> bool {
    let answer = upstream.ask_ec2(call, "DescribeSecurityGroups", &[]).await;
    let document = xml::parse(answer.text());
    let groups = xml::members(document.root_element(), &["securityGroupInfo"]);
    groups.into_iter().any(|other| {
        let rules = ["ipPermissions", "ipPermissionsEgress"];
        let mut named = rules
            .into_iter()
            .flat_map(|rules| xml::texts_below(other, rules));
        xml::text(other, &["groupId"]) != Some(group) && named.any(|text| text == group)
    })
}

/// Whether a VPC has anything but what it came with.
async fn has_parts(call: &Call, upstream: &Upstream, vpc: &str) -> bool {
    for (action, filter, id) in [
        ("DescribeSubnets", "vpc-id", "subnetId"),
        (
            "DescribeInternetGateways",
            "attachment.vpc-id",
            "internetGatewayId",
        ),
    ] {
        let filter = [("Filter.1.Name", filter), ("Filter.1.Value.1", vpc)];
        let answer = upstream.ask_ec2(call, action, &filter).await;
        if !xml::texts(answer.text(), id).is_empty() {
            return true;
        }
    }
    let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc)];
    let answer = upstream
        .ask_ec2(call, "DescribeSecurityGroups", &filter)
        .await;
    let document = xml::parse(answer.text());
    let groups = xml::members(document.root_element(), &["securityGroupInfo"]);
    groups
        .into_iter()
        .any(|group| xml::text(group, &["groupName"]) != Some("default"))
}

async fn has_public_addresses(call: &Call, upstream: &Upstream, vpc: &str) -> bool {
    let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc)];
    let answer = upstream
        .ask_ec2(call, "DescribeNetworkInterfaces", &filter)
        .await;
    let document = xml::parse(answer.text());
    let interfaces = xml::members(document.root_element(), &["networkInterfaceSet"]);
    interfaces.into_iter().any(|interface| {
        // The emulator gives tasks no public address; where they run, they need one.
        xml::text(interface, &["association", "publicIp"]).is_some()
            || xml::text(interface, &["description"]) == Some("moto ECS")
    })
}

async fn cluster(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    let cluster = &call.json()["cluster"];
    let name = cluster.as_str().unwrap_or_default();
    let own = format!("/{}/", name.rsplit('/').next().unwrap_or(name));
    for (action, list, code, what) in [
        (
            "ListServices",
            "serviceArns",
            "ClusterContainsServicesException",
            "Services",
        ),
        (
            "ListTasks",
            "taskArns",
            "ClusterContainsTasksException",
            "Tasks",
        ),
    ] {
        let named = json!({"cluster": cluster, "desiredStatus": "RUNNING"});
        let listed = upstream.ask_json(call, "ecs", action, named).await;
        // The emulator takes a cluster for another one whose name begins like its own.
        let mut listed = listed[list].as_array().into_iter().flatten();
        if listed.any(|arn| arn.as_str().is_some_and(|arn| arn.contains(&own))) {
            let message = format!("The Cluster cannot be deleted while {what} are active.");
            return Err(Refusal::new(code, message));
        }
    }
    Ok(())
}
