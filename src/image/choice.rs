//! Where an image that a stack names comes from.

use std::sync::Arc;

use serde::Serialize;

/// The decision for one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The reference in the stack file.
    pub wanted: String,
    /// The reference that containers run: the wanted one, or that of a stand-in.
    pub reference: Arc<str>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// The engine has it.
    Present {
        /// The engine's id of it.
        id: String,
    },
    /// A registry has it.
    Registry {
        /// What to pull: the wanted reference, or the same image at a mirror.
        pull: String,
    },
    /// A recipe makes it.
    Recipe {
        /// The recipe's name.
        recipe: String,
    },
    /// The environment's bundle has it, and it is not on the engine yet.
    Bundle {
        /// The engine's id of it, once it is there.
        id: String,
    },
    /// Nobody has it.
    Nowhere {
        /// What each source said.
        reasons: Vec<String>,
    },
}

impl Choice {
    /// What getting it is called in a plan.
    pub fn verb(&self) -> &'static str {
        match self.origin {
            Origin::Registry { .. } => "pull",
            Origin::Recipe { .. } => "build",
            Origin::Bundle { .. } => "load",
            Origin::Present { .. } | Origin::Nowhere { .. } => "keep",
        }
    }

    /// Whether containers run something else than the image that the stack names.
    pub fn is_stand_in(&self) -> bool {
        self.wanted != *self.reference
    }

    /// What a person should know of a stand-in.
    pub fn notice(&self) -> Option<String> {
        self.is_stand_in()
            .then(|| format!("{} stands in for {}", self.reference, self.wanted))
    }
}
