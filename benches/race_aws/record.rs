//! Raw numbers: the machine's first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::place::Place;
use crate::side::Side;
use crate::support::lines::{self, Lines};

/// A line of the raw numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// Where it was measured, and how.
    Machine(Machine),
    /// One run of one side.
    Measured(Measured),
    /// One plan.
    Simulated(Simulated),
}

/// Where it was measured, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    /// When it began, in UTC.
    pub began: String,
    /// The command's arguments.
    pub arguments: String,
    /// How many processors there are, and what they are.
    pub processors: String,
    /// Python's packages that take part, with their versions.
    pub peers: String,
    /// The emulator's version.
    pub emulator: String,
    /// Seatbox's version, and how it was built.
    pub seatbox: String,
}

/// One run of one side: from nothing to all seats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// What seats are.
    pub place: Place,
    /// Who did it.
    pub side: Side,
    /// How many seats.
    pub seats: u32,
    /// Whether AWS's buckets were there.
    pub buckets: bool,
    /// How much later than on this machine answers came, in milliseconds.
    pub latency_ms: u64,
    /// The round, from 1.
    pub round: u32,
    /// How long it took, from the program's start to its end.
    pub seconds: f64,
    /// The highest memory use of any of its processes, in KiB.
    pub peak_kib: u64,
    /// How many calls arrived.
    pub calls: usize,
    /// How many of them were throttled.
    pub throttled: usize,
    /// How many calls of each action there were, those throttled among them.
    pub actions: BTreeMap<String, usize>,
}

/// How long AWS's buckets make a plan take.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Simulated {
    /// What seats are.
    pub place: Place,
    /// How many seats.
    pub seats: u32,
    /// How long our calls are expected to take, in seconds.
    pub expected: f64,
    /// How long they take at best, by one who knows the buckets to the token.
    pub at_best: f64,
}

/// The raw numbers of a run, in memory and in a file.
pub struct Record {
    lines: Lines,
    /// What there is so far.
    pub results: Results,
}

/// All that is shown.
#[derive(Debug, Default)]
pub struct Results {
    /// Where it was measured: the first one's where there are several.
    pub machine: Machine,
    /// The runs.
    pub measured: Vec<Measured>,
    /// The plans.
    pub simulated: Vec<Simulated>,
}

impl Record {
    /// Begins a file.
    pub fn create(path: &Path, machine: Machine) -> Result<Self> {
        let mut lines = Lines::create(path)?;
        lines.add(&Line::Machine(machine.clone()))?;
        let results = Results {
            machine,
            ..Results::default()
        };
        Ok(Self { lines, results })
    }

    /// Adds a run. It is in the file when this returns.
    pub fn measured(&mut self, measured: Measured) -> Result {
        eprintln!(
            "  {}, {} seats, {} buckets, {}: {:.2} s, {} calls, {} throttled, {:.0} MB",
            measured.place.words(),
            measured.seats,
            if measured.buckets { "with" } else { "without" },
            measured.side.words(),
            measured.seconds,
            measured.calls,
            measured.throttled,
            measured.peak_kib as f64 * 1024.0 / 1e6,
        );
        self.lines.add(&Line::Measured(measured.clone()))?;
        self.results.measured.push(measured);
        Ok(())
    }

    /// Adds a plan.
    pub fn simulated(&mut self, simulated: Simulated) -> Result {
        self.lines.add(&Line::Simulated(simulated.clone()))?;
        self.results.simulated.push(simulated);
        Ok(())
    }

    /// Where the raw numbers are.
    pub fn path(&self) -> &Path {
        self.lines.path()
    }
}

/// Reads the raw numbers of earlier runs, all of one machine: it is that of the first, with the
/// arguments of all.
pub fn read(paths: &[PathBuf]) -> Result<Results> {
    let mut results = Results::default();
    for (number, path) in paths.iter().enumerate() {
        for line in lines::read(path)? {
            match line {
                Line::Measured(read) => results.measured.push(read),
                Line::Simulated(read) => results.simulated.push(read),
                Line::Machine(read) if number == 0 => results.machine = read,
                Line::Machine(read) => {
                    results.machine.arguments.push_str("`, `");
                    results.machine.arguments.push_str(&read.arguments);
                }
            }
        }
    }
    Ok(results)
}
