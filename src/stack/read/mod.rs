//! From the interpolated tree of a Compose file to the model, one file a subject.

mod depends;
pub(super) mod file;
mod files;
mod mounts;
mod networks;
mod ports;
mod process;
pub(super) mod reader;
mod resources;
mod security;
pub(super) mod service;
mod settings;
mod unsupported;
