//! What is rendered and is neither an event nor an outcome: filled by the verbs, shown here.

pub use crate::model::view::{PortView, SeatView, ServiceView};

pub use crate::removal::{Certificate as CertificateView, LookAgain, Scope, Thing};

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageView {
    /// The reference in the stack file.
    pub image: String,
    /// The reference that containers run: the same, or that of a stand-in.
    pub reference: String,
    /// Where it comes from.
    pub from: ImageFrom,
    /// What getting it is called (`pull`, `build`, `keep`).
    pub verb: String,
    /// Why it is nowhere, or why it is not what the stack file names.
    pub reasons: Vec<String>,
}

impl ImageView {
    /// Whether the engine has it.
    pub fn is_present(&self) -> bool {
        self.from == ImageFrom::Engine
    }
}
