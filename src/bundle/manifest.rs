//! What a bundle says of itself: every file and image in it, with sizes and digests.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::room;
use crate::model::EnvironmentName;

/// What tells a bundle's manifest from any other JSON.
pub const FORMAT: &str = "seatbox-bundle";
/// The version that this program reads and writes.
pub const VERSION: u32 = 1;
/// The manifest's name; it is the first entry.
pub const NAME: &str = "manifest.json";
/// The directory of the environment's own files.
pub const FILES: &str = "files";
/// The directory of what was cloned for the workspace.
pub const WORKSPACE: &str = "workspace";
/// The directory of what images are made of.
pub const BLOBS: &str = "blobs/sha256";
/// The most bytes that a manifest may have. At 200 bytes a file it is reached long after
/// [`MAX_FILES`].
pub const MAX_BYTES: u64 = 32 << 20;
/// The most files, links and directories together: ten times a large repository of exercises.
pub const MAX_FILES: usize = 100_000;
/// The most bytes of all files together: they are unpacked whenever the bundle is named, and a few
/// hundred KiB may hold a thousand GB of zeros.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// The most images.
const MAX_IMAGES: usize = 1000;
/// The longest path, as Linux has it (`PATH_MAX`).
const MAX_PATH: usize = 4096;
/// The most bytes of an image's configuration; usual ones have ten thousand.
pub const MAX_CONFIG: u64 = 8 << 20;

/// A bundle's table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The environment's name.
    pub environment: EnvironmentName,
    /// When it was saved, in RFC 3339, UTC.
    pub created: String,
    /// What saved it (`seatbox 0.1.0`).
    pub tool: String,
    /// The operating system of the engine that the images ran on (`linux`).
    pub os: String,
    /// The processor of that engine, by its name in Go (`amd64`).
    pub architecture: String,
    /// The path of the environment file in the bundle.
    pub file: String,
    /// What `--set` was given when it was saved, as `seats.count=3`.
    pub settings: Vec<String>,
    /// The first files of the workspaces, where there are any.
    pub workspace: Option<Workspace>,
    /// All files but those of images, in the bundle's order.
    pub files: Vec<FileEntry>,
    /// The workspace's directories and those of recipes, empty ones among them.
    pub directories: Vec<DirectoryEntry>,
    /// Symbolic links of the workspace.
    pub links: Vec<LinkEntry>,
    /// The images.
    pub images: Vec<ImageEntry>,
    /// What images are made of, in the bundle's order, each once.
    pub blobs: Vec<Blob>,
    /// How many bytes all files and blobs have together.
    pub bytes: u64,
}

/// Where a workspace's first files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// The directory in the bundle.
    pub directory: String,
    /// The repository that it is a clone of, where it is one.
    pub git: Option<String>,
    /// The revision of that repository, where the environment names one.
    pub revision: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its path in the bundle.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, in hexadecimal digits.
    pub sha256: String,
    /// Its permission bits.
    pub mode: u32,
    /// When it was changed, in seconds since 1970.
    pub modified: u64,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryEntry {
    /// Its path in the bundle.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkEntry {
    /// Its path in the bundle.
    pub path: String,
    /// What it leads to, as it is in the link.
    pub target: String,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// The references in the stack that mean it.
    pub wanted: Vec<String>,
    /// The reference that containers run: one of those, or that of a stand-in.
    pub reference: String,
    /// The engine's id of it: `sha256:` and the digest of its configuration.
    pub id: String,
    /// The operating system that it is for.
    pub os: String,
    /// The processor that it is for.
    pub architecture: String,
    /// The digests of its layers' archives, lowest first, in hexadecimal digits.
    pub layers: Vec<String>,
}

/// A layer or a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Its digest, in hexadecimal digits, which is its name too.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

impl ImageEntry {
    /// The digest of its configuration, in hexadecimal digits.
    pub fn config(&self) -> &str {
        self.id.strip_prefix("sha256:").unwrap_or(&self.id)
    }

    /// The blobs that it is made of.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.config()).chain(self.layers.iter().map(String::as_str))
    }
}

/// A manifest of another version is told by these two alone.
#[derive(Deserialize)]
struct Kind {
    format: Option<String>,
    version: Option<u64>,
}

impl Manifest {
    /// The manifest as it stands in a bundle.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest, and makes sure that it makes sense: that its paths stay inside, that
    /// nothing is in it twice, and that images and blobs belong together.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for a person.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let unreadable = |error: serde_json::Error| format!("its manifest can't be read: {error}");
        let kind: Kind = serde_json::from_slice(bytes).map_err(unreadable)?;
        if kind.format.as_deref() != Some(FORMAT) {
            return Err("its manifest is not a Seatbox bundle's".to_owned());
        }
        if kind.version != Some(u64::from(VERSION)) {
            let version = kind.version.unwrap_or(0);
            return Err(format!(
                "it is a bundle of version {version}, and this program reads version {VERSION}"
            ));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let count = self.files.len() + self.directories.len() + self.links.len();
        if count > MAX_FILES || self.images.len() > MAX_IMAGES {
            return Err(format!(
                "it names {count} files and {} images; {MAX_FILES} and {MAX_IMAGES} are the most",
                self.images.len()
            ));
        }
        self.check_paths()?;
        self.check_images()?;
        let bytes = self.file_bytes();
        if bytes > MAX_FILE_BYTES {
            return Err(format!(
                "its files have {}; {} is the most",
                room::bytes(bytes),
                room::bytes(MAX_FILE_BYTES)
            ));
        }
        let sizes = self.files.iter().map(|file| file.size);
        let mut sizes = sizes.chain(self.blobs.iter().map(|blob| blob.size));
        if sizes.try_fold(0_u64, u64::checked_add) != Some(self.bytes) {
            return Err("the sizes that it names do not add up".to_owned());
        }
        Ok(())
    }

    fn check_paths(&self) -> Result<(), String> {
        let files = self.files.iter().map(|file| &file.path);
        let links = self.links.iter().map(|link| &link.path);
        let mut leaves = HashSet::new();
        for path in files.clone().chain(links) {
            if !is_inside(path) {
                return Err(format!("it has a file at `{}`", path.escape_debug()));
            }
            if !leaves.insert(path.as_str()) {
                return Err(format!("it has `{path}` twice"));
            }
        }
        let mut directories = HashSet::new();
        for DirectoryEntry { path, mode } in &self.directories {
            let known = !directories.insert(path) || leaves.contains(path.as_str());
            if known || !is_inside(path) || *mode > 0o777 {
                return Err(format!("its directory `{}` can't be", path.escape_debug()));
            }
        }
        // Nothing may lie below a file or a link: what is written there would go elsewhere.
        for path in leaves
            .iter()
            .copied()
            .chain(directories.iter().map(|path| path.as_str()))
        {
            let above = Path::new(path).ancestors().skip(1);
            if let Some(above) = above
                .filter_map(Path::to_str)
                .find(|above| leaves.contains(above))
            {
                return Err(format!(
                    "`{path}` lies below `{above}`, which is no directory"
                ));
            }
        }
        let workspace = self
            .workspace
            .as_ref()
            .map(|files| files.directory.as_str());
        if workspace.is_some_and(|directory| directories.iter().all(|known| *known != directory)) {
            return Err("its workspace's directory is not in it".to_owned());
        }
        let within = |path: &str| workspace.is_some_and(|root| Path::new(path).starts_with(root));
        if let Some(link) = self.links.iter().find(|link| !within(&link.path)) {
            return Err(format!("`{}` is a link", link.path));
        }
        if !files.clone().any(|path| *path == self.file) || !self.file.starts_with("files/") {
            return Err("its environment file is not in it".to_owned());
        }
        if let Some(file) = self
            .files
            .iter()
            .find(|file| file.mode > 0o777 || !is_digest(&file.sha256))
        {
            return Err(format!("what it says of `{}` can't be", file.path));
        }
        Ok(())
    }

    fn check_images(&self) -> Result<(), String> {
        let mut blobs = BTreeSet::new();
        for blob in &self.blobs {
            if !is_digest(&blob.sha256) || !blobs.insert(blob.sha256.as_str()) {
                return Err(format!(
                    "its blob `{}` can't be",
                    blob.sha256.escape_debug()
                ));
            }
        }
        let mut used = BTreeSet::new();
        let mut names = HashSet::new();
        let mut references = HashSet::new();
        for image in &self.images {
            if !references.insert(&image.reference) {
                return Err(format!("it has two images called `{}`", image.reference));
            }
            for name in image.wanted.iter().chain([&image.reference]) {
                let plain = |c: char| c.is_ascii_graphic();
                if name.is_empty() || name.len() > MAX_PATH || !name.chars().all(plain) {
                    return Err(format!("it has an image called `{}`", name.escape_debug()));
                }
            }
            for wanted in &image.wanted {
                if !names.insert(wanted) {
                    return Err(format!("it has two images for `{wanted}`"));
                }
            }
            if image.wanted.is_empty()
                || !image.id.starts_with("sha256:")
                || image.layers.is_empty()
            {
                return Err(format!(
                    "what it says of image `{}` can't be",
                    image.reference
                ));
            }
            for blob in image.blobs() {
                if !blobs.contains(blob) {
                    let reference = &image.reference;
                    return Err(format!("a part of image `{reference}` is not in it"));
                }
                used.insert(blob);
            }
        }
        match blobs.difference(&used).next() {
            Some(blob) => Err(format!("its blob `{blob}` belongs to no image")),
            None => Ok(()),
        }
    }

    /// How many bytes all files have together.
    pub fn file_bytes(&self) -> u64 {
        let sizes = self.files.iter().map(|file| file.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// The sizes of blobs by their digests.
    pub fn blob_sizes(&self) -> HashMap<&str, u64> {
        let blobs = self.blobs.iter();
        blobs
            .map(|blob| (blob.sha256.as_str(), blob.size))
            .collect()
    }
}

/// `sha256:` and the digest of those bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", crate::hex(&Sha256::digest(bytes)))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a path is one of a bundle's files: below one of the two directories for them, and only
/// downwards.
fn is_inside(path: &str) -> bool {
    let parts = Path::new(path).components();
    let downwards = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_)));
    // Spelled in the one way in which its parts make it up again: no `//`, no `/` at its end.
    let spelled = parts.clone().collect::<std::path::PathBuf>().as_os_str() == path;
    let mut parts = parts.filter_map(|part| part.as_os_str().to_str());
    let top = parts.next();
    downwards
        && spelled
        && !path.contains('\0')
        && path.len() <= MAX_PATH
        && (top == Some(WORKSPACE) || top == Some(FILES))
        && parts.all(|part| part.len() <= 255)
}
