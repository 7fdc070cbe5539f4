//! Saving an environment as a bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use super::collect::{Collected, collect};
use super::error::{Error, Result};
use super::export::{Export, export};
use super::manifest::{self, FORMAT, ImageEntry, Manifest, VERSION};
use super::scratch::{self, Scratch};
use super::steps::Steps;
use super::{room, sizes, write};
use crate::engine::{Events, Phase};
use crate::environment::Overrides;
use crate::image::{Choice, Origin};
use crate::model::Environment;
use crate::provider::docker::connect::Engine;
use crate::provider::docker::errors::failure;

/// How long an engine may be silent before an export begins, or a load ends: it first gathers all
/// of it on its own disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(3600);

/// What is to be saved.
pub struct Request<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The file that it was read from.
    pub file: &'a Path,
    /// What was laid over that file.
    pub overrides: &'a Overrides,
    /// Its images, each of which the engine must have.
    pub choices: &'a [Choice],
    /// The engine.
    pub engine: &'a Engine,
    /// Where the bundle goes.
    pub to: &'a Path,
    /// Whether a file that is there is replaced.
    pub force: bool,
}

/// A bundle that was saved.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// The file's size in bytes.
    pub size: u64,
    /// The digest of its manifest.
    pub digest: String,
    /// What is in it.
    pub manifest: Manifest,
}

/// Writes a bundle. Until it is complete it has another name; nothing of that is left when it
/// fails or is interrupted.
///
/// # Errors
///
/// [`Error::Refused`] where something is missing or in the way, before anything is written.
pub async fn save(
    request: &Request<'_>,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Saved> {
    let taken = || {
        Error::refused(
            format!("{} exists already", request.to.display()),
            "name another file with --to, or say --force",
        )
    };
    if !request.force && request.to.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let images = images(request.choices)?;
    let directory = match request.to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let info = request.engine.docker.info().await;
    room::check_store(&info.map_err(|error| failure("ask the engine about itself", &error))?)?;
    for notice in scratch::clear(directory) {
        events.notice(notice);
    }
    let sizes = sizes::together(&request.engine.docker, images.keys()).await?;
    // All of it once as it is, and compressed to a third or so.
    room::check(directory, sizes + sizes / 2, "saving the bundle")?;
    let root = Scratch::new(directory)?;
    let collected = collect(
        request.environment,
        request.file,
        request.overrides,
        root.path(),
        request.to,
        cancel,
    )
    .await?;
    let name = request
        .to
        .file_name()
        .unwrap_or_default()
        .display()
        .to_string();
    let mut steps = Steps::begin(events, cancel, Phase::Save, &name, 2);
    for notice in &collected.notices {
        steps.notice(notice);
    }
    let step = steps.step("export", "its images, from the engine", sizes);
    let client = request.engine.docker.clone().with_timeout(PATIENCE);
    let ids: Vec<String> = images.keys().cloned().collect();
    let (exported, step) = export(&client, ids, root.path(), step, cancel).await?;
    step.finish();
    let manifest = manifest(request, collected, exported, images)?;
    let mut step = steps.step("compress", "files and images", manifest.bytes);
    let temporary = NamedTempFile::new_in(root.path()).map_err(Error::io(directory.display()))?;
    let (to, force) = (request.to.to_owned(), request.force);
    let work = tokio::task::spawn_blocking(move || {
        let size = compress(
            &manifest,
            root.path(),
            temporary,
            &to,
            force,
            &mut |bytes| step.advance(bytes),
        );
        let size = step.end(size);
        size.map(|size| Saved {
            path: to,
            size,
            digest: manifest::digest(&manifest.to_bytes()),
            manifest,
        })
    });
    let saved = work.await.expect("writing a bundle does not panic")?;
    steps.finish();
    Ok(saved)
}

/// The images by their ids, each with the references in the stack and the one that containers use.
fn images(choices: &[Choice]) -> Result<BTreeMap<String, Vec<&Choice>>> {
    let mut images: BTreeMap<String, Vec<&Choice>> = BTreeMap::new();
    let mut missing = Vec::new();
    for choice in choices {
        match &choice.origin {
            Origin::Present { id } => images.entry(id.clone()).or_default().push(choice),
            _ => missing.push(choice.wanted.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(images);
    }
    Err(Error::refused(
        format!("the engine does not have {}", missing.join(", ")),
        "get them first, with `seatbox images --fetch`",
    ))
}

fn manifest(
    request: &Request<'_>,
    collected: Collected,
    exported: Export,
    images: BTreeMap<String, Vec<&Choice>>,
) -> Result<Manifest> {
    let mut entries = Vec::new();
    for (id, choices) in images {
        let config = id.strip_prefix("sha256:").unwrap_or(&id);
        let Some(image) = exported.images.get(config) else {
            return Err(Error::refused(
                format!("the engine calls an image {id}, which is not its configuration's digest"),
                "engines that keep images in containerd's store are not supported here",
            ));
        };
        // One image may stand in for two that the stack names; two names of one image are two.
        let mut references: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for choice in choices {
            let wanted = references.entry(&choice.reference).or_default();
            wanted.push(choice.wanted.clone());
        }
        for (reference, wanted) in references {
            entries.push(ImageEntry {
                wanted,
                reference: reference.to_owned(),
                id: id.clone(),
                os: image.os.clone(),
                architecture: image.architecture.clone(),
                layers: image.layers.clone(),
            });
        }
    }
    let mut settings = request.overrides.set.clone();
    if let Some(provider) = request.overrides.provider {
        settings.push(format!("provider={provider}"));
    }
    let sizes = collected.files.iter().map(|file| file.size);
    let bytes = sizes
        .chain(exported.blobs.iter().map(|blob| blob.size))
        .sum();
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        environment: request.environment.name.clone(),
        created: Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap_or_default()
            .to_string(),
        tool: format!("seatbox {}", env!("CARGO_PKG_VERSION")),
        os: request.engine.os.clone(),
        architecture: request.engine.arch.clone(),
        file: collected.file,
        settings,
        workspace: collected.workspace,
        files: collected.files,
        directories: collected.directories,
        links: collected.links,
        images: entries,
        blobs: exported.blobs,
        bytes,
    };
    // Whatever could not be read again is not written.
    match Manifest::parse(&manifest.to_bytes()) {
        Ok(_) => Ok(manifest),
        Err(problem) => Err(Error::refused(
            format!("a bundle can't hold this environment: {problem}"),
            "shorten or rename what it names",
        )),
    }
}

fn compress(
    manifest: &Manifest,
    root: &Path,
    temporary: NamedTempFile,
    to: &Path,
    force: bool,
    advance: &mut dyn FnMut(u64) -> Result,
) -> Result<u64> {
    let failed = || Error::io(to.display());
    let into = std::io::BufWriter::with_capacity(1 << 20, temporary);
    let written = write::write(manifest, root, into, advance)?;
    let temporary = written
        .into_inner()
        .map_err(|error| Error::io(to.display())(error.into_error()))?;
    temporary.as_file().sync_all().map_err(failed())?;
    let size = temporary.as_file().metadata().map_err(failed())?.len();
    let put = match force {
        true => temporary.persist(to),
        false => temporary.persist_noclobber(to),
    };
    put.map_err(|error| Error::io(to.display())(error.error))?;
    // The name is on the disk only with its directory.
    if let Some(directory) = to.parent().and_then(|parent| {
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        std::fs::File::open(parent).ok()
    }) {
        let _ = directory.sync_all();
    }
    Ok(size)
}
