//! ECS Exec, which the emulator does not have: a task's agents, and sessions that are opened.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;

/// What opens every session.
pub const TOKEN: &str = "a-token-that-opens-a-session";

/// How tasks are fit for commands.
#[derive(Debug)]
pub struct Exec {
    /// How the agent in each container is.
    pub agent: &'static str,
    /// The tasks that were made for it.
    pub enabled: BTreeSet<String>,
    opened: usize,
}

impl Default for Exec {
    fn default() -> Self {
        Self {
            agent: "RUNNING",
            enabled: BTreeSet::new(),
            opened: 0,
        }
    }
}

impl Exec {
    /// Takes down which tasks a launch made for it, and says so of them from then on.
    pub(super) fn answer(&mut self, asked: &Call, answer: &mut Answer) {
        let is_about_tasks = ["RunTask", "DescribeTasks"].contains(&&*asked.action);
        if asked.service != "ecs" || !is_about_tasks || !answer.worked() {
            return;
        }
        let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
        for task in value["tasks"].as_array_mut().into_iter().flatten() {
            let arn = task["taskArn"].as_str().unwrap_or_default().to_owned();
            if asked.json()["enableExecuteCommand"] == true {
                self.enabled.insert(arn.clone());
            }
            let is_enabled = self.enabled.contains(&arn);
            task["enableExecuteCommand"] = is_enabled.into();
            let id = arn.rsplit('/').next().unwrap_or_default();
            let containers = task["containers"].as_array_mut().into_iter().flatten();
            for (index, container) in containers.enumerate() {
                container["runtimeId"] = format!("{id}-{index}").into();
                if is_enabled {
                    container["managedAgents"] =
                        json!([{"name": "ExecuteCommandAgent", "lastStatus": self.agent}]);
                }
            }
        }
        answer.body = value.to_string().into();
    }

    /// Opens a session in a task, of which `described` tells.
    pub(super) fn open(&mut self, asked: &Call, described: &Answer) -> Result<Answer, Refusal> {
        let parameters = asked.json();
        let invalid = |message: &str| Refusal::new("InvalidParameterException", message);
        if parameters["interactive"] != true {
            return Err(invalid("Interactive is the only mode supported currently."));
        }
        let described: Value = serde_json::from_str(described.text()).unwrap_or_default();
        let task = &described["tasks"][0];
        if task["lastStatus"] != "RUNNING" {
            return Err(invalid("The task provided in the request was not found."));
        }
        let mut containers = task["containers"].as_array().into_iter().flatten();
        let container = containers
            .find(|container| container["name"] == parameters["container"])
            .ok_or_else(|| invalid("The container name does not exist in the task."))?;
        if container["managedAgents"][0]["lastStatus"] != "RUNNING" {
            return Err(invalid(
                "The execute command failed because execute command was not enabled when the task \
                 was run or the execute command agent isn\u{2019}t running.",
            ));
        }
        let command = parameters["command"].as_str().unwrap_or_default();
        let hex: String = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.opened += 1;
        let id = format!("ecs-execute-command-{}", self.opened);
        // What the other end is to run it has from here, for there is no other end.
        let stream = format!(
            "wss://ssmmessages.{}.invalid/{id}?command={hex}",
            asked.region
        );
        Ok(Answer::json(&json!({
            "clusterArn": task["clusterArn"],
            "containerArn": container["containerArn"],
            "containerName": container["name"],
            "interactive": true,
            "session": {"sessionId": id, "streamUrl": stream, "tokenValue": TOKEN},
            "taskArn": task["taskArn"],
        })))
    }
}
