//! The way of a call through all that the proxy may do to it, in the order in which AWS looks at
//! things: who calls and when, how often, what is asked for, whether it was asked before, whether it
//! can be done.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::call::{Call, Parameters};
use super::capacity::Shortage;
use super::lifecycle::Lifecycle;
use super::pages::List;
use super::settings::Settings;
use super::tokens::Tokens;
use super::upstream::Upstream;
use super::{capacity, dependencies, fargate, images, mend, quotas, shape, streams, tasks, xml};

/// What is done to calls, and what of that has to be known from one call to the next.
pub(super) struct Rules {
    settings: Mutex<Settings>,
    upstream: Upstream,
    /// Launches go one after the other, or two would take the last that there is; and how many vCPUs
    /// instance types have, as far as somebody asked.
    launches: tokio::sync::Mutex<HashMap<String, u64>>,
}

impl Rules {
    pub(super) fn before(upstream: Upstream) -> Self {
        Self {
            settings: Mutex::default(),
            upstream,
            launches: tokio::sync::Mutex::default(),
        }
    }

    /// Looks at the settings, or changes them.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Settings) -> T) -> T {
        look(&mut self.settings.lock().expect("nobody panics"))
    }

    /// What the caller gets, if anything.
    pub(super) async fn handle(&self, call: &Call) -> Option<Answer> {
        if self.with(|settings| settings.silent_regions.contains(&call.region)) {
            return std::future::pending().await;
        }
        let latency = self.with(|settings| settings.latency);
        tokio::time::sleep(latency / 2).await;
        let fate = self.with(|settings| settings.faults.decide(call));
        let done = if fate.arrives() {
            Some(self.judge(call).await)
        } else {
            None
        };
        let refusal = fate.refusal(call).map(|refusal| refusal.answer(call));
        tokio::time::sleep(latency / 2).await;
        let mut answer = refusal.or(done).filter(|_| fate.answers())?;
        self.with(|settings| settings.clock.stamp(&mut answer));
        Some(answer)
    }

    async fn judge(&self, call: &Call) -> Answer {
        let judged = self.try_judge(call).await;
        judged.unwrap_or_else(|refusal| refusal.answer(call))
    }

    async fn try_judge(&self, call: &Call) -> Result<Answer, Refusal> {
        let (looks_at_fargate, looks_at_dependencies) = self.with(|settings| {
            settings.clock.check(call)?;
            if settings.closed_regions.contains(&call.region) {
                let message = "The security token included in the request is invalid.";
                return Err(Refusal::with_status(403, "InvalidClientTokenId", message));
            }
            if let Some(refusal) = settings.refused.get(&call.action) {
                return Err(refusal.clone());
            }
            if settings.public_parameters_refused {
                images::refuse(call)?;
            }
            settings.throttle.charge(call)?;
            if settings.shapes {
                shape::check(call)?;
            }
            settings.visibility.check(call)?;
            settings.lifecycle.check(call)?;
            Ok((settings.fargate, settings.dependencies))
        })?;
        if let Some(answer) = self.with(|settings| quotas::answer(call, &settings.capacity)) {
            return answer;
        }
        if let Some(answer) = images::answer(call, &self.upstream).await {
            return Ok(answer);
        }
        streams::check(call, &self.upstream).await?;
        if call.is("ecs", "ExecuteCommand") {
            return self.execute(call).await;
        }
        if looks_at_fargate && call.service == "ecs" {
            fargate::check(call, &self.upstream).await?;
        }
        let vpcs = self.with(|settings| settings.capacity.vpcs);
        if let Some(quota) = vpcs.filter(|_| call.is("ec2", "CreateVpc")) {
            capacity::check_vpcs(quota, call, &self.upstream).await?;
        }
        if looks_at_dependencies {
            dependencies::check(call, &self.upstream).await?;
        }
        let launches = ["RunInstances", "RunTask"].contains(&&*call.action);
        if !launches && Tokens::of(call).is_none() {
            return self.fetch(call).await;
        }
        let mut vcpus = self.launches.lock().await;
        if let Some(answer) = self.with(|settings| settings.tokens.answer(call))? {
            if call.is("ec2", "RunInstances") && self.has_ended(call, &answer).await {
                return Err(Refusal::new(
                    "IdempotentInstanceTerminated",
                    "The request to launch an instance uses the same client token as a previous \
                     request for which the instance has been terminated.",
                ));
            }
            return Ok(answer);
        }
        let answer = match &*call.action {
            "RunInstances" => self.run_instances(call, &mut vcpus).await?,
            "RunTask" => self.run_tasks(call).await?,
            _ => self.fetch(call).await?,
        };
        self.with(|settings| settings.tokens.remember(call, &answer));
        Ok(answer)
    }

    /// Whether nothing runs any more of what a launch has made.
    async fn has_ended(&self, call: &Call, launched: &Answer) -> bool {
        let ids = xml::texts(launched.text(), "instanceId");
        let names: Vec<String> = (1..=ids.len())
            .map(|place| format!("Filter.2.Value.{place}"))
            .collect();
        let mut running = vec![
            ("Filter.1.Name", "instance-state-name"),
            ("Filter.1.Value.1", "pending"),
            ("Filter.1.Value.2", "running"),
            ("Filter.2.Name", "instance-id"),
            ("MaxResults", "1000"),
        ];
        let named = names.iter().zip(&ids);
        running.extend(named.map(|(name, id)| (name.as_str(), id.as_str())));
        let answer = self
            .upstream
            .ask_ec2(call, "DescribeInstances", &running)
            .await;
        xml::texts(answer.text(), "instanceId").is_empty()
    }

    /// A session in a task.
    async fn execute(&self, call: &Call) -> Result<Answer, Refusal> {
        let parameters = call.json();
        let named = json!({"cluster": parameters["cluster"], "tasks": [parameters["task"]]});
        let described = call.instead("ecs", "DescribeTasks", Parameters::Json(named));
        let described = self.pass(&described).await;
        self.with(|settings| settings.exec.open(call, &described))
    }

    async fn run_instances(
        &self,
        call: &Call,
        vcpus: &mut HashMap<String, u64>,
    ) -> Result<Answer, Refusal> {
        let capacity = self.with(|settings| settings.capacity.clone());
        let count = capacity.fit(call, &self.upstream, vcpus).await?;
        let mut fitting = call.clone();
        fitting.set_number("MaxCount", count);
        let answer = self.pass(&fitting).await;
        if answer.worked() {
            let ids = xml::texts(answer.text(), "instanceId");
            self.with(|settings| settings.lifecycle.launched(ids));
            if !capacity.room.is_empty() {
                let zone = capacity::zone(call, &self.upstream).await;
                let kind = call.text("InstanceType").unwrap_or("m1.small");
                self.with(|settings| settings.capacity.launched(kind, &zone, count));
            }
        }
        Ok(answer)
    }

    async fn run_tasks(&self, call: &Call) -> Result<Answer, Refusal> {
        let capacity = self.with(|settings| settings.capacity.clone());
        let wanted = call.number("count").unwrap_or(1);
        let fit = capacity.fit_tasks(call, &self.upstream).await;
        let is_short = fit.reason == Some(capacity::NO_CAPACITY);
        let ends = is_short && capacity.fargate_shortage == Shortage::End;
        if is_short && fit.count == 0 && capacity.fargate_shortage == Shortage::Error {
            return Err(Refusal::new("ClientException", capacity::NO_CAPACITY));
        }
        let count = if ends { wanted } else { fit.count };
        let mut answer = None;
        if count > 0 {
            let mut fitting = call.clone();
            fitting.set_number("count", count);
            let mut launched = self.upstream.forward(&fitting).await;
            mend::answer(call, &mut launched, &self.upstream).await;
            if !launched.worked() {
                return Ok(launched);
            }
            let arns = capacity::tasks(&launched);
            // The emulator's instances are full, and it says nothing of it.
            let missing = count - arns.len() as u64;
            if missing > 0 {
                return Ok(capacity::with_failures(
                    Some(launched),
                    missing,
                    "RESOURCE:MEMORY",
                ));
            }
            tasks::born(&mut launched, self.with(|settings| settings.clock.now()));
            self.with(|settings| {
                settings.lifecycle.launched(arns.iter().cloned());
                settings.lifecycle.answer(call, &mut launched);
                settings.exec.answer(call, &mut launched);
                settings.visibility.learn(call, &launched);
                settings.capacity.launched_tasks(&fit.zone, fit.count);
            });
            for arn in arns.iter().skip(fit.count as usize) {
                let stop = json!({
                    "cluster": call.json()["cluster"], "task": arn, "reason": capacity::NO_CAPACITY,
                });
                let stop = call.instead("ecs", "StopTask", Parameters::Json(stop));
                self.pass(&stop).await;
            }
            answer = Some(launched);
        }
        Ok(match (answer, fit.reason) {
            (Some(answer), None) => answer,
            (Some(answer), Some(_)) if ends => answer,
            (answer, reason) => {
                capacity::with_failures(answer, wanted - count, reason.unwrap_or_default())
            }
        })
    }

    /// What the emulator answers, in pages if it is a list.
    async fn fetch(&self, call: &Call) -> Result<Answer, Refusal> {
        let in_pages = self.with(|settings| settings.pages.longest.is_some());
        let Some(list) = List::of(call).filter(|_| in_pages) else {
            return Ok(self.pass(call).await);
        };
        if let Some(page) = self.with(|settings| settings.pages.go_on(&list, call))? {
            return Ok(page);
        }
        let whole = self.whole(call, &list).await;
        if !whole.worked() {
            return Ok(whole);
        }
        self.with(|settings| settings.pages.begin(&list, call, whole))
    }

    async fn whole(&self, call: &Call, list: &List) -> Answer {
        let mut whole = self.upstream_of(&list.whole(call, None)).await;
        let mut next = Some(&whole)
            .filter(|whole| whole.worked())
            .and_then(|whole| list.next(whole));
        while let Some(token) = next {
            let more = self.upstream_of(&list.whole(call, Some(&token))).await;
            if !more.worked() {
                return more;
            }
            next = list.next(&more);
            list.join(&mut whole, &more);
        }
        self.finish(call, &mut whole).await;
        whole
    }

    /// One call to the emulator and what AWS would have said.
    async fn pass(&self, call: &Call) -> Answer {
        let ending = self.what_ends(call).await;
        let mut answer = self.upstream_of(call).await;
        if answer.worked() {
            self.with(|settings| {
                for (id, uses) in ending {
                    settings.lifecycle.ends(id, uses);
                }
            });
        }
        self.finish(call, &mut answer).await;
        answer
    }

    async fn upstream_of(&self, call: &Call) -> Answer {
        let mut call = call.clone();
        mend::call(&mut call);
        self.with(|settings| settings.lifecycle.widen(&mut call));
        self.upstream.forward(&call).await
    }

    async fn finish(&self, call: &Call, answer: &mut Answer) {
        mend::answer(call, answer, &self.upstream).await;
        self.with(|settings| {
            settings.lifecycle.answer(call, answer);
            settings.exec.answer(call, answer);
            settings.lingering.answer(call, answer);
            settings.visibility.cut(call, answer);
            settings.visibility.learn(call, answer);
        });
    }

    /// What a call ends, and what that uses, as long as it takes to end.
    async fn what_ends(&self, call: &Call) -> Vec<(String, Vec<String>)> {
        if !self.with(|settings| Lifecycle::is_on(&settings.lifecycle)) {
            return Vec::new();
        }
        let mut found = Vec::new();
        if call.is("ec2", "TerminateInstances") {
            let names: Vec<String> = (1..=call.list("InstanceId").len())
                .map(|n| format!("InstanceId.{n}"))
                .collect();
            let named: Vec<_> = names
                .iter()
                .map(String::as_str)
                .zip(call.list("InstanceId"))
                .collect();
            let answer = self
                .upstream
                .ask_ec2(call, "DescribeInstances", &named)
                .await;
            if !answer.worked() {
                return found;
            }
            let document = xml::parse(answer.text());
            for instance in
                xml::members(document.root_element(), &["reservationSet", "instancesSet"])
            {
                if xml::text(instance, &["instanceState", "name"]) == Some("terminated") {
                    continue;
                }
                let id = xml::text(instance, &["instanceId"]).unwrap_or_default();
                let parts = ["vpcId", "subnetId", "groupSet"];
                let uses = parts
                    .into_iter()
                    .flat_map(|part| xml::texts_below(instance, part));
                found.push((id.to_owned(), uses.map(str::to_owned).collect()));
            }
        } else if call.is("ecs", "StopTask") {
            let named = json!({"cluster": call.json()["cluster"], "tasks": [call.json()["task"]]});
            let described = self
                .upstream
                .ask_json(call, "ecs", "DescribeTasks", named)
                .await;
            let task = &described["tasks"][0];
            let text = task.to_string();
            let interface = text.split('"').find(|part| part.starts_with("eni-"));
            if let (Some(arn), Some(interface)) = (task["taskArn"].as_str(), interface)
                && task["lastStatus"] != "STOPPED"
            {
                let named = [("NetworkInterfaceId.1", interface)];
                let answer = self
                    .upstream
                    .ask_ec2(call, "DescribeNetworkInterfaces", &named)
                    .await;
                let uses = ["vpcId", "subnetId", "groupId"];
                let uses = uses
                    .into_iter()
                    .flat_map(|name| xml::texts(answer.text(), name));
                found.push((arn.to_owned(), uses.collect()));
            }
        }
        found
    }
}
