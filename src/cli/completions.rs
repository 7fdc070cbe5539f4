//! `seatbox completions`.

use clap::CommandFactory as _;

use super::args::Cli;
use super::error::Result;
use crate::exit::Exit;

/// Prints a shell's completion script.
pub fn run(shell: clap_complete::Shell) -> Result {
    clap_complete::generate(
        shell,
        &mut Cli::command(),
        "seatbox",
        &mut std::io::stdout(),
    );
    Ok(Exit::Success)
}
