//! Making a snapshot, and proving that it is one.

use std::path::{Path, PathBuf};

use bollard::query_parameters::{
    DownloadFromContainerOptions, InspectContainerOptions, RemoveImageOptions, StopContainerOptions,
};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::layer;
use super::plan::SnapshotSpec;
use super::trial::Trial;
use crate::engine::{Failure, FailureClass, Progress};
use crate::image::archive::Layered;
use crate::model::SeatNumber;
use crate::provider::docker::apply::{Applier, check, seat_values, variables};
use crate::provider::docker::errors::{failure, is_not_found, message};
use crate::provider::docker::observe;
use crate::secret::EventKey;

const CALL: &str = "make snapshot";
/// How long a service may take to end, so that what it leaves is complete.
const STOP_SECONDS: i32 = 60;

fn broken(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Broken, CALL, message)
}

/// Makes a service's snapshot. Where that does not work the reporters are told why, and it is no
/// failure: there is no image of that reference then, and every seat makes its first start itself.
pub async fn make(
    applier: &Applier,
    spec: &SnapshotSpec,
    progress: &Progress,
) -> Result<(), Failure> {
    let service = &spec.service.name;
    let made = match forget(applier, spec).await {
        Ok(()) => first_start(applier, spec, progress).await,
        Err(failure) => Err(failure),
    };
    let tried = match made {
        Ok(()) => try_out(applier, spec, progress).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = tried {
        let why = &failure.message;
        progress.notice(format!(
            "{service} has no snapshot, and every seat makes its own first start: {why}"
        ));
        // One that was made and does not do must not be found by the next run.
        forget(applier, spec).await?;
    }
    Ok(())
}

/// Takes the reference away from what has it: a snapshot of an image that is another one now.
async fn forget(applier: &Applier, spec: &SnapshotSpec) -> Result<(), Failure> {
    let options = RemoveImageOptions {
        force: true,
        ..Default::default()
    };
    let removed = applier
        .client
        .remove_image(&spec.reference, Some(options), None)
        .await;
    match removed {
        Err(error) if !is_not_found(&error) => Err(failure(CALL, &error)),
        _ => Ok(()),
    }
}

/// Values that no seat has: a key that is thrown away.
fn nobody() -> Result<EventKey, Failure> {
    EventKey::generate().map_err(|error| broken(error.to_string()))
}

/// Starts the service as for the first time, and takes what that leaves in its volumes.
async fn first_start(
    applier: &Applier,
    spec: &SnapshotSpec,
    progress: &Progress,
) -> Result<(), Failure> {
    let key = nobody()?;
    let values = seat_values(applier.environment(), &key, SeatNumber::FIRST);
    let trial = Trial::new(applier, spec);
    let made = async {
        progress.report("first start", None, None);
        trial.start(&spec.base, &values).await?;
        trial
            .ready(&values, false, progress)
            .await
            .map_err(|failure| broken(failure.message))?;
        stop(applier, &trial).await?;
        progress.report("taking what it left", None, None);
        take(applier, spec, &trial).await
    }
    .await;
    trial.remove().await;
    made
}

/// Ends the service in good order: what it leaves behind must be complete.
async fn stop(applier: &Applier, trial: &Trial<'_>) -> Result<(), Failure> {
    let options = StopContainerOptions {
        t: Some(STOP_SECONDS),
        ..Default::default()
    };
    let client = &applier.client;
    client
        .stop_container(&trial.name, Some(options))
        .await
        .map_err(|error| failure(CALL, &error))?;
    let state = client
        .inspect_container(&trial.name, None::<InspectContainerOptions>)
        .await
        .map_err(|error| failure(CALL, &error))?
        .state;
    match state.and_then(|state| state.exit_code) {
        Some(0) => Ok(()),
        code => Err(broken(format!(
            "it did not end in good order when it was stopped (exit code {})",
            code.unwrap_or(-1)
        ))),
    }
}

/// Makes the image: the service's own, with what the volumes hold in a layer on top.
async fn take(applier: &Applier, spec: &SnapshotSpec, trial: &Trial<'_>) -> Result<(), Failure> {
    let here =
        |error: std::io::Error| broken(format!("can't write to the temporary directory: {error}"));
    let directory = tempfile::Builder::new()
        .prefix("seatbox-snapshot-")
        .tempdir()
        .map_err(here)?;
    let mut archives: Vec<(PathBuf, String)> = Vec::new();
    for (index, (_, target)) in spec.service.snapshot_volumes().enumerate() {
        let path = directory.path().join(format!("{index}.tar"));
        download(applier, &trial.name, target, &path).await?;
        archives.push((path, target.to_owned()));
    }
    let layer = directory.path().join("layer.tar");
    let write = {
        let layer = layer.clone();
        tokio::task::spawn_blocking(move || layer::write(&layer, &archives))
    };
    match write.await {
        Ok(written) => written.map_err(here)?,
        Err(error) => return Err(broken(error.to_string())),
    }
    load(applier, spec, &layer).await
}

async fn download(
    applier: &Applier,
    container: &str,
    target: &str,
    to: &Path,
) -> Result<(), Failure> {
    let here =
        |error: std::io::Error| broken(format!("can't write to the temporary directory: {error}"));
    let options = DownloadFromContainerOptions {
        path: target.to_owned(),
    };
    let mut pieces = applier
        .client
        .download_from_container(container, Some(options));
    let mut file = tokio::fs::File::create(to).await.map_err(here)?;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| failure(CALL, &error))?;
        file.write_all(&piece).await.map_err(here)?;
    }
    file.flush().await.map_err(here)
}

async fn load(applier: &Applier, spec: &SnapshotSpec, layer: &Path) -> Result<(), Failure> {
    let base = applier
        .client
        .inspect_image(&spec.base)
        .await
        .map_err(|error| failure(CALL, &error))?;
    let id = base.id.unwrap_or_default();
    let below = base
        .root_fs
        .and_then(|root| root.layers)
        .unwrap_or_default();
    let mut config = base.config.unwrap_or_default();
    config.labels.get_or_insert_default().extend([
        (observe::SNAPSHOT.to_owned(), spec.service.name.to_string()),
        (observe::SNAPSHOT_BASE.to_owned(), id),
    ]);
    let image = Layered {
        name: &spec.reference,
        below: &below,
        layer,
    };
    let created = jiff::Timestamp::now().to_string();
    let loaded = image.load(&applier.client, CALL, |digest| {
        let layers: Vec<&str> = below.iter().map(String::as_str).chain([digest]).collect();
        let history: Vec<_> = layers
            .iter()
            .map(|_| json!({"created": created, "created_by": "seatbox snapshot"}))
            .collect();
        json!({
            "created": created,
            "architecture": base.architecture,
            "os": base.os,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": layers},
            "history": history,
        })
    });
    let id = loaded.await?;
    let there = applier.client.inspect_image(&spec.reference).await;
    match there {
        Ok(image) if image.id.as_deref() == Some(&id) => Ok(()),
        Ok(_) => Err(broken("the engine made another image of it")),
        Err(error) => Err(broken(format!(
            "the engine does not take it: {}",
            message(&error)
        ))),
    }
}

/// Proves that a copy does: begun from the snapshot and made one's own, its check must pass, and fail
/// with the values of anybody else. A seat that was left before it was made its own is then never
/// taken for ready, whoever looks.
async fn try_out(
    applier: &Applier,
    spec: &SnapshotSpec,
    progress: &Progress,
) -> Result<(), Failure> {
    let key = nobody()?;
    let values = seat_values(applier.environment(), &key, SeatNumber::FIRST);
    let trial = Trial::new(applier, spec);
    let tried = async {
        progress.report("trying it out", None, None);
        trial.start(&spec.reference, &values).await?;
        let service = &spec.service;
        trial
            .ready(&values, true, progress)
            .await
            .map_err(|failure| broken(format!("a copy of it does not do: {}", failure.message)))?;
        let other = nobody()?;
        let other = seat_values(applier.environment(), &other, SeatNumber::FIRST);
        if trial
            .succeeds(&check(service, &other), &variables(service, &other))
            .await?
        {
            return Err(broken("its check passes with any other password too"));
        }
        Ok(())
    }
    .await;
    trial.remove().await;
    tried
}
