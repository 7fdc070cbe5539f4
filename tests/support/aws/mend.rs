//! Where the emulator is not lax but wrong: this is set right whatever the settings say.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Call, Parameters};
use super::upstream::Upstream;
use super::{tasks, xml};

/// Changes a call so that the emulator does what AWS would do.
pub(super) fn call(call: &mut Call) {
    match &*call.action {
        "RunInstances" => {
            // It launches the fewest that are asked for, and not the most.
            let count = call.text("MaxCount").unwrap_or("1").to_owned();
            call.set("MinCount", &count);
            // It keeps a launch's interfaces for ever, unless told not to.
            let flag = "NetworkInterface.1.DeleteOnTermination";
            let has_interface = call.text("NetworkInterface.1.DeviceIndex").is_some();
            if has_interface && call.text(flag).is_none() {
                call.set(flag, "true");
            }
        }
        // It lists those that have stopped, too.
        "ListTasks" if call.text("desiredStatus").is_none() => call.set("desiredStatus", "RUNNING"),
        // It does not know the filter.
        "DescribeInstances" => drop(take_filter(call, "client-token")),
        _ => {}
    }
}

/// Changes an answer to what AWS would have said, and does what AWS would have done beside it.
pub(super) async fn answer(asked: &Call, answer: &mut Answer, upstream: &Upstream) {
    if !answer.worked() {
        return;
    }
    if asked.service == "ecs" && ["RunTask", "DescribeTasks", "StopTask"].contains(&&*asked.action)
    {
        tasks::complete(asked, answer, upstream).await;
    }
    match &*asked.action {
        "RegisterTaskDefinition" => upstream.learn_definition(answer),
        "TerminateInstances" => remove_interfaces_of_instances(asked, upstream).await,
        "DeleteVpc" => remove_acl(asked, upstream).await,
        "StopTask" => remove_interface_of_task(asked, answer, upstream).await,
        "ListTasks" => keep_tasks_of_cluster(asked, answer),
        "ListTaskDefinitionFamilies" => keep_families_of_status(asked, answer, upstream).await,
        "DescribeTasks" => name_missing_tasks(asked, answer),
        "DescribeInstances" => {
            let tokens = take_filter(&mut asked.clone(), "client-token");
            if !tokens.is_empty() {
                keep_instances_of_tokens(&tokens, answer);
            }
        }
        _ => {}
    }
}

/// Takes a filter out of a call, and gives its values.
pub(super) fn take_filter(call: &mut Call, filter: &str) -> Vec<String> {
    let Parameters::Form(pairs) = &mut call.parameters else {
        return Vec::new();
    };
    let is_it = |(name, value): &&(String, String)| {
        name.starts_with("Filter.") && name.ends_with(".Name") && value == filter
    };
    let Some((name, _)) = pairs.iter().find(is_it) else {
        return Vec::new();
    };
    let prefix = name.trim_end_matches("Name").to_owned();
    let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(pairs)
        .into_iter()
        .partition(|(name, _)| name.starts_with(&prefix));
    *pairs = others;
    let values = ours
        .into_iter()
        .filter(|(name, _)| name.contains(".Value."));
    values.map(|(_, value)| value).collect()
}

fn keep_instances_of_tokens(tokens: &[String], answer: &mut Answer) {
    let document = xml::parse(answer.text());
    let instances = xml::members(document.root_element(), &["reservationSet", "instancesSet"]);
    let others = instances.into_iter().filter(|instance| {
        let token = xml::text(*instance, &["clientToken"]).unwrap_or_default();
        !tokens.iter().any(|wanted| wanted == token)
    });
    let ranges = others.map(|instance| instance.range()).collect();
    answer.body = xml::without(answer.text(), ranges).into();
}

/// AWS takes the interfaces that a launch made away with the instances.
async fn remove_interfaces_of_instances(asked: &Call, upstream: &Upstream) {
    let instances = asked.list("InstanceId");
    let names: Vec<String> = (1..=instances.len())
        .map(|n| format!("Filter.1.Value.{n}"))
        .collect();
    let mut filter = vec![("Filter.1.Name", "attachment.instance-id")];
    filter.extend(names.iter().map(String::as_str).zip(instances));
    let answer = upstream
        .ask_ec2(asked, "DescribeNetworkInterfaces", &filter)
        .await;
    for interface in xml::texts(answer.text(), "networkInterfaceId") {
        let named = [("NetworkInterfaceId", interface.as_str())];
        upstream
            .ask_ec2(asked, "DeleteNetworkInterface", &named)
            .await;
    }
}

/// A network's own list of rules goes with it.
async fn remove_acl(asked: &Call, upstream: &Upstream) {
    let vpc = asked.text("VpcId").unwrap_or_default();
    let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc)];
    let answer = upstream
        .ask_ec2(asked, "DescribeNetworkAcls", &filter)
        .await;
    let document = xml::parse(answer.text());
    let lists = xml::members(document.root_element(), &["networkAclSet"]);
    let ids = lists
        .into_iter()
        .filter_map(|list| xml::text(list, &["networkAclId"]));
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    drop(document);
    for id in ids {
        upstream
            .ask_ec2(asked, "DeleteNetworkAcl", &[("NetworkAclId", &*id)])
            .await;
    }
}

/// It gives the families that once had a revision, whatever status is asked for. One is active as long
/// as a revision of it is.
async fn keep_families_of_status(asked: &Call, answer: &mut Answer, upstream: &Upstream) {
    let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    let wanted = asked.text("status").unwrap_or("ACTIVE");
    let mut having = Vec::new();
    for status in ["ACTIVE", "INACTIVE"] {
        let filter = json!({"status": status});
        let mut revisions = upstream
            .ask_json(asked, "ecs", "ListTaskDefinitions", filter)
            .await;
        let revisions = revisions["taskDefinitionArns"].as_array_mut();
        having.push(families(revisions.map(std::mem::take).unwrap_or_default()));
    }
    let listed = value["families"].as_array().cloned().unwrap_or_default();
    let is_meant = |family: &Value| {
        let has = |index: usize| {
            family
                .as_str()
                .is_some_and(|name| having[index].contains(name))
        };
        match wanted {
            "ACTIVE" => has(0),
            "INACTIVE" => !has(0) && has(1),
            _ => has(0) || has(1),
        }
    };
    let kept: Vec<Value> = listed.into_iter().filter(is_meant).collect();
    value["families"] = kept.into();
    answer.body = value.to_string().into();
}

/// The families of revisions, by these revisions' names.
fn families(arns: Vec<Value>) -> HashSet<String> {
    // …:task-definition/FAMILY:REVISION
    let family = |arn: Value| {
        let (family, _) = arn.as_str()?.rsplit('/').next()?.split_once(':')?;
        Some(family.to_owned())
    };
    arns.into_iter().filter_map(family).collect()
}

async fn remove_interface_of_task(asked: &Call, answer: &Answer, upstream: &Upstream) {
    for id in answer
        .text()
        .split('"')
        .filter(|part| part.starts_with("eni-"))
    {
        upstream
            .ask_ec2(
                asked,
                "DeleteNetworkInterface",
                &[("NetworkInterfaceId", id)],
            )
            .await;
    }
}

/// It takes a cluster for another one whose name begins like its own.
fn keep_tasks_of_cluster(asked: &Call, answer: &mut Answer) {
    let cluster = asked.text("cluster").unwrap_or("default");
    let cluster = cluster.rsplit('/').next().unwrap_or(cluster);
    let path = format!(":task/{cluster}/");
    let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    if let Some(arns) = value["taskArns"].as_array_mut() {
        arns.retain(|arn| arn.as_str().is_some_and(|arn| arn.contains(&path)));
    }
    answer.body = value.to_string().into();
}

/// It says nothing of tasks that it does not know.
fn name_missing_tasks(asked: &Call, answer: &mut Answer) {
    let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    let known: Vec<String> = value["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|task| task["taskArn"].as_str().map(str::to_owned))
        .collect();
    for name in asked.list("tasks") {
        let id = name.rsplit('/').next().unwrap_or(name);
        if !known.iter().any(|arn| arn.ends_with(id))
            && let Some(failures) = value["failures"].as_array_mut()
        {
            failures.push(json!({"arn": name, "reason": "MISSING"}));
        }
    }
    answer.body = value.to_string().into();
}
