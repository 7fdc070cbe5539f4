//! What ends a command early, and the one place that prints it.

use std::io::IsTerminal as _;

use miette::Diagnostic as _;

use super::args::Output;
use crate::bundle;
use crate::convergence;
use crate::diagnostic::Diagnostics;
use crate::engine::{Failure, FailureClass};
use crate::exit::Exit;
use crate::expiry::Clocks;
use crate::provider::Preflight;
use crate::provider::docker::connect::ConnectError;
use crate::report::json::v1;
use crate::secret::KeyError;

/// Why a command did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be used as it is.
    #[error(transparent)]
    Input(#[from] Diagnostics),
    /// What was asked for makes no sense with this environment.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The engine can't be reached.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// The event key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A call failed without which nothing can be done.
    #[error("{0}")]
    Call(#[from] Failure),
    /// What is planned can't be had, and nothing was created.
    #[error("{}", convergence::Error::Refused(.0.clone()))]
    Refused(Preflight),
    /// Two clocks differ so much that neither can be believed.
    #[error("{0}: nothing was swept, for one of them is wrong")]
    Clocks(Clocks),
    /// Reading or writing failed here.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
}

impl From<convergence::Error> for Error {
    fn from(error: convergence::Error) -> Self {
        match error {
            convergence::Error::Call(failure) => Self::Call(failure),
            convergence::Error::Refused(preflight) => Self::Refused(preflight),
        }
    }
}

impl From<bundle::Error> for Error {
    fn from(error: bundle::Error) -> Self {
        match error {
            bundle::Error::Refused { message, hint } => Self::usage(message, hint),
            bundle::Error::Input(diagnostics) => Self::Input(diagnostics),
            bundle::Error::Io(what, error) => Self::Io(what, error),
            bundle::Error::Call(failure) => Self::Call(failure),
            bundle::Error::Interrupted => Self::Interrupted,
        }
    }
}

impl Error {
    /// A misuse, with a word on what to do.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Input(_) | Self::Usage { .. } | Self::Refused(_) => Exit::Input,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Call(failure) => match failure.class {
                FailureClass::Connection | FailureClass::Unreachable | FailureClass::Timeout => {
                    Exit::Unreachable
                }
                _ => Exit::Failure,
            },
            Self::Clocks(_) | Self::Key(_) | Self::Io(..) => Exit::Failure,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::Call(failure) => failure.hint.clone(),
            Self::Unreachable(error) => error.help().map(|help| help.to_string()),
            Self::Key(error) => error.help().map(|help| help.to_string()),
            Self::Clocks(_) => Some(
                "set the clock that is wrong (`timedatectl set-ntp true`); `seatbox sweep --all \
                 --only NAME` takes an environment away whatever the clocks say"
                    .to_owned(),
            ),
            Self::Input(_) | Self::Refused(_) | Self::Io(..) | Self::Interrupted => None,
        }
    }

    /// Prints it to standard error: with the lines of the files for people, as one JSON document
    /// without them (they may quote secrets) for programs.
    pub fn print(&self, output: Output) {
        if output == Output::Json {
            let diagnostics = match self {
                Self::Input(diagnostics) => Some(diagnostics),
                _ => None,
            };
            let preflight = match self {
                Self::Refused(preflight) => Some(v1::plan::checks(preflight)),
                _ => None,
            };
            let document = serde_json::json!({
                "version": 1,
                "error": {
                    "message": self.to_string(),
                    "hint": self.hint(),
                    "exit_code": self.exit().code(),
                    "diagnostics": diagnostics,
                    "preflight": preflight,
                }
            });
            anstream::eprintln!("{document}");
            return;
        }
        if let Self::Input(diagnostics) = self {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let width = crossterm::terminal::size().map_or(100, |(width, _)| usize::from(width));
            anstream::eprint!("{}", diagnostics.render(colour, width));
            return;
        }
        use owo_colors::OwoColorize as _;
        if let Self::Refused(preflight) = self {
            for check in preflight.failures() {
                anstream::eprintln!("{} {check}", "error:".red().bold());
                if let Some(hint) = &check.hint {
                    anstream::eprintln!("{} {hint}", "hint:".cyan());
                }
            }
            anstream::eprintln!("nothing was created");
            return;
        }
        anstream::eprintln!("{} {self}", "error:".red().bold());
        if let Some(hint) = self.hint() {
            anstream::eprintln!("{} {hint}", "hint:".cyan());
        }
    }
}

/// The result of a command.
pub type Result<T = Exit> = std::result::Result<T, Error>;

/// Turns a failure to read or write into an error that names what it was about.
pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.into();
    |error| Error::Io(what, error)
}
