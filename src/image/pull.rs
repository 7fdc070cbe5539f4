//! Pulling an image from a registry, with its progress in bytes.

use std::collections::HashMap;

use bollard::Docker as Client;
use bollard::query_parameters::{CreateImageOptions, TagImageOptions};
use futures_util::StreamExt as _;

use super::reference::{familiar, repository_and_tag};
use crate::engine::{Failure, FailureClass, Progress};
use crate::provider::docker::errors::{failure, message};

const CALL: &str = "pull image";

/// Pulls `source` and makes sure that the engine has it as `reference`.
pub async fn pull(
    client: &Client,
    source: &str,
    reference: &str,
    progress: &Progress,
) -> Result<(), Failure> {
    let (repository, tag) = repository_and_tag(source);
    let options = CreateImageOptions {
        from_image: Some(repository.to_owned()),
        tag: Some(tag.to_owned()),
        ..Default::default()
    };
    let mut stream = client.create_image(Some(options), None, None);
    let mut layers: HashMap<String, (u64, u64)> = HashMap::new();
    while let Some(step) = stream.next().await {
        let step = step.map_err(|error| interrupted(source, &error))?;
        if let (Some(layer), Some(detail)) = (step.id, step.progress_detail)
            && step.status.as_deref() == Some("Downloading")
        {
            let bytes =
                |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            layers.insert(layer, (bytes(detail.current), bytes(detail.total)));
            let done = layers.values().map(|(done, _)| done).sum();
            let total = layers.values().map(|(_, total)| total).sum();
            progress.report(format!("pulling {source}"), Some(done), Some(total));
        }
    }
    if familiar(source) != familiar(reference) {
        let wanted = familiar(reference);
        let (repository, tag) = repository_and_tag(&wanted);
        let options = TagImageOptions {
            repo: Some(repository.to_owned()),
            tag: Some(tag.to_owned()),
        };
        client
            .tag_image(source, Some(options))
            .await
            .map_err(|error| failure("tag image", &error))?;
    }
    Ok(())
}

/// A pull that breaks off may go on where it stopped when it is tried again: what came is kept.
fn interrupted(source: &str, error: &bollard::errors::Error) -> Failure {
    let words = message(error);
    let class = if words.contains("not found") || words.contains("manifest unknown") {
        FailureClass::NotFound
    } else if words.contains("denied") || words.contains("unauthorized") {
        FailureClass::Denied
    } else if words.contains("toomanyrequests") {
        FailureClass::Throttle
    } else {
        FailureClass::Connection
    };
    Failure::new(class, CALL, format!("{source}: {words}"))
}
