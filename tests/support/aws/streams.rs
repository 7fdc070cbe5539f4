//! Streams of lines that are asked for by name: AWS refuses the whole question where one is not there,
//! and the emulator passes over it.

use std::collections::BTreeSet;

use serde_json::json;

use super::answer::Refusal;
use super::call::Call;
use super::upstream::Upstream;

/// Refuses what AWS refuses (percona/rds_exporter#81).
pub(super) async fn check(call: &Call, upstream: &Upstream) -> Result<(), Refusal> {
    let wanted = call.list("logStreamNames");
    if !call.is("logs", "FilterLogEvents") || wanted.is_empty() {
        return Ok(());
    }
    let mut there = BTreeSet::new();
    let mut named = json!({"logGroupName": call.json()["logGroupName"]});
    loop {
        let mut page = upstream
            .ask_json(call, "logs", "DescribeLogStreams", named.clone())
            .await;
        let streams = page["logStreams"].as_array().into_iter().flatten();
        let names = streams.filter_map(|stream| stream["logStreamName"].as_str());
        there.extend(names.map(str::to_owned));
        named["nextToken"] = page["nextToken"].take();
        if named["nextToken"].is_null() {
            break;
        }
    }
    if wanted.iter().all(|name| there.contains(*name)) {
        return Ok(());
    }
    let message = "The specified log stream does not exist.";
    Err(Refusal::new("ResourceNotFoundException", message))
}
