//! The command line of the benchmark.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::support::named::Named;

/// Seatbox against Docker Compose and against a bare loop of the engine's calls.
#[derive(Debug, Parser)]
#[command(name = "race", max_term_width = 100)]
pub struct Arguments {
    /// How many seats each side brings up.
    #[arg(long, default_value_t = 23)]
    pub seats: u32,
    /// How many rounds. The first tries every width; the others the best one of each side.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Try every width in every round.
    #[arg(long)]
    pub all_widths: bool,
    /// How many projects or seats Compose and the bare loop work on at once, each tried.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 8, 16])]
    pub widths: Vec<usize>,
    /// How many times a single seat is reset by each side.
    #[arg(long, default_value_t = 5)]
    pub resets: u32,
    /// Seconds without a timed `up` after many files were deleted: without a journal, ext4 passes
    /// over inodes that were freed in the last minute, one by one, whenever it makes a file.
    #[arg(long, default_value_t = 65)]
    pub settle: u64,
    /// How PostgreSQL comes to its first data directory.
    #[arg(long, value_enum, default_value_t = Initdb::Real)]
    pub initdb: Initdb,
    /// Compose's time between two checks of a service while all seats come up: it waits for them,
    /// and they load the processors.
    #[arg(long, default_value = "3s")]
    pub interval: String,
    /// The same, while Compose resets a single seat.
    #[arg(long, default_value = "500ms")]
    pub reset_interval: String,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Single, Part::Resets, Part::Rounds])]
    pub parts: Vec<Part>,
    /// Who takes part in the rounds.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Family::Seatbox, Family::Compose, Family::Bare, Family::BareInitialised])]
    pub sides: Vec<Family>,
    /// Docker Compose v2 as a program of its own; scripts/compose.sh gets one.
    #[arg(long, default_value = "docker-compose")]
    pub compose: PathBuf,
    /// A seatbox to run, `NAME=PATH` or `PATH`, where not the one just built. May be given several
    /// times.
    #[arg(long = "seatbox", value_name = "[NAME=]PATH")]
    pub seatboxes: Vec<Named>,
    /// Eight seats, one round, two resets, no settling: to see that it works.
    #[arg(long)]
    pub quick: bool,
    /// Where the raw numbers go, one JSON document a line.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Measure nothing: render the table of raw numbers from an earlier run, or of several together.
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// A Markdown file in which the table replaces what is between the marks for it.
    #[arg(long, value_name = "FILE")]
    pub into: Option<PathBuf>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    /// With what follows from the other arguments.
    pub fn completed(mut self) -> Self {
        if self.quick {
            self.seats = self.seats.min(8);
            self.rounds = 1;
            self.resets = self.resets.min(2);
            self.settle = 0;
            self.widths = vec![4, 8];
        }
        if self.seatboxes.is_empty() {
            self.seatboxes.push(Named::built());
        }
        self
    }
}

/// How PostgreSQL comes to its first data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Initdb {
    /// It runs initdb, as the official image does.
    Real,
    /// It unpacks what the image brings along, as Seatbox's recipe does.
    Prepared,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What needs no engine: `--version`, a plan of 10,000 seats.
    Single,
    /// One seat, alone on the engine, reset.
    Resets,
    /// All the seats, up and down.
    Rounds,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// Seatbox.
    Seatbox,
    /// Docker Compose, so many projects at once.
    Compose,
    /// The bare calls, with the images as they are.
    Bare,
    /// The bare calls, with the database's data in the image.
    BareInitialised,
}
