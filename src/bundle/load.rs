//! Bringing a bundle's images to an engine, as far as it lacks them.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use bollard::models::{ImageSummary, SystemInfo};
use bollard::query_parameters::{ImportImageOptions, ListImagesOptions, TagImageOptions};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bridge::StreamWriter;
use super::error::{Error, Result};
use super::export::Config;
use super::manifest::{ImageEntry, MAX_CONFIG};
use super::read::{Bundle, Item, Part};
use super::room;
use super::save::PATIENCE;
use super::steps::{Step, Steps};
use crate::engine::{Events, Failure, FailureClass, Phase};
use crate::image::bundled;
use crate::image::reference::{familiar, repository_and_tag};
use crate::provider::docker::connect::Engine;
use crate::provider::docker::errors::failure;

/// What came of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The engine has it from the bundle.
    Loaded,
    /// The engine had it, and has it now under the name that is needed.
    Named,
    /// The engine had it under that name.
    Present,
}

/// An image of a bundle, on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedImage {
    /// The references in the stack that mean it.
    pub wanted: Vec<String>,
    /// Its reference on the engine.
    pub reference: String,
    /// The engine's id of it.
    pub id: String,
    /// What was done.
    pub outcome: Outcome,
    /// The reference that it was saved under, where another image has that here.
    pub instead_of: Option<String>,
}

/// What came of a bundle.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Its images.
    pub images: Vec<LoadedImage>,
    /// How many bytes the engine was sent.
    pub bytes: u64,
}

/// Checks all of `bundle`, and gives `engine` those of its images that are missing there. Whatever
/// is wrong with it is found before the engine gets anything.
///
/// # Errors
///
/// [`Error::Refused`] where the bundle is damaged, is for another processor, or does not fit.
pub async fn load(
    bundle: Arc<Bundle>,
    engine: &Engine,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Brought> {
    suits(&bundle, engine)?;
    let info = engine.docker.info().await;
    let info = info.map_err(|error| failure("ask the engine about itself", &error))?;
    room::check_store(&info)?;
    let images = decide(&bundle, engine).await?;
    let mut sent: HashSet<&str> = HashSet::new();
    for (entry, image) in bundle.manifest.images.iter().zip(&images) {
        if image.outcome == Outcome::Loaded {
            sent.extend(entry.blobs());
        }
    }
    let sizes = bundle.manifest.blob_sizes();
    let bytes: u64 = sent.iter().filter_map(|blob| sizes.get(blob)).sum();
    check_room(engine, &info, bytes)?;
    let to_load = bytes > 0;
    let mut steps = Steps::begin(
        events,
        cancel,
        Phase::Load,
        &bundle.name(),
        1 + usize::from(to_load),
    );
    let step = steps.step("check", "every digest in it", bundle.manifest.bytes);
    let checked = Arc::clone(&bundle);
    let work = tokio::task::spawn_blocking(move || check(&checked, step));
    work.await.expect("checking a bundle does not panic")?;
    for image in &images {
        if let Some(other) = &image.instead_of {
            steps.notice(format!(
                "{other} is another image on this engine, and stays; the bundle's is {}",
                image.reference
            ));
        }
    }
    if to_load {
        let step = steps.step("load", "missing on the engine", bytes);
        send(&bundle, &images, engine, step, cancel).await?;
    }
    name(&images, engine).await?;
    steps.finish();
    Ok(Brought { images, bytes })
}

/// Refuses a bundle of another platform.
fn suits(bundle: &Bundle, engine: &Engine) -> Result {
    let manifest = &bundle.manifest;
    if manifest.architecture == engine.arch && manifest.os == engine.os {
        return Ok(());
    }
    Err(Error::refused(
        format!(
            "{} is for {}/{}, and the engine is {}/{}",
            bundle.path().display(),
            manifest.os,
            manifest.architecture,
            engine.os,
            engine.arch
        ),
        "save one with an engine of that kind",
    ))
}

/// What is to be done for each image, and the name that it will have.
async fn decide(bundle: &Bundle, engine: &Engine) -> Result<Vec<LoadedImage>> {
    let listed = engine
        .docker
        .list_images(None::<ListImagesOptions>)
        .await
        .map_err(|error| failure("list images", &error))?;
    let names = |image: &ImageSummary| {
        let names = image.repo_tags.iter().chain(&image.repo_digests);
        let id = image.id.clone();
        names
            .map(move |name| (familiar(name), id.clone()))
            .collect::<Vec<_>>()
    };
    let present: HashMap<String, String> = listed.iter().flat_map(names).collect();
    let ids: HashSet<&str> = listed.iter().map(|image| image.id.as_str()).collect();
    let images = bundle.manifest.images.iter();
    Ok(images
        .map(|image| decide_one(image, &present, &ids))
        .collect())
}

fn decide_one(
    image: &ImageEntry,
    present: &HashMap<String, String>,
    ids: &HashSet<&str>,
) -> LoadedImage {
    let (reference, here) = bundled::name(&image.reference, &image.id, present);
    let taken = reference != image.reference && present.contains_key(&familiar(&image.reference));
    LoadedImage {
        wanted: image.wanted.clone(),
        id: image.id.clone(),
        outcome: match here {
            true => Outcome::Present,
            false if ids.contains(image.id.as_str()) => Outcome::Named,
            false => Outcome::Loaded,
        },
        instead_of: taken.then(|| image.reference.clone()),
        reference,
    }
}

/// Refuses what does not fit on the engine's disk, where that can be seen from here.
fn check_room(engine: &Engine, info: &SystemInfo, bytes: u64) -> Result {
    match &info.docker_root_dir {
        // The engine keeps what it is sent on its disk, and unpacks it from there.
        Some(directory) if bytes > 0 && engine.is_local => room::check(
            Path::new(directory),
            bytes.saturating_mul(2),
            "loading the bundle's images",
        ),
        _ => Ok(()),
    }
}

/// Goes through all of it.
fn check(bundle: &Bundle, mut step: Step) -> Result {
    let manifest = &bundle.manifest;
    let checked = bundle.walk(
        Part::Whole,
        &mut |bytes| step.advance(bytes),
        &mut |item, content| {
            let Item::Blob(blob) = item else {
                return Ok(());
            };
            let Some(image) = manifest
                .images
                .iter()
                .find(|image| image.config() == blob.sha256)
            else {
                return Ok(());
            };
            let mut bytes = Vec::new();
            content
                .take(MAX_CONFIG)
                .read_to_end(&mut bytes)
                .map_err(Error::io(bundle.path().display()))?;
            describes(&bytes, image).map_err(|problem| {
                Error::refused(
                    format!(
                        "{}: image {}: {problem}",
                        bundle.path().display(),
                        image.reference
                    ),
                    "save it anew with `seatbox images save`",
                )
            })
        },
    );
    step.end(checked)
}

/// Whether an image's configuration is what the manifest says of the image.
fn describes(config: &[u8], image: &ImageEntry) -> std::result::Result<(), String> {
    let config: Config = serde_json::from_slice(config)
        .map_err(|error| format!("its configuration can't be read: {error}"))?;
    let layers = config.rootfs.diff_ids.iter();
    let same = layers
        .map(|id| id.strip_prefix("sha256:").unwrap_or(id))
        .eq(image.layers.iter().map(String::as_str));
    if same && config.os == image.os && config.architecture == image.architecture {
        Ok(())
    } else {
        Err("its configuration is for other layers or another platform".to_owned())
    }
}

/// Streams the missing images to the engine, in the form that `docker save` wrote before version 25
/// and every engine reads. What is sent is checked again on its way, and a stream that breaks off
/// is nothing to the engine.
async fn send(
    bundle: &Arc<Bundle>,
    images: &[LoadedImage],
    engine: &Engine,
    step: Step,
    cancel: &CancellationToken,
) -> Result {
    let (writer, parts) = StreamWriter::new();
    let entries = bundle.manifest.images.iter().zip(images);
    let entries = entries.filter(|(_, image)| image.outcome == Outcome::Loaded);
    let mut wanted: HashSet<String> = HashSet::new();
    let mut tags: HashMap<&str, (Vec<&str>, &ImageEntry)> = HashMap::new();
    for (entry, image) in entries {
        wanted.extend(entry.blobs().map(str::to_owned));
        let tagged = tags.entry(&entry.id).or_insert((Vec::new(), entry));
        tagged.0.push(&image.reference);
    }
    let table: Vec<_> = tags
        .values()
        .map(|(tags, entry)| {
            json!({
                "Config": format!("{}.json", entry.config()),
                "RepoTags": tags,
                "Layers": entry.layers.iter().map(|layer| format!("{layer}.tar")).collect::<Vec<_>>(),
            })
        })
        .collect();
    let table = json!(table).to_string().into_bytes();
    let configs: HashSet<String> = tags
        .values()
        .map(|(_, entry)| entry.config().to_owned())
        .collect();
    let source = Arc::clone(bundle);
    let reading = tokio::task::spawn_blocking(move || {
        let mut step = step;
        let written = archive(&source, &table, &wanted, &configs, writer, &mut step);
        (written, step)
    });
    let client = engine.docker.clone().with_timeout(PATIENCE);
    let loading = async {
        let mut said = client.import_image_stream(ImportImageOptions::default(), parts, None);
        while let Some(part) = said.next().await {
            part.map_err(|error| failure("load images", &error))?;
        }
        Ok::<(), Failure>(())
    };
    let loaded = tokio::select! {
        loaded = loading => loaded,
        () = cancel.cancelled() => Ok(()),
    };
    let (written, step) = reading.await.expect("reading a bundle does not panic");
    let result = match (written, loaded) {
        (Err(error @ Error::Refused { .. }), _) => Err(error),
        _ if cancel.is_cancelled() => Err(Error::Interrupted),
        // The pipe to an engine that says no breaks, too.
        (_, Err(failure)) => Err(Error::Call(failure)),
        (written, Ok(())) => written,
    };
    step.end(result)
}

fn archive(
    bundle: &Bundle,
    table: &[u8],
    wanted: &HashSet<String>,
    configs: &HashSet<String>,
    writer: StreamWriter,
    step: &mut Step,
) -> Result {
    let failed = || Error::io("sending images to the engine");
    let mut archive = tar::Builder::new(writer);
    let header = |size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header
    };
    let mut first = header(table.len() as u64);
    archive
        .append_data(&mut first, "manifest.json", table)
        .map_err(failed())?;
    let step = std::cell::RefCell::new(step);
    bundle.walk(
        Part::Whole,
        &mut |_| step.borrow_mut().advance(0),
        &mut |item, content| {
            let Item::Blob(blob) = item else {
                return Ok(());
            };
            if !wanted.contains(&blob.sha256) {
                return Ok(());
            }
            let kind = if configs.contains(&blob.sha256) {
                "json"
            } else {
                "tar"
            };
            let name = format!("{}.{kind}", blob.sha256);
            archive
                .append_data(&mut header(blob.size), name, content)
                .map_err(failed())?;
            step.borrow_mut().advance(blob.size)
        },
    )?;
    // Only a bundle that was good to its end has an end.
    let mut writer = archive.into_inner().map_err(failed())?;
    writer
        .flush()
        .and_then(|()| writer.finish())
        .map_err(failed())
}

/// Gives images that the engine has the names that they need, and makes sure that each image is
/// there under its name.
async fn name(images: &[LoadedImage], engine: &Engine) -> Result {
    for image in images {
        if image.outcome == Outcome::Named {
            let name = familiar(&image.reference);
            let (repository, tag) = repository_and_tag(&name);
            let options = TagImageOptions {
                repo: Some(repository.to_owned()),
                tag: Some(tag.to_owned()),
            };
            engine
                .docker
                .tag_image(&image.id, Some(options))
                .await
                .map_err(|error| failure("tag image", &error))?;
        }
        let there = engine.docker.inspect_image(&image.reference).await;
        let there = there.map_err(|error| failure("inspect image", &error))?;
        if there.id.as_deref() != Some(&image.id) {
            let message = format!(
                "the engine has {} as {}, and the bundle has {}",
                image.reference,
                there.id.unwrap_or_default(),
                image.id
            );
            let hint = "engines that keep images in containerd's store are not supported here";
            let failure = Failure::new(FailureClass::Broken, "load images", message);
            return Err(Error::Call(failure.with_hint(hint)));
        }
    }
    Ok(())
}
