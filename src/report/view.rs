//! What is rendered and is neither an event nor an outcome: filled by the verbs, shown here.

use jiff::Timestamp;

use crate::engine::Failure;
use crate::model::{EnvironmentName, SeatNumber};

pub use crate::model::view::{PortView, SeatView, ServiceView};

/// Something that exists, or existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The environment, by its label.
    pub environment: EnvironmentName,
    /// The seat, where it is one's.
    pub seat: Option<SeatNumber>,
    /// Its kind (`container`).
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What the engine or the cloud calls it.
    pub id: String,
}

/// What was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of the environments named.
    Environments,
    /// Some of one environment's seats.
    Seats(Vec<SeatNumber>),
    /// Whatever is past its time, of any environment.
    Expired,
    /// Whatever carries our labels.
    Everything,
}

/// One look for what is left, after the deletions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAgain {
    /// When.
    pub at: Timestamp,
    /// How much of what was to go was still there.
    pub found: usize,
}

/// What was found, what was deleted, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateView {
    /// The environments that it is about.
    pub environments: Vec<EnvironmentName>,
    /// What was to go.
    pub scope: Scope,
    /// What was found of it.
    pub found: Vec<Thing>,
    /// What was deleted.
    pub deleted: Vec<Thing>,
    /// What could not be deleted, with what is in the way.
    pub failed: Vec<(Thing, Failure)>,
    /// What carries our labels and was to stay, with the reason.
    pub kept: Vec<(Thing, String)>,
    /// The looks after the deletions, in order.
    pub looks: Vec<LookAgain>,
    /// When the first look was.
    pub started: Timestamp,
    /// When the last look was.
    pub finished: Timestamp,
}

impl CertificateView {
    /// Whether nothing is left of what was to go: nothing failed, and the last two looks found
    /// nothing.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
            && self.looks.len() >= 2
            && self.looks.iter().rev().take(2).all(|look| look.found == 0)
    }
}

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFrom {
    /// The engine has it.
    Engine,
    /// A registry or a mirror.
    Registry,
    /// A recipe.
    Recipe,
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
