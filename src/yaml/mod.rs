//! YAML files as trees of located values.
//!
//! This is the only module that touches the YAML crate. Everything else works on [`Node`], which
//! knows of each value where it was written, so that layers can be merged and every later error
//! still names the line it comes from.

pub mod decode;
pub mod fault;
pub mod node;
pub mod parse;
pub mod place;
pub mod source;

pub use decode::decode;
pub use node::{Key, Node, Value};
pub use parse::{parse, parse_inline};
pub use place::{PathPart, Place, path_text};
pub use source::{MAX_FILE_BYTES, Source, read, read_bytes};
