//! Client tokens: the same call again is answered as before, and nothing is made twice.

use std::collections::HashMap;

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::call::{Call, Parameters};
use super::capacity;

/// The calls that carried a token and worked. All callers are of one account.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Whether they count for anything.
    pub count: bool,
    known: HashMap<(String, String, String), (Parameters, Answer)>,
}

impl Tokens {
    /// The token of a call, if it has one.
    pub(super) fn of(call: &Call) -> Option<&str> {
        call.text("ClientToken")
            .or_else(|| call.text("clientToken"))
    }

    /// What the same call was answered, if it came before; an error, if it was another one.
    pub(super) fn answer(&self, call: &Call) -> Result<Option<Answer>, Refusal> {
        let Some(token) = Self::of(call).filter(|_| self.count) else {
            return Ok(None);
        };
        if token.len() > 64 || !token.is_ascii() {
            let code = if call.service == "ec2" {
                "InvalidParameterValue"
            } else {
                "InvalidParameterException"
            };
            return Err(Refusal::new(
                code,
                "A client token has at most 64 ASCII characters",
            ));
        }
        match self.known.get(&key(call, token)) {
            None => Ok(None),
            Some((asked, answer)) if *asked == call.parameters => Ok(Some(answer.clone())),
            Some((_, answer)) => Err(mismatch(call, answer)),
        }
    }

    /// Takes down what a call was answered that worked. A launch that launched nothing did not: an
    /// answer is kept where something was changed ("Ensuring idempotency" in the Amazon ECS API
    /// reference).
    pub(super) fn remember(&mut self, call: &Call, answer: &Answer) {
        if call.is("ecs", "RunTask") && capacity::tasks(answer).is_empty() {
            return;
        }
        if let Some(token) = Self::of(call).filter(|_| self.count && answer.worked()) {
            let known = (call.parameters.clone(), answer.clone());
            self.known.insert(key(call, token), known);
        }
    }
}

fn key(call: &Call, token: &str) -> (String, String, String) {
    (call.region.clone(), call.action.clone(), token.to_owned())
}

fn mismatch(call: &Call, answer: &Answer) -> Refusal {
    if call.service == "ec2" {
        return Refusal::new(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous \
             request(s).",
        );
    }
    let made: serde_json::Value = serde_json::from_str(answer.text()).unwrap_or_default();
    let tasks = made["tasks"].as_array().into_iter().flatten();
    let tasks: Vec<&serde_json::Value> = tasks.map(|task| &task["taskArn"]).collect();
    Refusal::new(
        "ConflictException",
        "The RunTask request could not be processed due to conflicts",
    )
    .with_field("resourceIds", json!(tasks))
}
