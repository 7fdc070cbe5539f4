//! `seatbox init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::error::{Error, Result, io};
use super::print::line;
use crate::environment::template;
use crate::exit::Exit;
use crate::model::EnvironmentName;

/// Writes a first environment file and its stack. What is there already is never overwritten.
pub fn run(directory: &Path, name: Option<EnvironmentName>, count: u32) -> Result {
    let name = match name {
        Some(name) => name,
        None => name_of(directory)?,
    };
    let stack = template("go-redis-postgres").expect("it is built in");
    let environment = environment_file(&name, count);
    std::fs::create_dir_all(directory).map_err(io(directory.display().to_string()))?;
    let files = [("seatbox.yaml", environment), ("stack.yaml", stack)];
    // All or nothing: half of it would be a riddle.
    for (file, _) in &files {
        let path = directory.join(file);
        if path.symlink_metadata().is_ok() {
            return Err(Error::usage(
                format!("{} exists already", path.display()),
                "name another directory, or move it away",
            ));
        }
    }
    for (file, text) in &files {
        write_new(&directory.join(file), text)?;
        line(format_args!("wrote {}", directory.join(file).display()));
    }
    line(format_args!(
        "next: `seatbox plan {0}` shows what `seatbox up {0}` would do",
        directory.join("seatbox.yaml").display()
    ));
    Ok(Exit::Success)
}

/// The directory's own name, where it is one for an environment.
fn name_of(directory: &Path) -> Result<EnvironmentName> {
    let absolute = std::path::absolute(directory).map_err(io(directory.display().to_string()))?;
    let name = absolute
        .file_name()
        .map(|name| {
            name.to_string_lossy()
                .to_ascii_lowercase()
                .replace(['_', '.', ' '], "-")
        })
        .unwrap_or_default();
    name.parse().map_err(|error| {
        Error::usage(
            format!("{error}"),
            "name the environment, as in --name go-workshop",
        )
    })
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::usage(
                format!("{} exists already", path.display()),
                "name another directory, or move it away",
            ),
            _ => io(path.display().to_string())(error),
        })
}

fn environment_file(name: &EnvironmentName, count: u32) -> String {
    format!(
        "\
version: 1
name: {name}

event:
  title: {name}

seats:
  count: {count}
  # Participants to one assistant.
  group_size: 12

# How long the seats live, from `up`. `seatbox sweep` takes them away after that.
lifetime: 12h

# What each seat runs: a Compose file.
stack: stack.yaml

# What each workspace begins with: a directory beside this file, or {{git: URL, revision: main}}.
# workspace:
#   files: ./workspace
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Overrides, load};

    #[test]
    fn what_it_writes_is_a_valid_environment() {
        let directory = tempfile::tempdir().unwrap();
        run(directory.path(), Some("go-lab".parse().unwrap()), 5).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let loaded = load(
            &directory.path().join("seatbox.yaml"),
            &Overrides::new([], now),
        )
        .unwrap();
        assert_eq!(loaded.environment.seats.count, 5);
        assert_eq!(loaded.environment.stack.services.len(), 3);
    }

    #[test]
    fn what_is_there_is_not_overwritten_and_nothing_is_added_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("stack.yaml"), "mine").unwrap();
        let error = run(directory.path(), Some("go-lab".parse().unwrap()), 5).unwrap_err();
        assert_eq!(error.exit(), Exit::Input);
        assert!(!directory.path().join("seatbox.yaml").exists());
        let kept = std::fs::read_to_string(directory.path().join("stack.yaml")).unwrap();
        assert_eq!(kept, "mine");
    }
}
