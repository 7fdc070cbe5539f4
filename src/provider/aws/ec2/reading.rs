//! A command on an instance whose output is read as it comes.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use super::ssh::{Session, keep};
use super::ssh_said::{self, CALL};
use crate::engine::{Failure, FailureClass};
use crate::provider::lines::Assembly;
use crate::provider::ssh::one_line;

/// A command that runs. It ends with this value: its input ends then, and ssh does.
pub struct Reading {
    child: Child,
    session: Session,
    /// Open for as long as somebody reads.
    _input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    error: JoinHandle<Vec<u8>>,
    assembly: Assembly,
    ready: VecDeque<Vec<u8>>,
    /// What comes after the last line.
    failure: Option<Failure>,
}

impl Reading {
    pub(super) fn new(mut child: Child, session: Session) -> Self {
        Self {
            _input: child.stdin.take(),
            output: child.stdout.take(),
            error: tokio::spawn(keep(child.stderr.take())),
            assembly: Assembly::default(),
            ready: VecDeque::new(),
            failure: None,
            child,
            session,
        }
    }

    /// Its lines, without their ends; and at the end what went wrong, if anything did.
    pub fn lines(self) -> impl Stream<Item = Result<Vec<u8>, Failure>> + Send {
        stream::unfold(self, |mut reading| async move {
            let next = reading.next().await?;
            Some((next, reading))
        })
    }

    async fn next(&mut self) -> Option<Result<Vec<u8>, Failure>> {
        let mut buffer = [0; 8192];
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            let Some(output) = &mut self.output else {
                return self.failure.take().map(Err);
            };
            match output.read(&mut buffer).await {
                Ok(count @ 1..) => self.ready.extend(self.assembly.take(&buffer[..count])),
                Ok(_) | Err(_) => {
                    self.output = None;
                    self.ready.extend(self.assembly.finish());
                    self.failure = self.ended().await.err();
                }
            }
        }
    }

    async fn ended(&mut self) -> Result<(), Failure> {
        let status = self.child.wait().await;
        let said = (&mut self.error).await.unwrap_or_default();
        match self.session.code(status)? {
            0 => Ok(()),
            code => Err(ssh_said::lost(&said).unwrap_or_else(|| {
                let words = match one_line(&said) {
                    words if words.is_empty() => format!("it ended with {code}"),
                    words => words,
                };
                Failure::new(FailureClass::Broken, CALL, words)
            })),
        }
    }
}
