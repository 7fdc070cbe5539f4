//! What `images save` and `images load` print with `--output json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::shared::Version;
use crate::bundle;

/// A bundle that was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SaveReport {
    /// The version of this document.
    pub version: Version,
    /// Where the bundle is.
    pub file: String,
    /// The file's size in bytes.
    pub size: u64,
    /// What is in it.
    pub bundle: BundleContents,
}

/// What came of a bundle's images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoadReport {
    /// The version of this document.
    pub version: Version,
    /// Where the bundle is.
    pub file: String,
    /// What is in it.
    pub bundle: BundleContents,
    /// Each image, and what was done for it.
    pub images: Vec<LoadedImage>,
    /// How many bytes the engine was sent.
    pub sent: u64,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BundleContents {
    /// The environment's name.
    pub environment: String,
    /// The digest of the manifest, and so of all that is in the bundle.
    pub digest: String,
    /// When it was saved, in RFC 3339, UTC.
    pub created: String,
    /// The operating system of the engine that it is for.
    pub os: String,
    /// The processor of the engine that it is for.
    pub architecture: String,
    /// How many bytes are in it, unpacked.
    pub bytes: u64,
    /// How many files of the environment are in it.
    pub files: usize,
    /// The references of its images, as containers run them.
    pub images: Vec<String>,
}

/// What was done for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageOutcome {
    /// The engine has it from the bundle.
    Loaded,
    /// The engine had it, and has it now under the name that is needed.
    Named,
    /// The engine had it under that name.
    Present,
}

/// An image of a bundle, on an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoadedImage {
    /// The references in the stack that mean it.
    pub wanted: Vec<String>,
    /// Its reference on the engine.
    pub reference: String,
    /// The engine's id of it.
    pub id: String,
    /// What was done for it.
    pub outcome: ImageOutcome,
    /// The reference that it was saved under, where another image has that here.
    pub instead_of: Option<String>,
}

impl SaveReport {
    /// The report of that bundle.
    pub fn new(saved: &bundle::Saved) -> Self {
        Self {
            version: Version::default(),
            file: saved.path.display().to_string(),
            size: saved.size,
            bundle: BundleContents::new(&saved.manifest, &saved.digest),
        }
    }
}

impl LoadReport {
    /// The report of what came of that bundle.
    pub fn new(bundle: &bundle::Bundle, brought: &bundle::Brought) -> Self {
        Self {
            version: Version::default(),
            file: bundle.path().display().to_string(),
            bundle: BundleContents::new(&bundle.manifest, &bundle.digest),
            images: brought.images.iter().map(Into::into).collect(),
            sent: brought.bytes,
        }
    }
}

impl BundleContents {
    fn new(manifest: &bundle::Manifest, digest: &str) -> Self {
        let images = manifest.images.iter();
        Self {
            environment: manifest.environment.to_string(),
            digest: digest.to_owned(),
            created: manifest.created.clone(),
            os: manifest.os.clone(),
            architecture: manifest.architecture.clone(),
            bytes: manifest.bytes,
            files: manifest.files.len(),
            images: images.map(|image| image.reference.clone()).collect(),
        }
    }
}

impl From<&bundle::LoadedImage> for LoadedImage {
    fn from(image: &bundle::LoadedImage) -> Self {
        Self {
            wanted: image.wanted.clone(),
            reference: image.reference.clone(),
            id: image.id.clone(),
            outcome: match image.outcome {
                bundle::Outcome::Loaded => ImageOutcome::Loaded,
                bundle::Outcome::Named => ImageOutcome::Named,
                bundle::Outcome::Present => ImageOutcome::Present,
            },
            instead_of: image.instead_of.clone(),
        }
    }
}
