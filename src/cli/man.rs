//! `seatbox man`.

use std::path::Path;

use clap::CommandFactory as _;

use super::args::Cli;
use super::error::{Result, io};
use crate::exit::Exit;

/// Prints the manual page, or writes one for each command to `directory`.
pub fn run(directory: Option<&Path>) -> Result {
    match directory {
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
                .map_err(io(directory.display().to_string()))?;
        }
        None => clap_mangen::Man::new(Cli::command())
            .render(&mut std::io::stdout())
            .map_err(io("standard output"))?,
    }
    Ok(Exit::Success)
}
