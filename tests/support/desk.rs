//! Somebody's desk: a directory with files, a state directory, and the real program to type into.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A directory of one test's own.
pub struct Desk {
    directory: TempDir,
}

impl Desk {
    /// An empty desk.
    pub fn new() -> Self {
        Self {
            directory: TempDir::new().expect("a temporary directory can be made"),
        }
    }

    /// The path of that file on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, and the directories that it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("it is in the directory");
        std::fs::create_dir_all(parent).expect("a directory can be made");
        std::fs::write(&path, content).expect("a file can be written");
        path
    }

    /// The program, here, with a state directory of this desk and no setting from outside.
    pub fn seatbox(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatbox"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SEATBOX") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.directory.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// The program where no engine is: whatever reaches for one fails.
    pub fn without_engine(&self) -> Command {
        let socket = self.path("there-is-no-engine.sock");
        let mut command = self.seatbox();
        command
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .env_remove("DOCKER_CONTEXT");
        command
    }

    /// Runs the program where no engine is.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(self.without_engine().args(arguments))
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().expect("the program can be run");
    Ran::new(command, output)
}

impl Ran {
    /// What came of a command that was run by other means.
    pub fn new(command: &Command, output: std::process::Output) -> Self {
        Self {
            command: format!("{command:?}"),
            status: output.status,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The same, where it ended with that code; a failed test otherwise.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// All that it wrote.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The document that it wrote to standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// A failed test where any of those is not somewhere in what it wrote.
    #[track_caller]
    pub fn says(self, pieces: &[&str]) -> Self {
        let all = self.all();
        for piece in pieces {
            assert!(all.contains(piece), "`{piece}` is not in {self}");
        }
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {}", self.command, self.status)?;
        writeln!(f, "--- stdout\n{}", self.stdout)?;
        write!(f, "--- stderr\n{}", self.stderr)
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the program writes UTF-8")
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
