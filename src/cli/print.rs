//! Printing results.

use std::fmt::Display;
use std::io::Write as _;

/// Prints to standard output. Where nobody reads it any more (`seatbox status | head`), the rest is
/// not printed, and that is no error.
pub fn print(text: impl Display) {
    let mut out = anstream::stdout().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Prints to standard output, with a line break at the end.
pub fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}
