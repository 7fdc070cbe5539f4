//! What `images` prints with `--output json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::shared::Version;
use crate::report::view;

/// Where each image of a stack comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImagesReport {
    /// The version of this document.
    pub version: Version,
    /// Each image of the stack.
    pub images: Vec<Image>,
}

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFrom {
    /// The engine has it.
    Engine,
    /// A registry or a mirror.
    Registry,
    /// A recipe.
    Recipe,
    /// The environment's bundle.
    Bundle,
    /// Nobody has it.
    Nowhere,
}

/// One image of a stack, and the choice that was made for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Image {
    /// The reference in the stack file.
    pub image: String,
    /// Where it comes from.
    pub from: ImageFrom,
    /// The reference that containers run: the same, or that of a stand-in.
    pub reference: String,
    /// What getting it is called (`pull`, `build`, `keep`).
    pub verb: String,
    /// Why it is nowhere, or why it is not what the stack file names.
    pub reasons: Vec<String>,
    /// Whether the engine has it.
    pub present: bool,
}

impl ImagesReport {
    /// The report of those choices.
    pub fn new(images: &[view::ImageView]) -> Self {
        Self {
            version: Version::default(),
            images: images.iter().map(Into::into).collect(),
        }
    }
}

impl From<&view::ImageView> for Image {
    fn from(image: &view::ImageView) -> Self {
        Self {
            image: image.image.clone(),
            from: match image.from {
                view::ImageFrom::Engine => ImageFrom::Engine,
                view::ImageFrom::Registry => ImageFrom::Registry,
                view::ImageFrom::Recipe => ImageFrom::Recipe,
                view::ImageFrom::Bundle => ImageFrom::Bundle,
                view::ImageFrom::Nowhere => ImageFrom::Nowhere,
            },
            reference: image.reference.clone(),
            verb: image.verb.clone(),
            reasons: image.reasons.clone(),
            present: image.is_present(),
        }
    }
}
