//! Showing people and programs what happens and what came of it.
//!
//! Nothing here decides anything: events, outcomes and views come in, text and JSON go out.
//! Progress goes to standard error, by a [`Reporter`]; results go to standard output, and what is
//! here only makes their text.

pub mod board;
pub mod bundle;
pub mod certificate;
pub mod extension;
pub mod format;
pub mod json;
pub mod plain;
pub mod reporter;
pub mod summary;
pub mod table;
pub mod terminal;
pub mod view;
pub mod words;

pub use format::{Format, Style, Surroundings};
pub use reporter::{Reporter, spawn};
pub use table::Canvas;
