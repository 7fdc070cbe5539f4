//! Commands run in a seat's containers: with their output caught for a check, or with this
//! process's own input and output for a person.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::provider::signals::Signals;
use crate::provider::terminal::{self, RawMode};

/// How often, and how many times, is asked for the exit code of a command whose output has ended:
/// the engine learns of the end a moment later.
const EXIT_POLL: (Duration, u32) = (Duration::from_millis(25), 80);

/// How often, and how many times, the first size of a terminal is set: the engine takes none before
/// the command has started.
const FIRST_RESIZE: (Duration, u32) = (Duration::from_millis(20), 10);

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its exit code; 126 and 127 are the engine's for what can't be run or found.
    pub exit_code: i64,
    /// What it wrote to its standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// Whether it wrote more than the limit.
    pub truncated: bool,
}

/// Runs `argv` in the container and catches what it writes, `limit` bytes of each stream. `env` are
/// variables that it gets besides the container's, as `NAME=value`.
///
/// # Errors
/// What the engine says, or [`Error::RequestTimeoutError`] where the command has not ended within
/// `deadline`; it may still be running then.
pub async fn exec_capture(
    docker: &Docker,
    container: &str,
    argv: &[String],
    user: Option<&str>,
    env: &[String],
    limit: usize,
    deadline: Duration,
) -> Result<ExecOutput, Error> {
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(argv.to_vec()),
        user: user.map(str::to_owned),
        env: Some(env.to_vec()).filter(|env| !env.is_empty()),
        ..ExecConfig::default()
    };
    let run = async {
        let exec = docker.create_exec(container, config).await?.id;
        let (mut output, _input) = start(docker, &exec, false).await?;
        let mut caught = ExecOutput {
            exit_code: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
        };
        while let Some(piece) = output.next().await {
            let piece = piece?;
            let stream = match &piece {
                LogOutput::StdErr { .. } => &mut caught.stderr,
                _ => &mut caught.stdout,
            };
            // The rest is read all the same: a full pipe would keep the command from ending.
            let bytes = piece.as_ref();
            let kept = bytes.len().min(limit - stream.len());
            stream.extend_from_slice(&bytes[..kept]);
            caught.truncated |= kept < bytes.len();
        }
        // Where its output was cut off, its end is still what counts.
        loop {
            if let Some(code) = exit_code(docker, &exec).await? {
                caught.exit_code = code;
                return Ok(caught);
            }
        }
    };
    tokio::time::timeout(deadline, run)
        .await
        .unwrap_or(Err(Error::RequestTimeoutError))
}

/// A command to run for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// The command and its arguments.
    pub argv: Vec<String>,
    /// Whether it gets a terminal; where `None`, it does if this process's input and output are
    /// one.
    pub tty: Option<bool>,
    /// Whether it gets this process's input. Without it, its input is empty.
    pub stdin: bool,
    /// Whom it runs as, where not the container's user.
    pub user: Option<String>,
    /// Where it runs, where not in the container's directory.
    pub workdir: Option<String>,
    /// Variables it gets besides the container's, as `NAME=value`.
    pub env: Vec<String>,
}

/// Runs a command in the container with this process's input and output, and gives its exit code.
///
/// With a terminal, every key goes to the command, Ctrl-C too. A signal that ends this process
/// (SIGTERM, SIGHUP, SIGINT) ends the wait; the code is 128 and the signal's
/// number then, as a shell has it, and the terminal is as it was before.
///
/// # Errors
/// What the engine says. Where this process's output is closed, that is no error: the command goes
/// on without a reader.
pub async fn exec_attached(
    docker: &Docker,
    container: &str,
    options: ExecOptions,
) -> Result<i64, Error> {
    // Before anything else: from here on nobody else sees to them.
    let mut signals = Signals::install()?;
    let tty = options.tty.unwrap_or_else(terminal::is_one);
    let size = if tty { terminal::size() } else { None };
    let config = ExecConfig {
        attach_stdin: Some(options.stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(tty),
        // Engines from 23 on begin with that size; older ones pass over it.
        console_size: size.map(|(columns, rows)| vec![rows.into(), columns.into()]),
        cmd: Some(options.argv),
        user: options.user,
        working_dir: options.workdir,
        env: Some(options.env).filter(|env| !env.is_empty()),
        ..ExecConfig::default()
    };
    let exec = docker.create_exec(container, config).await?.id;
    let _raw = (tty && options.stdin).then(RawMode::enter).transpose()?;
    let (output, input) = start(docker, &exec, tty).await?;

    let attached = async {
        tokio::select! {
            written = copy_output(output) => written,
            never = forward_input(input, options.stdin) => match never {},
            never = follow_size(docker, &exec, tty) => match never {},
        }
    };
    tokio::select! {
        written = attached => written?,
        number = signals.received() => return Ok(128 + i64::from(number)),
    }
    // One that has closed its output and goes on can't be waited for any more, and did not fail.
    Ok(exit_code(docker, &exec).await?.unwrap_or(0))
}

type Output = std::pin::Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
type Input = std::pin::Pin<Box<dyn AsyncWrite + Send>>;

async fn start(docker: &Docker, exec: &str, tty: bool) -> Result<(Output, Input), Error> {
    let options = StartExecOptions {
        tty,
        ..StartExecOptions::default()
    };
    match docker.start_exec(exec, Some(options)).await? {
        StartExecResults::Attached { output, input } => Ok((output, input)),
        StartExecResults::Detached => unreachable!("it was not asked to detach"),
    }
}

/// The exit code, once the engine has one; none where the command still runs after a while.
///
/// # Errors
/// What the engine says, and that the command never began: the connection was lost just before.
async fn exit_code(docker: &Docker, exec: &str) -> Result<Option<i64>, Error> {
    let (pause, attempts) = EXIT_POLL;
    let mut runs = false;
    for _ in 0..attempts {
        let state = docker.inspect_exec(exec).await?;
        runs = state.running == Some(true);
        if !runs && let Some(code) = state.exit_code {
            return Ok(Some(code));
        }
        sleep(pause).await;
    }
    if runs {
        return Ok(None);
    }
    let words = "the connection was lost before the command began";
    Err(io::Error::new(io::ErrorKind::ConnectionAborted, words).into())
}

/// Writes what comes to this process's output and error until there is no more.
async fn copy_output(mut output: Output) -> Result<(), Error> {
    let mut reader = true;
    while let Some(piece) = output.next().await {
        let piece = piece?;
        if !reader {
            continue;
        }
        let written = match &piece {
            LogOutput::StdErr { message } => write_out(io::stderr().lock(), message),
            other => write_out(io::stdout().lock(), other.as_ref()),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => reader = false,
            other => other?,
        }
    }
    Ok(())
}

fn write_out(mut to: impl io::Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// Passes this process's input on, and says to the command when it has ended. Goes on for ever
/// after that: it is the output that says when the command has ended.
async fn forward_input(mut input: Input, forward: bool) -> Infallible {
    if forward {
        let mut pieces = terminal::input();
        while let Some(piece) = pieces.recv().await {
            // A command that has closed its input still has output to show.
            if input.write_all(&piece).await.is_err() || input.flush().await.is_err() {
                break;
            }
        }
        let _ = input.shutdown().await;
    }
    std::future::pending().await
}

/// Gives the command's terminal the size of this process's one, now and whenever that changes.
async fn follow_size(docker: &Docker, exec: &str, tty: bool) -> Infallible {
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return std::future::pending().await;
    };
    if !tty {
        return std::future::pending().await;
    }
    let (pause, attempts) = FIRST_RESIZE;
    for _ in 0..attempts {
        if resize(docker, exec).await {
            break;
        }
        sleep(pause).await;
    }
    while changes.recv().await.is_some() {
        resize(docker, exec).await;
    }
    std::future::pending().await
}

/// Whether there is nothing left to do: a terminal of the wrong size is better than none.
async fn resize(docker: &Docker, exec: &str) -> bool {
    let Some((columns, rows)) = terminal::size() else {
        return true;
    };
    let size = ResizeExecOptionsBuilder::new()
        .w(columns.into())
        .h(rows.into())
        .build();
    docker.resize_exec(exec, size).await.is_ok()
}
