//! The command line: one file a verb, which puts the parts of the pipeline together.

pub mod args;
pub mod bundle;
pub mod completions;
pub mod config;
pub mod context;
pub mod down;
pub mod error;
pub mod exec;
pub mod export;
pub mod extend;
pub mod images;
pub mod init;
pub mod interruption;
pub mod key;
pub mod logs;
pub mod man;
pub mod place;
pub mod plan;
pub mod print;
pub mod progress;
pub mod reset;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod show;
pub mod status;
pub mod sweep;
pub mod up;

pub use run::run;
