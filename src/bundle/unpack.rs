//! The files of a bundle in a directory, for as long as they are needed.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::error::{Error, Result};
use super::manifest::{FileEntry, Manifest};
use super::read::{Bundle, Item, Part};
use super::room;
use crate::model::environment::WorkspaceFiles;
use crate::model::{BundledImage, Environment};

/// What a file takes more than its bytes, on most file systems, at most.
const BLOCK: u64 = 4096;

/// A bundle's files, in a directory that goes when this is dropped.
#[derive(Debug)]
pub struct Unpacked {
    directory: TempDir,
    /// The bundle, which stays open: nobody opens it again.
    pub bundle: Arc<Bundle>,
}

impl Unpacked {
    /// Unpacks the files of `bundle` to a temporary directory that nobody else can read. Images
    /// are not read.
    ///
    /// # Errors
    ///
    /// As [`Bundle::walk`]; [`Error::Refused`] where there is no room for them; and where the
    /// directory can't be written to; [`Error::Interrupted`] once `cancel` is cancelled, and
    /// nothing is left then.
    pub fn from(bundle: Arc<Bundle>, cancel: &CancellationToken) -> Result<Self> {
        let manifest = &bundle.manifest;
        let names = manifest.files.len() + manifest.directories.len() + manifest.links.len();
        let needed = manifest
            .file_bytes()
            .saturating_add(BLOCK.saturating_mul(names as u64));
        room::check(
            &std::env::temp_dir(),
            needed,
            "unpacking the bundle's files",
        )?;
        let directory = tempfile::Builder::new()
            .prefix("seatbox-bundle-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(Error::io("the temporary directory"))?;
        unpack(&bundle, directory.path(), cancel)?;
        Ok(Self { directory, bundle })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.bundle.manifest
    }

    /// The environment file.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join(&self.manifest().file)
    }

    /// Lets an environment that was loaded from here take from the bundle what it has: its images,
    /// and the clone of the workspace's repository.
    pub fn supply(&self, environment: &mut Environment) {
        environment.images.bundled = self
            .manifest()
            .images
            .iter()
            .flat_map(|image| {
                image.wanted.iter().map(|wanted| BundledImage {
                    wanted: wanted.clone(),
                    reference: image.reference.clone(),
                    id: image.id.clone(),
                })
            })
            .collect();
        if let (Some(WorkspaceFiles::Git { url, revision }), Some(clone)) =
            (&environment.workspace.files, &self.manifest().workspace)
            && clone.git.as_ref() == Some(url)
            && clone.revision == *revision
        {
            let directory = self.directory.path().join(&clone.directory);
            environment.workspace.files = Some(WorkspaceFiles::Directory(directory));
        }
    }
}

fn unpack(bundle: &Bundle, root: &Path, cancel: &CancellationToken) -> Result {
    let manifest = &bundle.manifest;
    let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
    for directory in &manifest.directories {
        make(&root.join(&directory.path)).map_err(Error::io(&directory.path))?;
    }
    let mut advance = |_| match cancel.is_cancelled() {
        true => Err(Error::Interrupted),
        false => Ok(()),
    };
    bundle.walk(Part::Files, &mut advance, &mut |item, content| {
        let Item::File(file) = item else {
            return Ok(());
        };
        let path = root.join(&file.path);
        let made = path.parent().map_or(Ok(()), make);
        made.and_then(|()| put(file, &path, content))
            .map_err(Error::io(&file.path))
    })?;
    // Last, and only where nothing is yet: nothing is ever written through one.
    for link in &manifest.links {
        symlink(&link.target, root.join(&link.path)).map_err(Error::io(&link.path))?;
    }
    for directory in &manifest.directories {
        // We must be able to read it now, and to delete it in the end.
        let permissions = Permissions::from_mode(directory.mode | 0o700);
        let set = std::fs::set_permissions(root.join(&directory.path), permissions);
        set.map_err(Error::io(&directory.path))?;
    }
    Ok(())
}

fn put(entry: &FileEntry, path: &Path, content: &mut dyn Read) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    io::copy(content, &mut file)?;
    let modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(entry.modified));
    if let Some(modified) = modified {
        file.set_modified(modified)?;
    }
    file.set_permissions(Permissions::from_mode(entry.mode))
}
