//! What is rendered and is neither an event nor an outcome: filled by the verbs, shown here.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{EnvironmentName, SeatNumber};

pub use crate::model::view::{PortView, SeatView, ServiceView};

pub use crate::removal::{
    Certificate as CertificateView, LookAgain, Scope, SecondLook, Seen, Thing,
};

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

/// What an extension did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionView {
    /// The environment.
    pub environment: EnvironmentName,
    /// When it ended before, where that could be read.
    pub before: Option<Timestamp>,
    /// When it ends now.
    pub expires: Timestamp,
    /// Whether that is another moment.
    pub changed: bool,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Its seats, by what there is of them.
    pub seats: Vec<SeatNumber>,
    /// Those that have lost something meanwhile.
    pub gone: Vec<SeatNumber>,
    /// What a person should know of.
    pub notices: Vec<String>,
    /// The event's time zone, where the environment file was read.
    pub zone: Option<TimeZone>,
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
