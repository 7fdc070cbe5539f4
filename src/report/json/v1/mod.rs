//! Version 1 of the output for programs. Within it fields are only added; see
//! `docs/json-output.md`.

pub mod bundle;
pub mod certificate;
pub mod event;
pub mod extend;
pub mod images;
pub mod plan;
pub mod schema;
pub mod shared;
pub mod status;
pub mod up;

pub use bundle::{LoadReport, SaveReport};
pub use certificate::Certificate;
pub use event::EventLine;
pub use extend::ExtendReport;
pub use images::ImagesReport;
pub use plan::PlanReport;
pub use schema::schema;
pub use status::StatusReport;
pub use up::UpReport;

/// What stands in each document's `version`.
pub const VERSION: u32 = 1;
