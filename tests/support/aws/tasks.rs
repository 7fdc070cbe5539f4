//! A task with all its containers. The emulator's tasks have the first of their definition alone, which
//! never starts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::upstream::Upstream;

/// Sets the containers in an answer about tasks right.
pub(super) async fn complete(asked: &Call, answer: &mut Answer, upstream: &Upstream) {
    let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    let mut tasks: Vec<&mut Value> = match &mut value {
        Value::Object(fields) => {
            let fields = fields
                .iter_mut()
                .filter(|(name, _)| *name == "task" || *name == "tasks");
            let parts = fields.flat_map(|(_, field)| match field {
                Value::Array(tasks) => tasks.iter_mut().collect(),
                task => vec![task],
            });
            parts.collect()
        }
        _ => Vec::new(),
    };
    for task in &mut tasks {
        let definition = task["taskDefinitionArn"].as_str().unwrap_or_default();
        let definition = upstream.definition(asked, definition).await;
        fill(task, &definition["containerDefinitions"]);
        for size in ["cpu", "memory"] {
            if task[size].is_null() {
                task[size] = definition[size].clone();
            }
        }
    }
    answer.body = value.to_string().into();
}

/// Says in the answer to a launch when its tasks were made.
pub(super) fn born(answer: &mut Answer, now: Timestamp) {
    let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    for task in value["tasks"].as_array_mut().into_iter().flatten() {
        task["createdAt"] = (now.as_millisecond() as f64 / 1000.0).into();
    }
    answer.body = value.to_string().into();
}

fn fill(task: &mut Value, definitions: &Value) {
    let task_arn = task["taskArn"].clone();
    let text = task_arn
        .as_str()
        .unwrap_or_default()
        .replacen(":task/", ":container/", 1);
    let status = task["lastStatus"].clone();
    let details = task["attachments"][0]["details"]
        .as_array()
        .into_iter()
        .flatten();
    let address = details
        .into_iter()
        .find(|detail| detail["name"] == "privateIPv4Address");
    let address = address.map(|detail| json!([{"privateIpv4Address": detail["value"]}]));
    let mut health = "UNKNOWN";
    let containers = definitions
        .as_array()
        .into_iter()
        .flatten()
        .map(|definition| {
            let name = definition["name"].as_str().unwrap_or_default();
            let own = match &definition["healthCheck"] {
                Value::Null => "UNKNOWN",
                _ if status == "RUNNING" => "HEALTHY",
                _ => "UNKNOWN",
            };
            if own == "HEALTHY" {
                health = own;
            }
            json!({
                "containerArn": format!("{text}/{name}"),
                "taskArn": task_arn,
                "name": name,
                "image": definition["image"],
                "lastStatus": status,
                "healthStatus": own,
                "networkInterfaces": address.clone().unwrap_or_else(|| json!([])),
            })
        });
    let containers: Vec<Value> = containers.collect();
    if !containers.is_empty() {
        task["containers"] = containers.into();
        task["healthStatus"] = health.into();
    }
}
