//! Printing results.

use std::fmt::Display;
use std::io::{BufWriter, Write as _};

/// Prints to standard output. Where nobody reads it any more (`seatbox status | head`), the rest is
/// not printed, and that is no error.
pub fn print(text: impl Display) {
    // Standard output makes a call for every line otherwise; a plan may have a hundred thousand.
    let mut out = BufWriter::with_capacity(64 * 1024, anstream::stdout().lock());
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Prints to standard output, with a line break at the end.
pub fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}
