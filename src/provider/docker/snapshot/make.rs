//! Making a snapshot, and proving that it is one.

use std::path::{Path, PathBuf};

use bollard::models::ImageInspect;
use bollard::query_parameters::{
    DownloadFromContainerOptions, InspectContainerOptions, ListImagesOptions, RemoveImageOptions,
    StopContainerOptions, TagImageOptions,
};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::layer;
use super::plan::SnapshotSpec;
use super::trial::{self, Trial, call, gone};
use crate::engine::retry::again;
use crate::engine::{Failure, FailureClass, Progress};
use crate::image::archive::Layered;
use crate::model::SeatNumber;
use crate::provider::docker::apply::{Applier, check, variables};
use crate::provider::docker::errors::{failure, is_not_found};
use crate::provider::docker::observe;
use crate::provider::values::seat_values;
use crate::secret::EventKey;

const CALL: &str = "make snapshot";
/// How long a service may take to end, so that what it leaves is complete.
const STOP_SECONDS: i32 = 60;

fn broken(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Broken, CALL, message)
}

/// Makes a service's snapshot. Where that does not work the reporters are told why, and it is no
/// failure: there is no image of that reference then, and every seat makes its first start itself.
///
/// # Errors
///
/// An image that does not do has the reference, and can't be made to give it back.
pub async fn make(
    applier: &Applier,
    spec: &SnapshotSpec,
    progress: &Progress,
) -> Result<(), Failure> {
    let made = async {
        let (present, base) =
            tokio::try_join!(image(applier, &spec.reference), image(applier, &spec.base))?;
        let base = base.ok_or_else(|| broken(format!("{} is gone", spec.base)))?;
        if present.is_some_and(|present| is_of(&present, &base)) {
            // Somebody else has made it since we looked.
            return Ok(());
        }
        clear_away(applier, spec).await?;
        first_start(applier, spec, base, progress).await
    };
    let Err(failure) = made.await else {
        return Ok(());
    };
    let (service, why) = (&spec.service.name, &failure.message);
    progress.notice(format!(
        "{service} has no snapshot, and every seat makes its own first start: {why}"
    ));
    // That of an image that is another one now must not be found by the seats.
    forget(applier, spec).await
}

/// Takes away what runs that were killed have left of making this snapshot: their containers, and
/// images that nobody has named.
async fn clear_away(applier: &Applier, spec: &SnapshotSpec) -> Result<(), Failure> {
    let oldest = trial::oldest(applier, spec).await?;
    for left in Trial::left(applier, spec, oldest).await? {
        left.remove().await;
    }
    let label = format!("{}={}", observe::SNAPSHOT, spec.reference);
    let filters = [("label", label), ("dangling", "true".to_owned())];
    let options = ListImagesOptions {
        filters: Some(
            filters
                .map(|(name, value)| (name.to_owned(), vec![value]))
                .into(),
        ),
        ..Default::default()
    };
    let list = || applier.client.list_images(Some(options.clone()));
    for image in again(|| call(list())).await? {
        if image.created < oldest.as_second() {
            // Not forced: containers may run from it that were made when it had the name.
            let _ = remove(applier, &image.id, false).await;
        }
    }
    Ok(())
}

/// What the engine has of that name or id.
async fn image(applier: &Applier, name: &str) -> Result<Option<ImageInspect>, Failure> {
    again(async || match applier.client.inspect_image(name).await {
        Ok(image) => Ok(Some(image)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failure(CALL, &error)),
    })
    .await
}

fn label<'a>(image: &'a ImageInspect, name: &str) -> Option<&'a str> {
    let labels = image.config.as_ref()?.labels.as_ref()?;
    labels.get(name).map(String::as_str)
}

/// Whether an image is a snapshot that was made from `base`.
fn is_of(image: &ImageInspect, base: &ImageInspect) -> bool {
    base.id.is_some() && label(image, observe::SNAPSHOT_BASE) == base.id.as_deref()
}

/// Takes the reference away from the snapshot that has it. Somebody else's image keeps it, and no seat
/// may be made from that.
async fn forget(applier: &Applier, spec: &SnapshotSpec) -> Result<(), Failure> {
    let Some(there) = image(applier, &spec.reference).await? else {
        return Ok(());
    };
    if label(&there, observe::SNAPSHOT).is_none() {
        let message = format!("{} is an image that is no snapshot", spec.reference);
        return Err(broken(message).with_hint("give that image another name"));
    }
    // Forced, since containers of it may run: they keep their image, and it loses its name.
    remove(applier, &spec.reference, true).await
}

async fn remove(applier: &Applier, image: &str, force: bool) -> Result<(), Failure> {
    let options = RemoveImageOptions {
        force,
        ..Default::default()
    };
    let remove = || {
        applier
            .client
            .remove_image(image, Some(options.clone()), None)
    };
    again(|| gone(remove())).await
}

/// Gives an image that has proved itself the name by which the seats find it, unless another run was
/// quicker: seats are made from that one's already, and would be made anew for another image.
async fn name(
    applier: &Applier,
    spec: &SnapshotSpec,
    base: &ImageInspect,
    id: &str,
) -> Result<(), Failure> {
    let before = image(applier, &spec.reference).await?;
    if let Some(before) = before.as_ref().filter(|before| is_of(before, base)) {
        return match before.id.as_deref() {
            Some(there) if there == id => Ok(()),
            _ => remove(applier, id, false).await,
        };
    }
    let (repo, tag) = spec
        .reference
        .rsplit_once(':')
        .expect("a snapshot's reference has a tag");
    let options = TagImageOptions {
        repo: Some(repo.to_owned()),
        tag: Some(tag.to_owned()),
    };
    again(|| call(applier.client.tag_image(id, Some(options.clone())))).await?;
    // Not forced: whatever still runs from it keeps it.
    if let Some(before) = before
        && let Some(old) = before.id.as_deref()
        && old != id
        && label(&before, observe::SNAPSHOT).is_some()
    {
        let _ = remove(applier, old, false).await;
    }
    Ok(())
}

/// Values that no seat has: a key that is thrown away.
fn nobody() -> Result<EventKey, Failure> {
    EventKey::generate().map_err(|error| broken(error.to_string()))
}

/// Makes an image of what the service's first start leaves, and names it once it has proved itself.
/// One that has not has no name: a run that is killed leaves nothing that a seat could find.
async fn first_start(
    applier: &Applier,
    spec: &SnapshotSpec,
    base: ImageInspect,
    progress: &Progress,
) -> Result<(), Failure> {
    let key = nobody()?;
    let values = seat_values(applier.environment(), &key, SeatNumber::FIRST);
    let trial = Trial::new(applier, spec, SeatNumber::FIRST);
    let made = until_interrupted(progress, async {
        progress.report("first start", None, None);
        trial.start(&spec.base, &values).await?;
        trial
            .ready(&values, false, progress)
            .await
            .map_err(|failure| broken(failure.message))?;
        stop(applier, &trial).await?;
        progress.report("taking what it left", None, None);
        take(applier, spec, base.clone(), &trial).await
    })
    .await;
    trial.remove().await;
    let id = made?;
    let tried = match try_out(applier, spec, &id, progress).await {
        Ok(()) => name(applier, spec, &base, &id).await,
        Err(failure) => Err(failure),
    };
    if tried.is_err() {
        let _ = remove(applier, &id, false).await;
    }
    tried
}

/// Leaves off when the run is interrupted: nobody will use the snapshot then.
async fn until_interrupted<T>(
    progress: &Progress,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = progress.interrupted() => Err(broken("interrupted")),
    }
}

/// Ends the service in good order: what it leaves behind must be complete.
async fn stop(applier: &Applier, trial: &Trial<'_>) -> Result<(), Failure> {
    let options = StopContainerOptions {
        t: Some(STOP_SECONDS),
        ..Default::default()
    };
    let client = &applier.client;
    again(|| call(client.stop_container(&trial.name, Some(options.clone())))).await?;
    let inspect = || client.inspect_container(&trial.name, None::<InspectContainerOptions>);
    let state = again(|| call(inspect())).await?.state;
    match state.and_then(|state| state.exit_code) {
        Some(0) => Ok(()),
        code => Err(broken(format!(
            "it did not end in good order when it was stopped (exit code {})",
            code.unwrap_or(-1)
        ))),
    }
}

/// Makes the image: the service's own, with what the volumes hold in a layer on top. Gives its id.
async fn take(
    applier: &Applier,
    spec: &SnapshotSpec,
    base: ImageInspect,
    trial: &Trial<'_>,
) -> Result<String, Failure> {
    let here =
        |error: std::io::Error| broken(format!("can't write to the temporary directory: {error}"));
    let directory = tempfile::Builder::new()
        .prefix("seatbox-snapshot-")
        .tempdir()
        .map_err(here)?;
    let mut archives: Vec<(PathBuf, String)> = Vec::new();
    for (index, (_, target)) in spec.service.snapshot_volumes().enumerate() {
        let path = directory.path().join(format!("{index}.tar"));
        again(|| download(applier, &trial.name, target, &path)).await?;
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
    load(applier, spec, base, &layer).await
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

async fn load(
    applier: &Applier,
    spec: &SnapshotSpec,
    base: ImageInspect,
    layer: &Path,
) -> Result<String, Failure> {
    let id = base.id.unwrap_or_default();
    let below = base
        .root_fs
        .and_then(|root| root.layers)
        .unwrap_or_default();
    let mut config = base.config.unwrap_or_default();
    config.labels.get_or_insert_default().extend([
        (observe::SNAPSHOT.to_owned(), spec.reference.to_string()),
        (observe::SNAPSHOT_BASE.to_owned(), id),
    ]);
    let archive = Layered {
        name: None,
        below: &below,
        layer,
    };
    let created = jiff::Timestamp::now().to_string();
    let configuration = |digest: &str| {
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
    };
    let id = again(|| archive.load(&applier.client, CALL, &configuration)).await?;
    match image(applier, &id).await? {
        Some(_) => Ok(id),
        None => Err(broken("the engine does not take it")),
    }
}

/// Proves that a copy does: begun from the snapshot and made one's own, its check must pass, and fail
/// with the values of anybody else. A seat that was left before it was made its own is then never
/// taken for ready, whoever looks.
async fn try_out(
    applier: &Applier,
    spec: &SnapshotSpec,
    image: &str,
    progress: &Progress,
) -> Result<(), Failure> {
    // Another seat than that which it was made as.
    let seat = SeatNumber::new(SeatNumber::FIRST.get() + 1).expect("there is a second seat");
    let key = nobody()?;
    let values = seat_values(applier.environment(), &key, seat);
    let trial = Trial::new(applier, spec, seat);
    let tried = until_interrupted(progress, async {
        progress.report("trying it out", None, None);
        trial.start(image, &values).await?;
        let service = &spec.service;
        trial
            .ready(&values, true, progress)
            .await
            .map_err(|failure| broken(format!("a copy of it does not do: {}", failure.message)))?;
        let other = nobody()?;
        let other = seat_values(applier.environment(), &other, seat);
        if trial
            .succeeds(&check(service, &other), &variables(service, &other))
            .await?
        {
            return Err(broken("its check passes with any other password too"));
        }
        Ok(())
    })
    .await;
    trial.remove().await;
    tried
}
