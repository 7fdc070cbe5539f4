//! Instances and tasks take a while to start and to end. The emulator's are there at once, and gone at
//! once with all that they use.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::mend::take_filter;
use super::xml;

/// How long they take, and which are at it.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// From the launch until an instance or a task runs.
    pub starts_in: Duration,
    /// From the call that ends it until it has ended.
    pub ends_in: Duration,
    starting: HashMap<String, Instant>,
    ending: HashMap<String, Ending>,
}

#[derive(Debug)]
struct Ending {
    until: Instant,
    /// The network, subnet and groups that it still uses.
    uses: Vec<String>,
}

impl Lifecycle {
    pub(super) fn is_on(&self) -> bool {
        !(self.starts_in.is_zero() && self.ends_in.is_zero())
    }

    /// Refuses to delete what something uses that is about to end.
    pub(super) fn check(&self, call: &Call) -> Result<(), Refusal> {
        let deletes = [
            "DeleteSecurityGroup",
            "DeleteSubnet",
            "DeleteVpc",
            "DetachInternetGateway",
        ];
        if call.service != "ec2" || !deletes.contains(&&*call.action) {
            return Ok(());
        }
        let now = Instant::now();
        let mut uses = self
            .ending
            .values()
            .filter(|one| now < one.until)
            .flat_map(|one| &one.uses);
        let named = call.texts();
        match uses.find(|used| named.contains(&used.as_str())) {
            Some(used) => {
                let message = format!("{used} has a dependent object that is about to end");
                Err(Refusal::new("DependencyViolation", message))
            }
            None => Ok(()),
        }
    }

    /// Takes down what a launch started.
    pub(super) fn launched(&mut self, ids: impl IntoIterator<Item = String>) {
        let until = Instant::now() + self.starts_in;
        self.starting.extend(ids.into_iter().map(|id| (id, until)));
    }

    /// Takes down what is about to end, and what it uses. What ends already goes on doing so.
    pub(super) fn ends(&mut self, id: String, uses: Vec<String>) {
        let until = Instant::now() + self.ends_in;
        self.ending.entry(id).or_insert(Ending { until, uses });
    }

    fn is_starting(&self, id: &str) -> bool {
        self.starting
            .get(id)
            .is_some_and(|until| Instant::now() < *until)
    }

    fn is_ending(&self, id: &str) -> bool {
        self.ending
            .get(id)
            .is_some_and(|ending| Instant::now() < ending.until)
    }

    /// Asks for instances in any state, for the emulator's are not what is to be seen.
    pub(super) fn widen(&self, call: &mut Call) {
        if self.is_on() && call.is("ec2", "DescribeInstances") {
            take_filter(call, "instance-state-name");
        }
    }

    /// Changes the states in an answer.
    pub(super) fn answer(&self, asked: &Call, answer: &mut Answer) {
        if !self.is_on() || !answer.worked() {
            return;
        }
        if asked.is("ec2", "DescribeInstances") {
            self.instances(asked, answer);
        } else if asked.service == "ecs"
            && ["RunTask", "DescribeTasks", "StopTask"].contains(&&*asked.action)
        {
            let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
            self.task(&mut value["task"]);
            for task in value["tasks"].as_array_mut().into_iter().flatten() {
                self.task(task);
            }
            if value["task"].is_null()
                && let Some(map) = value.as_object_mut()
            {
                map.shift_remove("task");
            }
            answer.body = value.to_string().into();
        }
    }

    fn instances(&self, asked: &Call, answer: &mut Answer) {
        let wanted = take_filter(&mut asked.clone(), "instance-state-name");
        let document = xml::parse(answer.text());
        let mut edits = Vec::new();
        for instance in xml::members(document.root_element(), &["reservationSet", "instancesSet"]) {
            let id = xml::text(instance, &["instanceId"]).unwrap_or_default();
            let state = xml::text(instance, &["instanceState", "name"]).unwrap_or_default();
            let (code, seen) = match state {
                "running" if self.is_starting(id) => (0, "pending"),
                "terminated" if self.is_ending(id) => (32, "shutting-down"),
                _ => (-1, state),
            };
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == seen) {
                edits.push((instance.range(), String::new()));
            } else if code >= 0
                && let Some(range) = xml::child_range(instance, "instanceState")
            {
                let state = format!(
                    "<instanceState><code>{code}</code><name>{seen}</name></instanceState>"
                );
                edits.push((range, state));
            }
        }
        answer.body = xml::edited(answer.text(), edits).into();
    }

    fn task(&self, task: &mut Value) {
        let arn = task["taskArn"].as_str().unwrap_or_default();
        let seen = match task["lastStatus"].as_str() {
            Some("RUNNING") if self.is_starting(arn) => "PROVISIONING",
            Some("STOPPED") if self.is_ending(arn) => "DEPROVISIONING",
            _ => return,
        };
        task["lastStatus"] = seen.into();
        for container in task["containers"].as_array_mut().into_iter().flatten() {
            container["lastStatus"] = if seen == "PROVISIONING" {
                "PENDING"
            } else {
                "RUNNING"
            }
            .into();
        }
    }
}
