//! Programs that take part.

use std::path::PathBuf;
use std::str::FromStr;

/// A program with the name that it has in the results.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The program.
    pub path: PathBuf,
}

impl Named {
    /// The seatbox that was built for this benchmark.
    pub fn built() -> Self {
        Self {
            name: "seatbox".to_owned(),
            path: env!("CARGO_BIN_EXE_seatbox").into(),
        }
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').unwrap_or(("seatbox", text));
        let path = PathBuf::from(path);
        let path = path
            .canonicalize()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            name: name.to_owned(),
            path,
        })
    }
}
