//! What `extend` prints with `--output json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::shared::Version;
use crate::report::view::ExtensionView;

/// What came of an `extend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExtendReport {
    /// The version of this document.
    pub version: Version,
    /// The environment's name.
    pub environment: String,
    /// When its seats would have been swept away, in RFC 3339, UTC; nothing where nothing said so.
    pub before: Option<String>,
    /// When its seats may be swept away now, in RFC 3339, UTC.
    pub expires: String,
    /// Whether that is another moment than before.
    pub changed: bool,
    /// Whether it is only said what would be done.
    pub dry_run: bool,
    /// The numbers of the seats that have more time. None of them is touched.
    pub seats: Vec<u32>,
    /// The numbers of those among them that have lost something meanwhile, to a sweep for example.
    pub gone: Vec<u32>,
    /// What a person should know of.
    pub notices: Vec<String>,
}

impl From<&ExtensionView> for ExtendReport {
    fn from(view: &ExtensionView) -> Self {
        Self {
            version: Version::default(),
            environment: view.environment.to_string(),
            before: view.before.map(|moment| moment.to_string()),
            expires: view.expires.to_string(),
            changed: view.changed,
            dry_run: view.dry_run,
            seats: view.seats.iter().map(|seat| seat.get()).collect(),
            gone: view.gone.iter().map(|seat| seat.get()).collect(),
            notices: view.notices.clone(),
        }
    }
}
