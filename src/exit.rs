//! Exit codes, as docs/exit-codes.md promises them to scripts.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for was done.
    Success,
    /// Something went wrong that has no code of its own.
    Failure,
    /// The command line, the environment file or the stack can't be used as it is. Nothing was
    /// touched.
    Input,
    /// Some seats failed, or something could not be deleted; the rest was done.
    Partial,
    /// The engine or the cloud can't be reached.
    Unreachable,
    /// Somebody interrupted it.
    Interrupted,
    /// The code of the command that was run in a seat.
    Command(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Input => 2,
            Self::Partial => 3,
            Self::Unreachable => 4,
            // 128 + SIGINT, as shells have it.
            Self::Interrupted => 130,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
