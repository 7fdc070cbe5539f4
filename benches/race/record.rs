//! Raw numbers: one JSON document a line, the machine's first.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::support::lines::{self, Lines};

/// A line of the raw numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// Where it was measured, and how.
    Machine(Machine),
    /// One measurement.
    Measured(Measured),
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
    /// The memory, in GiB.
    pub memory_gib: u64,
    /// The operating system and its kernel.
    pub system: String,
    /// The engine, its storage and its control groups.
    pub engine: String,
    /// Docker Compose's version.
    pub compose: String,
    /// Seatbox's version, of each that takes part.
    pub seatbox: String,
}

/// What was timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// From nothing to all seats: ready, for the bare loop started.
    Up,
    /// The bare loop's calls and then the wait until all seats were ready.
    UpReady,
    /// A second `up` right after the first.
    SecondUp,
    /// A second `up` once the engine knows that everything is healthy.
    SettledUp,
    /// One seat of many made anew.
    ResetOfMany,
    /// All seats taken away.
    Down,
    /// One seat, alone on the engine, made anew.
    Reset,
    /// A plan without an engine.
    Plan,
    /// `--version`.
    Version,
}

impl Measure {
    /// What it is called in a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Up => "`up`",
            Self::UpReady => "`up`, then ready",
            Self::SecondUp => "second `up`, at once",
            Self::SettledUp => "second `up`, health known",
            Self::ResetOfMany => "`reset`, one of all",
            Self::Down => "`down`",
            Self::Reset => "`reset`, alone",
            Self::Plan => "plan, no engine",
            Self::Version => "`--version`",
        }
    }
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// What was timed.
    pub measure: Measure,
    /// Who did it.
    pub side: String,
    /// How many projects or seats it worked on at once, where it was told so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub width: Option<usize>,
    /// How many seats it was about.
    pub seats: u32,
    /// The round, from 1.
    pub round: u32,
    /// How long it took.
    pub seconds: f64,
    /// What all processors did meanwhile, engine and containers included, in seconds.
    pub cpu_seconds: f64,
    /// How many requests the engine got.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calls: Option<u64>,
    /// The highest memory use of the process, in KiB.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peak_kib: Option<u64>,
}

/// The raw numbers of a run, in memory and in a file.
pub struct Record {
    lines: Lines,
    /// What was measured so far.
    pub measured: Vec<Measured>,
}

impl Record {
    /// Begins a file.
    pub fn create(path: &Path, machine: &Machine) -> Result<Self> {
        let mut lines = Lines::create(path)?;
        lines.add(&Line::Machine(machine.clone()))?;
        Ok(Self {
            lines,
            measured: Vec::new(),
        })
    }

    /// Adds a measurement. It is in the file when this returns.
    pub fn add(&mut self, measured: Measured) -> Result {
        let width = measured.width.map(|width| format!(" × {width}"));
        let calls = measured.calls.map(|calls| format!(", {calls} calls"));
        eprintln!(
            "  {}{}, {} seats, {}: {:.3} s, processors {:.1} s{}",
            measured.side,
            width.unwrap_or_default(),
            measured.seats,
            measured.measure.words(),
            measured.seconds,
            measured.cpu_seconds,
            calls.unwrap_or_default(),
        );
        self.add_quietly(measured)
    }

    /// The same, of what is measured too often to be told each time.
    pub fn add_quietly(&mut self, measured: Measured) -> Result {
        self.lines.add(&Line::Measured(measured.clone()))?;
        self.measured.push(measured);
        Ok(())
    }

    /// Where the raw numbers are.
    pub fn path(&self) -> &Path {
        self.lines.path()
    }
}

/// Reads the raw numbers of earlier runs, all of one machine: it is that of the first, with the
/// arguments of all.
pub fn read(paths: &[PathBuf]) -> Result<(Machine, Vec<Measured>)> {
    let mut machine: Option<Machine> = None;
    let mut measured = Vec::new();
    for path in paths {
        for line in lines::read(path)? {
            match line {
                Line::Measured(read) => measured.push(read),
                Line::Machine(read) => match &mut machine {
                    None => machine = Some(read),
                    Some(first) => {
                        first.arguments.push_str("`, `");
                        first.arguments.push_str(&read.arguments);
                        // Not all of them need Compose.
                        if first.compose == "none" {
                            first.compose = read.compose;
                        }
                    }
                },
            }
        }
    }
    Ok((machine.unwrap_or_default(), measured))
}
