//! Taking images apart as an engine exports them, into blobs by their digests.
//!
//! Engines before 25 write `<id>.json` and `<id>/layer.tar`, with links where images share a layer;
//! later ones write an OCI layout. Both have a `manifest.json` that says which file is what, and
//! that alone is gone by.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bollard::Docker as Client;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::bridge::{StreamReader, forward};
use super::collect::Hashing;
use super::error::{Error, Result};
use super::manifest::{BLOBS, Blob, MAX_CONFIG};
use super::steps::Step;
use crate::engine::{Failure, FailureClass};
use crate::provider::docker::errors::failure;

const CALL: &str = "export images";
/// The most bytes of the table of an export.
const MAX_TABLE: u64 = 16 << 20;

/// An image, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The operating system that it is for.
    pub os: String,
    /// The processor that it is for.
    pub architecture: String,
    /// The digests of its layers, lowest first.
    pub layers: Vec<String>,
}

/// All images, by the digests of their configurations, and the blobs that they are made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// The images.
    pub images: BTreeMap<String, Exported>,
    /// The blobs: configurations first, then layers.
    pub blobs: Vec<Blob>,
}

/// An image in an export's table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

/// What is needed of an image's configuration.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) os: String,
    #[serde(default)]
    pub(super) architecture: String,
    pub(super) rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
pub(super) struct RootFs {
    pub(super) diff_ids: Vec<String>,
}

/// Exports the images with those ids, in one call, so that layers which they share come once. Their
/// blobs go to below `root`.
pub async fn export(
    client: &Client,
    ids: Vec<String>,
    root: &Path,
    mut step: Step,
    cancel: &tokio_util::sync::CancellationToken,
) -> Result<(Export, Step)> {
    let (sender, reader) = StreamReader::new();
    let (client, cancelled) = (client.clone(), cancel);
    let cancel = cancel.clone();
    // What is sent on must own what it comes from.
    let engine = tokio::spawn(async move {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let parts = client.export_images(&ids);
        let parts = std::pin::pin!(parts);
        use futures_util::StreamExt as _;
        let parts = parts.map(|part| part.map_err(|error| io::Error::other(failure(CALL, &error))));
        forward(parts, sender, cancel).await;
    });
    let root = root.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let result = take_apart(reader, &root, &mut |bytes| step.advance(bytes));
        (result, step)
    });
    let (result, step) = work.await.expect("taking images apart does not panic");
    engine.abort();
    if cancelled.is_cancelled() {
        return Err(Error::Interrupted);
    }
    Ok((result?, step))
}

fn broken(message: impl Into<String>) -> Error {
    Error::Call(Failure::new(FailureClass::Broken, CALL, message))
}

/// What the engine said is the reason, where it was the engine that ended the stream.
fn because(error: io::Error) -> Error {
    let said = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Failure>());
    match said {
        Some(failure) => Error::Call(failure.clone()),
        None => Error::Io("the engine's export of its images".to_owned(), error),
    }
}

/// Takes an export apart into blobs below `root`.
pub fn take_apart(
    from: impl Read,
    root: &Path,
    advance: &mut dyn FnMut(u64) -> Result,
) -> Result<Export> {
    let store = root.join(BLOBS);
    std::fs::create_dir_all(&store).map_err(Error::io(store.display()))?;
    let mut found = Found::default();
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries().map_err(because)? {
        let entry = entry.map_err(because)?;
        let path = tidy(&entry.path().map_err(because)?);
        let kind = entry.header().entry_type();
        match kind {
            tar::EntryType::Regular if path == Path::new("manifest.json") => {
                entry
                    .take(MAX_TABLE)
                    .read_to_end(&mut found.table)
                    .map_err(because)?;
            }
            tar::EntryType::Regular => {
                let blob = keep(entry, &store, advance)?;
                found.sizes.insert(blob.sha256.clone(), blob.size);
                found.files.insert(path, blob.sha256);
            }
            tar::EntryType::Symlink | tar::EntryType::Link => {
                let to = entry.link_name().map_err(because)?.unwrap_or_default();
                // A symbolic link starts from where it is, another one from the top.
                let from = match kind {
                    tar::EntryType::Symlink => path.parent().unwrap_or(Path::new("")),
                    _ => Path::new(""),
                };
                found.links.insert(path.clone(), tidy(&from.join(to)));
            }
            _ => {}
        }
    }
    let export = found.images(&store)?;
    // Engines add files of their own, which nobody asks for.
    for sha256 in found.sizes.keys() {
        if !export.blobs.iter().any(|blob| blob.sha256 == *sha256) {
            let path = store.join(sha256);
            std::fs::remove_file(&path).map_err(Error::io(path.display()))?;
        }
    }
    Ok(export)
}

#[derive(Default)]
struct Found {
    table: Vec<u8>,
    /// The digest of each file.
    files: HashMap<PathBuf, String>,
    links: HashMap<PathBuf, PathBuf>,
    sizes: HashMap<String, u64>,
}

impl Found {
    fn images(&self, store: &Path) -> Result<Export> {
        let table: Vec<Listed> = serde_json::from_slice(&self.table)
            .map_err(|error| broken(format!("its manifest.json can't be read: {error}")))?;
        let mut export = Export::default();
        for listed in table {
            let config = self.file(&listed.config)?;
            let read = read_config(&store.join(config))?;
            let found = listed.layers.iter().map(|layer| self.file(layer));
            let found: Vec<String> = found
                .collect::<Result<Vec<&str>>>()?
                .into_iter()
                .map(str::to_owned)
                .collect();
            let named = read.rootfs.diff_ids.iter();
            let named: Vec<&str> = named
                .map(|id| id.strip_prefix("sha256:").unwrap_or(id))
                .collect();
            if found != named {
                let problem = Failure::new(
                    FailureClass::Broken,
                    CALL,
                    "the engine's layers are not those that the image's configuration names",
                );
                let hint = "engines that keep images in containerd's store, compressed, are not \
                            supported here";
                return Err(Error::Call(problem.with_hint(hint)));
            }
            let image = Exported {
                os: read.os,
                architecture: read.architecture,
                layers: found,
            };
            export.images.insert(config.to_owned(), image);
        }
        let configs: Vec<String> = export.images.keys().cloned().collect();
        // By the images' ids: engines export them in any order.
        let layers = export
            .images
            .values()
            .flat_map(|image| image.layers.clone());
        let layers: Vec<String> = layers.collect();
        for sha256 in configs.into_iter().chain(layers) {
            let size = self.sizes.get(&sha256).copied().unwrap_or(0);
            if !export.blobs.iter().any(|blob| blob.sha256 == sha256) {
                export.blobs.push(Blob { sha256, size });
            }
        }
        Ok(export)
    }

    /// The digest of a file that the table names, be it by links.
    fn file(&self, name: &str) -> Result<&str> {
        let mut path = tidy(Path::new(name));
        // Links lead to layers that came before, so a ring is nothing that an engine writes.
        for _ in 0..8 {
            if let Some(digest) = self.files.get(&path) {
                return Ok(digest);
            }
            match self.links.get(&path) {
                Some(next) => path.clone_from(next),
                None => break,
            }
        }
        Err(broken(format!(
            "`{name}` is missing in what the engine exported"
        )))
    }
}

fn read_config(path: &Path) -> Result<Config> {
    let file = File::open(path).map_err(Error::io(path.display()))?;
    serde_json::from_reader(io::BufReader::new(file.take(MAX_CONFIG)))
        .map_err(|error| broken(format!("an image's configuration can't be read: {error}")))
}

/// Keeps a file under its digest.
fn keep(
    mut content: impl Read,
    store: &Path,
    advance: &mut dyn FnMut(u64) -> Result,
) -> Result<Blob> {
    let incoming = store.join("incoming");
    let disk = || Error::io(incoming.display());
    let mut file = Hashing {
        into: File::create(&incoming).map_err(disk())?,
        hash: Sha256::new(),
    };
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let count = content.read(&mut buffer).map_err(because)?;
        if count == 0 {
            break;
        }
        io::Write::write_all(&mut file, &buffer[..count]).map_err(disk())?;
        size += count as u64;
        advance(count as u64)?;
    }
    let sha256 = crate::hex(&file.hash.finalize());
    std::fs::rename(&incoming, store.join(&sha256)).map_err(disk())?;
    Ok(Blob { sha256, size })
}

/// A path inside an archive, in the one way to write it.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => tidied.push(part),
            Component::ParentDir => {
                tidied.pop();
            }
            _ => {}
        }
    }
    tidied
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
