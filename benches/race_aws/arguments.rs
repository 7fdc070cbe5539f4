//! The command line of the benchmark.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::place::Place;
use crate::side::Side;
use crate::support::named::Named;

/// Seatbox against boto3 and Ansible, on an emulator of AWS.
#[derive(Debug, Parser)]
#[command(name = "race_aws", max_term_width = 100)]
pub struct Arguments {
    /// How many seats each side brings up.
    #[arg(long, value_delimiter = ',', default_values_t = [23, 200])]
    pub seats: Vec<u32>,
    /// How many rounds.
    #[arg(long, default_value_t = 1)]
    pub rounds: u32,
    /// How much later than on this machine an answer comes, in milliseconds.
    #[arg(long, default_value_t = 150)]
    pub latency: u64,
    /// Whether AWS's buckets are there.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Buckets::Without, Buckets::With])]
    pub buckets: Vec<Buckets>,
    /// What seats are.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Place::Ec2, Place::Ecs, Place::EcsSecrets])]
    pub places: Vec<Place>,
    /// Who takes part.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Side::ALL)]
    pub sides: Vec<Side>,
    /// Also what takes minutes: for more than 23 seats one by one, by threads within buckets, all sides
    /// with secrets within buckets, and Ansible; and Ansible without buckets.
    #[arg(long)]
    pub all: bool,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Simulation, Part::Race, Part::Memory])]
    pub parts: Vec<Part>,
    /// For how many seats Seatbox's memory is measured.
    #[arg(long, default_value_t = 1000)]
    pub memory_seats: u32,
    /// The Python that has boto3 and Ansible; scripts/bench-aws.sh gets one.
    #[arg(long, default_value = "python3")]
    pub python: PathBuf,
    /// A seatbox to run, `NAME=PATH` or `PATH`, where not the one just built.
    #[arg(long, value_name = "[NAME=]PATH")]
    pub seatbox: Option<Named>,
    /// 8 seats, with buckets, without Ansible and without the memory: to see that it works.
    #[arg(long)]
    pub quick: bool,
    /// A directory for each run's calls, with the moments at which they came.
    #[arg(long, value_name = "DIRECTORY")]
    pub trace: Option<PathBuf>,
    /// Where the raw numbers go, one JSON document a line.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Measure nothing: render the tables of raw numbers from an earlier run, or of several together.
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// A Markdown file in which the tables replace what is between the marks for them.
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
            self.seats = vec![8];
            self.buckets = vec![Buckets::With];
            self.sides.retain(|side| *side != Side::Ansible);
            self.parts.retain(|part| *part != Part::Memory);
        }
        self
    }

    /// The seatbox that takes part.
    pub fn seatbox(&self) -> Named {
        self.seatbox.clone().unwrap_or_else(Named::built)
    }
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// How long AWS's buckets make a plan take, which needs no emulator.
    Simulation,
    /// All sides in turn.
    Race,
    /// The memory that Seatbox takes for many seats.
    Memory,
}

/// Whether AWS's buckets are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Buckets {
    /// Of the sizes that AWS publishes.
    With,
    /// None at all.
    Without,
}
