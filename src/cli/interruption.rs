//! Ctrl-C and SIGTERM, heard in one place for the whole process.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::{Error, Result};
use crate::exit::Exit;

/// How long the end waits, after a second Ctrl-C, for what can't be left at any moment.
pub const GRACE: Duration = Duration::from_secs(1);

/// Who sees to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attention {
    /// Nobody: what is under way is dropped, with all that it has unpacked.
    None,
    /// Work that comes to its end, and begins nothing new.
    Work,
    /// A command in a seat, which has signals of its own.
    Command,
}

/// Whether somebody has asked this process to end.
///
/// Signals are heard from before the first step of a verb until after its last, and what was heard
/// stays known, so that none is lost between two steps.
#[derive(Debug, Clone)]
pub struct Interruption {
    /// Cancelled by the first signal.
    pub cancel: CancellationToken,
    /// Cancelled by the second.
    at_once: CancellationToken,
    /// Cancelled once that has reached what is under way.
    reached: CancellationToken,
    attention: Arc<watch::Sender<Attention>>,
}

impl Interruption {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn begin() -> io::Result<Self> {
        let interruption = Self {
            cancel: CancellationToken::new(),
            at_once: CancellationToken::new(),
            reached: CancellationToken::new(),
            attention: Arc::new(watch::Sender::new(Attention::None)),
        };
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        tokio::spawn(interruption.clone().listen(interrupt, terminate));
        Ok(interruption)
    }

    /// Does `work`. A signal that nobody sees to ends it by dropping it, and so does a second
    /// Ctrl-C whoever sees to the first: directories of files that were unpacked go with it.
    pub async fn watch<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let unattended = async {
            self.cancel.cancelled().await;
            let mut attention = self.attention.subscribe();
            // It can't fail: the sender is here.
            let _ = attention.wait_for(|by| *by == Attention::None).await;
        };
        let at_once = async {
            self.at_once.cancelled().await;
            self.reached.cancel();
        };
        tokio::select! {
            // What has come to its end has its own to say.
            biased;
            result = work => result,
            () = at_once => Err(Error::Interrupted),
            () = unattended => Err(Error::Interrupted),
        }
    }

    /// Whether it is to end at once.
    pub fn is_at_once(&self) -> bool {
        self.at_once.is_cancelled()
    }

    /// Leaves signals to work that looks at [`Interruption::cancel`], until what is returned is
    /// dropped: after its summary, that is.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where there was one already: nothing begins then.
    pub fn attend(&self) -> Result<Attended<'_>> {
        self.leave_to(Attention::Work)
    }

    /// Leaves signals to a command in a seat, likewise.
    ///
    /// # Errors
    /// As [`Interruption::attend`].
    pub fn leave_to_command(&self) -> Result<Attended<'_>> {
        self.leave_to(Attention::Command)
    }

    fn leave_to(&self, attention: Attention) -> Result<Attended<'_>> {
        if self.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        self.attention.send_replace(attention);
        Ok(Attended(self))
    }

    async fn listen(self, mut interrupt: Signal, mut terminate: Signal) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.cancel.cancel();
        if *self.attention.borrow() == Attention::Work {
            anstream::eprintln!(
                "interrupted: what is under way comes to its end; once more to stop at once"
            );
        }
        interrupt.recv().await;
        self.at_once.cancel();
        tokio::time::sleep(GRACE).await;
        // What waits in a call of the operating system, as for a reader, can't be dropped.
        if !self.reached.is_cancelled() {
            std::process::exit(Exit::Interrupted.code().into());
        }
    }
}

/// For as long as this is, somebody sees to signals.
#[derive(Debug)]
pub struct Attended<'a>(&'a Interruption);

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.0.attention.send_replace(Attention::None);
    }
}
