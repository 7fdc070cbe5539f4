//! Why a bundle was not written, or not taken.

use std::io;

use crate::diagnostic::Diagnostics;
use crate::engine::Failure;

/// What ended the work on a bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle, or what was asked for, can't be used. Nothing was changed.
    #[error("{message}")]
    Refused {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The environment can't be read.
    #[error(transparent)]
    Input(#[from] Diagnostics),
    /// Reading or writing failed here.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
    /// A call to the engine failed.
    #[error(transparent)]
    Call(#[from] Failure),
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A refusal, with a word on what to do.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Turns a failure to read or write into one that names what it was about.
    pub fn io(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        |error| Self::Io(what, error)
    }
}

/// The result of work on a bundle.
pub type Result<T = ()> = std::result::Result<T, Error>;
