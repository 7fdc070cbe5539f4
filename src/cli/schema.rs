//! `seatbox schema`.

use super::args::SchemaOf;
use super::error::Result;
use super::print::line;
use crate::exit::Exit;
use crate::{environment, report};

/// Prints a JSON Schema.
pub fn run(of: SchemaOf) -> Result {
    let schema = match of {
        SchemaOf::Environment => environment::schema(),
        SchemaOf::Output => report::json::v1::schema(),
    };
    line(format_args!("{schema:#}"));
    Ok(Exit::Success)
}
