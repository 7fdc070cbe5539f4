//! AWS's Session Manager plugin, the program that connects to a command in a task: run as AWS's own
//! command line runs it (aws-cli, `customizations/ecs/executecommand.py` and
//! `customizations/sessionmanager.py`).

use std::io::{self, Write as _};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::command_line::Marks;
use crate::engine::{Failure, FailureClass};
use crate::provider::signals::Signals;
use crate::provider::ssh::one_line;
use crate::provider::terminal;

const PROGRAM: &str = "session-manager-plugin";

/// The variable that the plugin takes a session from where its first argument is this name. Arguments
/// are everybody's to read on a machine, and a session has a token that opens it.
const RESPONSE: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// The first version that does (Systems Manager user guide, "Session Manager plugin latest version and
/// release history", December 2023). Older ones take the token as an argument.
const OLDEST: [u32; 3] = [1, 2, 536];

const WHERE: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/\
                     session-manager-working-with-install-plugin.html";

/// How long the plugin may take to say its version.
const VERSION: Duration = Duration::from_secs(10);

/// How long the plugin has to pass Ctrl-C on, and to end.
const PASSING: Duration = Duration::from_secs(1);
const ENDING: Duration = Duration::from_secs(5);

const CALL: &str = "run a command in a task";

/// A session that ECS has opened, and what the plugin must know besides.
pub struct Session<'a> {
    /// Its id.
    pub id: &'a str,
    /// Where its other end is.
    pub stream: &'a str,
    /// What opens it.
    pub token: SecretString,
    /// The region.
    pub region: &'a str,
    /// The other end as Systems Manager names it: `ecs:CLUSTER_TASK_RUNTIME`.
    pub target: &'a str,
    /// Systems Manager's address, for when the connection is lost.
    pub endpoint: &'a str,
}

/// Makes sure that there is a plugin, and one that is not told the token as an argument.
///
/// # Errors
/// There is none, or it is too old.
pub async fn check() -> Result<(), Failure> {
    let mut command = Command::new(PROGRAM);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(VERSION, command.output()).await;
    let output = match output {
        Ok(output) => output.map_err(|error| not_started(&error))?,
        Err(_) => return Err(failure(format!("{PROGRAM} does not say its version"))),
    };
    let said = one_line(&output.stdout);
    if is_new_enough(&said) {
        return Ok(());
    }
    let [major, minor, patch] = OLDEST;
    let message = format!("{PROGRAM} {said} is too old: it would show the session's token to all");
    Err(failure(message).with_hint(format!(
        "install {major}.{minor}.{patch} or later, the newest best: {WHERE}"
    )))
}

fn is_new_enough(version: &str) -> bool {
    let parts: Option<Vec<u32>> = version
        .split('.')
        .map(|part| part.trim().parse().ok())
        .collect();
    parts.is_some_and(|parts| parts.as_slice() >= OLDEST.as_slice())
}

fn failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Invalid, CALL, message)
}

fn lost(message: String) -> Failure {
    Failure::new(FailureClass::Connection, CALL, message)
}

fn not_started(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("{PROGRAM} is not installed: AWS connects to tasks through it");
        return failure(message).with_hint(format!("install it: {WHERE}"));
    }
    failure(format!("{PROGRAM} can't be started: {error}"))
}

impl Session<'_> {
    /// Runs the plugin in this process's terminal, to the session's end. What keys send, Ctrl-C too, is
    /// the session's. A signal that ends this process ends the plugin first; the terminal is as it was
    /// before, whatever happened.
    ///
    /// # Errors
    /// The plugin can't be run.
    pub async fn attend(&self) -> Result<i64, Failure> {
        let mut signals = Signals::install().map_err(|error| failure(error.to_string()))?;
        Signals::leave_keys().map_err(|error| failure(error.to_string()))?;
        let _kept = terminal::Kept::now();
        let mut child = self
            .command()
            .spawn()
            .map_err(|error| not_started(&error))?;
        tokio::select! {
            status = child.wait() => code(status),
            number = signals.ended() => {
                end(&mut child, Some(Signal::INT)).await;
                Ok(128 + i64::from(number))
            }
        }
    }

    /// Runs the plugin for a marked command: writes what that writes to this process's output, and gives
    /// its exit code. Ctrl-C ends the command; a second one, or a signal that ends this process, ends the
    /// plugin.
    ///
    /// # Errors
    /// The plugin can't be run, or the session ended before the command did.
    pub async fn read(&self, mark: &str) -> Result<i64, Failure> {
        let mut signals = Signals::install().map_err(|error| failure(error.to_string()))?;
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(&error))?;
        // At the end of its input the plugin gives up (amazon-ssm-agent#354): there is none until the
        // command has ended.
        let _input: Option<ChildStdin> = child.stdin.take();
        let copied = copy(child.stdout.take().expect("it is a pipe"), mark);
        tokio::pin!(copied);
        let mut interrupts = 0;
        let (result, last) = loop {
            tokio::select! {
                result = &mut copied => break (result, None),
                number = signals.received() => {
                    let is_interrupt = number == Signal::INT.as_raw();
                    interrupts += u32::from(is_interrupt);
                    if !is_interrupt || interrupts > 1 {
                        break (Ok(128 + i64::from(number)), Some(Signal::INT));
                    }
                }
            }
        };
        end(&mut child, last).await;
        result
    }

    fn command(&self) -> Command {
        let response = json!({
            "SessionId": self.id,
            "StreamUrl": self.stream,
            "TokenValue": self.token.expose_secret(),
        });
        let request = json!({"Target": self.target});
        let profile = std::env::var("AWS_PROFILE").unwrap_or_default();
        let mut command = Command::new(PROGRAM);
        command
            .args([RESPONSE, self.region, "StartSession", &profile])
            .args([&request.to_string(), self.endpoint])
            .env(RESPONSE, response.to_string())
            .kill_on_drop(true);
        command
    }
}

/// Writes the command's output as it comes, until the command has ended.
async fn copy(mut stream: ChildStdout, mark: &str) -> Result<i64, Failure> {
    let mut marks = Marks::new(mark);
    let mut buffer = [0; 8192];
    // A command whose reader has gone away goes on without.
    let mut is_read = true;
    loop {
        let count = stream.read(&mut buffer).await;
        let count = count.map_err(|error| lost(error.to_string()))?;
        if count == 0 {
            return Err(match marks.words() {
                Some(words) => failure(format!("the session did not begin: {words}")),
                None => lost("the session ended before the command did".to_owned()),
            });
        }
        let output = marks.take(&buffer[..count]);
        if is_read && !output.is_empty() {
            let mut stdout = io::stdout().lock();
            match stdout.write_all(&output).and_then(|()| stdout.flush()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => is_read = false,
                written => written.map_err(|error| failure(error.to_string()))?,
            }
        }
        if let Some(code) = marks.code() {
            return Ok(code);
        }
    }
}

/// Sees to it that the plugin ends: it has a moment, after `first` if there is such a signal. Ctrl-C it
/// says to the other end, so that a command does not go on alone.
async fn end(child: &mut Child, first: Option<Signal>) {
    for (signal, patience) in [(first, PASSING), (Some(Signal::TERM), ENDING)] {
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let (Some(id), Some(signal)) = (id, signal) {
            let _ = kill_process(id, signal);
        }
        if tokio::time::timeout(patience, child.wait()).await.is_ok() {
            return;
        }
    }
}

fn code(status: io::Result<ExitStatus>) -> Result<i64, Failure> {
    let status = status.map_err(|error| lost(error.to_string()))?;
    match status.code() {
        Some(code) => Ok(code.into()),
        None => Err(lost(format!("{PROGRAM} ended with {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session<'static> {
        Session {
            id: "ecs-execute-command-1",
            stream: "wss://example.org/1",
            token: SecretString::from("very secret"),
            region: "cn-north-1",
            target: "ecs:seatbox-lab_1_1-2",
            endpoint: "https://ssm.cn-north-1.amazonaws.com.cn",
        }
    }

    #[test]
    fn the_token_is_in_no_argument() {
        let session = session();
        let command = session.command();
        let arguments: Vec<&str> = command
            .as_std()
            .get_args()
            .filter_map(|argument| argument.to_str())
            .collect();
        assert_eq!(
            arguments[..3],
            [RESPONSE, "cn-north-1", "StartSession"],
            "{arguments:?}"
        );
        assert_eq!(arguments[4], r#"{"Target":"ecs:seatbox-lab_1_1-2"}"#);
        assert_eq!(arguments.len(), 6);
        assert!(!arguments.concat().contains("secret"));
        let given = command
            .as_std()
            .get_envs()
            .find(|(name, _)| *name == RESPONSE);
        let (_, response) = given.unwrap();
        assert_eq!(
            response.unwrap(),
            r#"{"SessionId":"ecs-execute-command-1","StreamUrl":"wss://example.org/1","TokenValue":"very secret"}"#
        );
    }

    #[test]
    fn plugins_that_would_take_the_token_as_an_argument_are_too_old() {
        for version in ["1.2.536.0", "1.2.764.0\n", "1.3.0.0", "2.0", "1.2.536"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["1.2.497.0", "1.1.61.0", "0.9", "", "unknown", "1.2.x.0"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
