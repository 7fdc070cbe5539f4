//! The signals that end this process, for whoever has something to put right before.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end this process, caught so that the terminal is put right before.
pub struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from here on.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Catches those as well that only keys of the terminal send (Ctrl-\\, Ctrl-Z), so that they are
    /// nothing to this process: a program in the same terminal has them. For good.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn leave_keys() -> io::Result<()> {
        let suspend = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
        for kind in [SignalKind::quit(), suspend] {
            drop(signal(kind)?);
        }
        Ok(())
    }

    /// The number of the next one that is no key's: Ctrl-C is left to who else is in the terminal.
    pub async fn ended(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }

    /// The number of the next one.
    pub async fn received(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        };
        kind.as_raw_value()
    }
}
