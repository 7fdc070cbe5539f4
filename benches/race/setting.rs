//! What all sides have in common: the stack, the seats, and a place for their files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use seatbox::environment::{self, Overrides};
use seatbox::model::{Environment, SeatNumber};
use seatbox::secret::{EventKey, store};
use tempfile::TempDir;
use tokio::process::Command;

use crate::Result;
use crate::arguments::{Arguments, Initdb};

/// What every name of the benchmark begins with: what it leaves is found, and taken away, by it.
pub const PREFIX: &str = "seatbox-race-";

/// The event whose seats are brought up.
const ENVIRONMENT: &str = "environments/gopher-guangzhou-2024.yaml";
/// Its stack.
const STACK: &str = "templates/stacks/go-redis-postgres.yaml";
/// The line of the stack after which PostgreSQL's variables go on.
const BEFORE: &str = "      POSTGRES_DB: workshop\n";
/// Asks for what initdb does anyway, and so keeps the recipe's image from unpacking its own.
const AFTER: &str = "      POSTGRES_INITDB_ARGS: --encoding=UTF8\n";

/// What all sides have in common.
pub struct Setting {
    directory: TempDir,
    /// How many seats there are.
    pub seats: u32,
}

impl Setting {
    /// Writes what the sides need.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let directory = TempDir::with_prefix(PREFIX)?;
        let mut stack = std::fs::read_to_string(repository(STACK))?;
        if arguments.initdb == Initdb::Real {
            if stack.matches(BEFORE).count() != 1 {
                return Err(format!("{STACK} has not one line `{}`", BEFORE.trim()).into());
            }
            stack = stack.replace(BEFORE, &format!("{BEFORE}{AFTER}"));
        }
        std::fs::write(directory.path().join("stack.yaml"), stack)?;
        Ok(Self {
            directory,
            seats: arguments.seats,
        })
    }

    /// A path among the benchmark's own files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The numbers of the seats.
    pub fn numbers(&self) -> impl Iterator<Item = SeatNumber> {
        (1..=self.seats).filter_map(SeatNumber::new)
    }

    /// The environment's name of a side.
    pub fn name(side: &str) -> String {
        format!("{PREFIX}{side}")
    }

    fn settings(&self, side: &str) -> Vec<String> {
        vec![
            format!("name={}", Self::name(side)),
            format!("seats.count={}", self.seats),
            format!("stack={}", self.path("stack.yaml").display()),
            // Away from what the examples use: seats of theirs may be up.
            "docker.subnets=10.198.0.0/16".to_owned(),
            "docker.ports.first=28000".to_owned(),
        ]
    }

    /// `seatbox VERB…` on the environment of a side.
    pub fn seatbox(&self, program: &Path, verb: &[&str], side: &str) -> Command {
        let mut command = self.plain(program);
        command.args(verb).arg(repository(ENVIRONMENT));
        for setting in self.settings(side) {
            command.arg("--set").arg(setting);
        }
        command
    }

    /// A plan of so many seats, made without an engine; the peak of its memory, in KiB, goes to
    /// `usage`.
    pub fn offline_plan(&self, program: &Path, seats: u32, usage: &Path) -> Command {
        let mut command = self.plain(Path::new("/usr/bin/time"));
        command
            .args(["--format", "%M", "--output"])
            .arg(usage)
            .arg(program)
            .args(["plan", "--offline"])
            .arg(repository(ENVIRONMENT))
            .env("DOCKER_HOST", "unix:///nowhere")
            .env_remove("DOCKER_CONTEXT");
        for setting in [
            &format!("seats.count={seats}"),
            "docker.subnets=10.0.0.0/8",
            "docker.ports.per_seat=3",
        ] {
            command.args(["--set", setting]);
        }
        command
    }

    /// A program, without settings from outside and with a state directory of the benchmark's own.
    pub fn plain(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("SEATBOX") || name.starts_with("COMPOSE_") {
                command.env_remove(&*name);
            }
        }
        command
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1")
            .kill_on_drop(true);
        command
    }

    /// The environment of a side.
    pub fn environment(&self, side: &str) -> Result<Arc<Environment>> {
        let overrides = Overrides {
            set: self.settings(side),
            ..Overrides::new([], Timestamp::now())
        };
        let loaded = environment::load(&repository(ENVIRONMENT), &overrides)
            .map_err(|problems| problems.render(false, 100))?;
        Ok(Arc::new(loaded.environment))
    }

    /// The event key of a side, which `seatbox` made or makes use of.
    pub fn key(&self, environment: &Environment) -> Result<EventKey> {
        let state = self.path("state").display().to_string();
        let path = store::key_path(&environment.name, |name| {
            (name == "XDG_STATE_HOME").then(|| state.clone())
        })?;
        Ok(store::load_or_create(&path)?)
    }
}

/// A file of this repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
