//! Raw numbers in a file, one JSON document a line.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// A file to which raw numbers are added.
pub struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Begins a file.
    pub fn create(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: File::create(path)?,
        })
    }

    /// Adds a line. It is in the file when this returns.
    pub fn add(&mut self, line: &impl Serialize) -> Result {
        writeln!(self.file, "{}", serde_json::to_string(line)?)?;
        Ok(())
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Where raw numbers go unless somebody says otherwise: beside what cargo built.
pub fn default_path(name: &str) -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.parent()?.join(name)))
        .unwrap_or_else(|| name.into())
}

/// The lines of such a file.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let lines = text.lines().enumerate().map(|(number, line)| {
        serde_json::from_str(line)
            .map_err(|error| format!("{}:{}: {error}", path.display(), number + 1).into())
    });
    lines.collect()
}
