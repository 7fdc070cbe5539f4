//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::error::Error;
use crate::model::environment::ProviderKind;
use crate::model::id::MAX_SEATS;
use crate::model::{EnvironmentName, SeatNumber, SeatSet, ServiceName};

/// A sandbox for every seat of a hands-on event, and all of them taken away again.
///
/// An environment file says what each seat holds. `up` brings the seats up or puts them right,
/// `reset` gives a participant a fresh one, and `down` takes everything away and proves that it is
/// gone.
#[derive(Debug, Parser)]
#[command(
    name = "seatbox",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 bad input (nothing touched), 3 some seats \
failed or something is left, 4 engine not reachable, 130 interrupted."
)]
pub struct Cli {
    /// What all commands have in common.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub output: Output,
    /// How progress is printed: bars on a terminal, lines in a pipe, or one JSON event a line.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Print no progress, only failures and results.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: one JSON document, described by `seatbox schema output`.
    Json,
}

/// How progress is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Bars on a terminal, plain lines elsewhere.
    Auto,
    /// Plain lines.
    Plain,
    /// One JSON event a line.
    Json,
}

/// Which environment, and what is to be otherwise in it.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArgs {
    /// The environment file, or a bundle of it.
    #[arg(
        env = "SEATBOX_ENVIRONMENT",
        default_value = "seatbox.yaml",
        value_name = "FILE"
    )]
    pub environment: PathBuf,
    /// Whether that must be a bundle, as `--bundle` names one.
    #[arg(skip)]
    pub is_bundle: bool,
    /// Set a value of the environment file, as in seats.count=3; may be given again.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Where the seats live.
    #[arg(long, value_enum, value_name = "PROVIDER")]
    pub provider: Option<ProviderKind>,
}

/// Which of an environment's seats.
#[derive(Debug, Clone, Args)]
pub struct SeatsArgs {
    /// The seats, as in 1-5,8,12-; all of them unless given.
    #[arg(long, visible_alias = "seat", value_name = "SEATS")]
    pub seats: Option<SeatSet>,
}

/// One seat, and one of its services.
#[derive(Debug, Clone, Args)]
pub struct SeatArgs {
    /// The seat; needed unless the environment has just one.
    #[arg(long, visible_alias = "seats", value_name = "SEAT")]
    pub seat: Option<SeatNumber>,
    /// The service; the workspace unless given.
    #[arg(long, short, value_name = "SERVICE")]
    pub service: Option<ServiceName>,
}

/// Where is looked, without an environment file that says it.
#[derive(Debug, Clone, Args)]
pub struct PlacesArgs {
    /// Where to look.
    #[arg(long, value_enum, default_value_t = ProviderKind::Docker, value_name = "PROVIDER")]
    pub provider: ProviderKind,
    /// In this region of AWS; may be given again. That of the AWS configuration unless given.
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
}

impl PlacesArgs {
    /// Refuses what makes no sense together.
    ///
    /// # Errors
    /// A region of an engine.
    pub fn check(&self) -> Result<(), Error> {
        if self.provider == ProviderKind::Docker && !self.regions.is_empty() {
            return Err(Error::usage(
                "a Docker engine is in no region of AWS",
                "say --provider ec2 or --provider ecs as well, or leave --region out",
            ));
        }
        Ok(())
    }

    /// The regions, each once.
    pub fn distinct_regions(&self) -> Vec<&str> {
        let mut regions: Vec<&str> = Vec::new();
        for region in &self.regions {
            if !regions.contains(&region.as_str()) {
                regions.push(region);
            }
        }
        regions
    }
}

/// What is swept away, and where.
#[derive(Debug, Clone, Args)]
pub struct SweepArgs {
    /// What is not past its time as well.
    #[arg(long)]
    pub all: bool,
    /// Only what belongs to this environment.
    #[arg(long, value_name = "NAME")]
    pub only: Option<EnvironmentName>,
    /// Where.
    #[command(flatten)]
    pub places: PlacesArgs,
    /// Print what would go and what would stay, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What a timer sweeps away.
#[derive(Debug, Clone, Args)]
pub struct ScheduleArgs {
    /// Only what belongs to this environment.
    #[arg(long, value_name = "NAME")]
    pub only: Option<EnvironmentName>,
    /// Where.
    #[command(flatten)]
    pub places: PlacesArgs,
}

/// Where an environment's end is moved to.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct NewEnd {
    /// So much longer, as in 2h: from its end on, or from now where that is over.
    #[arg(long, value_name = "SPAN")]
    pub by: Option<String>,
    /// Until that moment, as in 2026-12-01T18:00: in the event's time zone, or with an offset.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "flattened groups are documented at their types"
)]
pub enum Command {
    /// Write a first environment file and its stack to a directory.
    Init {
        /// The directory.
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// The environment's name; the directory's unless given.
        #[arg(long)]
        name: Option<EnvironmentName>,
        /// How many seats.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SEATS)))]
        count: u32,
    },
    /// Print the environment as it is understood, and where each value comes from.
    Config {
        #[command(flatten)]
        environment: EnvironmentArgs,
    },
    /// Print the JSON Schema of the environment file, or of the JSON output.
    Schema {
        /// Of what.
        #[arg(value_enum, default_value_t = SchemaOf::Environment)]
        of: SchemaOf,
    },
    /// Print what `up` would do, and change nothing.
    Plan {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// Ask nobody: plan as for an engine that has nothing yet.
        #[arg(long)]
        offline: bool,
    },
    /// Bring the seats up, or put right what is missing, changed or broken.
    Up {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// Bring up the environment in this bundle, with its images, which needs no network.
        #[arg(long, value_name = "BUNDLE")]
        bundle: Option<PathBuf>,
        /// Print the plan and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show how the seats are.
    Status {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// Look again and again, until interrupted.
        #[arg(long, short)]
        watch: bool,
        /// Seconds between two looks.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600), requires = "watch")]
        interval: u64,
    },
    /// Give seats a fresh stack: databases and caches as on the first day, the workspace's files
    /// and the passwords as they are.
    Reset {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// Put the workspace back to its first files as well. What was written there is lost.
        #[arg(long)]
        workspace: bool,
        /// Reset every seat of an environment that has more than one.
        #[arg(long, conflicts_with = "seats")]
        all: bool,
        /// Print the plan and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Open a shell in a seat.
    Shell {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seat: SeatArgs,
    },
    /// Run a command in a seat, and end with its exit code.
    Exec {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seat: SeatArgs,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        argv: Vec<String>,
    },
    /// Print what services wrote.
    Logs {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// One service; all of them unless given.
        #[arg(long, short, value_name = "SERVICE")]
        service: Option<ServiceName>,
        /// Go on with what they write from now on.
        #[arg(long, short)]
        follow: bool,
        /// Begin so many lines before the end.
        #[arg(long, short = 'n', value_name = "LINES")]
        tail: Option<u64>,
        /// Begin so long ago, as in 10m, or at a moment.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Print when each line was written.
        #[arg(long, short)]
        timestamps: bool,
    },
    /// Take seats away, and prove that they are gone.
    Down {
        #[command(flatten)]
        environment: EnvironmentArgs,
        #[command(flatten)]
        seats: SeatsArgs,
        /// Print what would go and what would stay, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Give an environment's seats more time. None of them is touched.
    Extend {
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// The environment's name, which makes its file needless.
        #[arg(long, value_name = "NAME")]
        only: Option<EnvironmentName>,
        /// The region of AWS that it lives in; that of the AWS configuration unless given.
        #[arg(long, value_name = "REGION", requires = "only")]
        region: Option<String>,
        #[command(flatten)]
        end: NewEnd,
        /// Say what would be done, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take away whatever is past its time, of every environment, without an environment file.
    Sweep {
        #[command(flatten)]
        what: SweepArgs,
    },
    /// Show where each image comes from, get those that are missing, or carry them by bundle.
    #[command(args_conflicts_with_subcommands = true)]
    Images {
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// Get the images that are missing.
        #[arg(long)]
        fetch: bool,
        /// What to do with a bundle.
        #[command(subcommand)]
        action: Option<Images>,
    },
    /// Write a seat, or the sweep, in a form that other tools run.
    Export {
        #[command(subcommand)]
        form: Export,
    },
    /// The event key, from which every seat's passwords follow.
    Key {
        #[command(subcommand)]
        action: Key,
    },
    /// Print a shell's completion script.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands to a directory.
    Man {
        /// The directory.
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
    },
}

/// Of what a schema is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The environment file.
    Environment,
    /// What `--output json` and `--log-format json` print.
    Output,
}

/// What to do with a bundle: an environment in one file, with its images.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "flattened groups are documented at their types"
)]
pub enum Images {
    /// Write a bundle: the environment's images, its file, its stack, and what they name. The event
    /// key is not in it.
    Save {
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// The bundle; the environment's name with `.seatbox` behind it unless given.
        #[arg(long, value_name = "BUNDLE")]
        to: Option<PathBuf>,
        /// Overwrite what is there.
        #[arg(long)]
        force: bool,
    },
    /// Check a bundle, and give the engine those of its images that are missing there.
    Load {
        /// The bundle.
        #[arg(value_name = "BUNDLE")]
        bundle: PathBuf,
    },
}

/// Forms that other tools run.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "flattened groups are documented at their types"
)]
pub enum Export {
    /// A Compose file and an env file, which `docker compose` runs as they are.
    Compose {
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// The seat.
        #[arg(long, visible_alias = "seats", value_name = "SEAT")]
        seat: SeatNumber,
        /// The directory to write compose.yaml and .env to.
        #[arg(long, default_value = ".", value_name = "DIRECTORY")]
        directory: PathBuf,
        /// Overwrite what is there.
        #[arg(long)]
        force: bool,
    },
    /// A systemd service and its timer, which run `sweep` every quarter of an hour.
    Systemd {
        #[command(flatten)]
        what: ScheduleArgs,
        /// The directory to write them to; they are printed unless given.
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
        /// Overwrite what is there.
        #[arg(long, requires = "directory")]
        force: bool,
    },
    /// A line for a crontab, which runs `sweep` every quarter of an hour.
    Cron {
        #[command(flatten)]
        what: ScheduleArgs,
    },
}

/// What to do with an event key.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "flattened groups are documented at their types"
)]
pub enum Key {
    /// Print the key's fingerprint, which is no secret.
    Fingerprint {
        #[command(flatten)]
        environment: EnvironmentArgs,
    },
    /// Print the key. Whoever has it has every seat's passwords.
    Export {
        #[command(flatten)]
        environment: EnvironmentArgs,
    },
    /// Take a key from standard input, as `key export` printed it.
    Import {
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// Replace another key that is there.
        #[arg(long)]
        force: bool,
    },
}
