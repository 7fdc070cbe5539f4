//! Waiting until a container answers: its check is run by us, at once and often, instead of
//! waiting for the engine's own interval.

use std::time::{Duration, Instant};

use bollard::Docker as Client;
use bollard::errors::Error;
use bollard::models::{ContainerStateStatusEnum, HealthStatusEnum};
use bollard::query_parameters::{InspectContainerOptions, LogsOptions};
use futures_util::StreamExt as _;

use super::door::{Door, Seen};
use super::errors::failure;
use super::exec::exec_capture;
use crate::engine::retry::again;
use crate::engine::{Failure, FailureClass, Progress};

/// The pause before the second attempt; it grows to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long ports may stay closed before the check is run all the same: at first, and at most.
const FIRST_PATIENCE: Duration = Duration::from_millis(1000);
const LONGEST_PATIENCE: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a container without a check must have stayed up.
const SETTLED: Duration = Duration::from_millis(500);
/// How often a container may be started again by the engine before it counts as broken.
const PATIENCE: i64 = 5;
/// A shell's exit code, and the engine's, for a command that a signal ended: this and its number.
const SIGNALLED: i64 = 128;
/// How much of a check's output is kept.
const OUTPUT_LIMIT: usize = 4096;

/// How to see that a service is ready.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    /// Its check, in the engine's form (`CMD` or `CMD-SHELL` first).
    pub test: Vec<String>,
    /// What has to be done to a copy of a snapshot before the check can pass, in the same form.
    pub personalize: Option<Vec<String>>,
    /// TCP ports of which one is open when it is worth while to ask; none where that says nothing.
    pub ports: Vec<u16>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Readiness {
    /// The commands that must succeed one after another. A command that is run in a container costs
    /// the engine 40 ms of a core whatever it does, so two for the shell are made one.
    fn commands(&self, test: &[String]) -> Vec<Vec<String>> {
        match (self.personalize.as_deref(), test) {
            (Some([first, personalize]), [second, test])
                if first == "CMD-SHELL" && second == "CMD-SHELL" =>
            {
                let both = format!("(\n{personalize}\n) && (\n{test}\n)");
                vec![argv(&["CMD-SHELL".to_owned(), both])]
            }
            (Some(personalize), test) => vec![argv(personalize), argv(test)],
            (None, test) => vec![argv(test)],
        }
    }
}

/// Waits until a service is ready: runs its check, after what comes before it, until it succeeds, so
/// long as the container runs and the time is not over.
pub async fn await_ready(
    client: &Client,
    container: &str,
    readiness: &Readiness,
    progress: &Progress,
) -> Result<(), Failure> {
    const CALL: &str = "check";
    let begun = Instant::now();
    let timeout = readiness.timeout;
    let test = match readiness.test.as_slice() {
        // Only its times are the stack's.
        [] => own_test(client, container).await?,
        test => test.to_vec(),
    };
    if argv(&test).is_empty() {
        return await_running(client, container).await;
    }
    let commands = readiness.commands(&test);
    let mut door = Door::of(client, container, &readiness.ports).await;
    let (mut pause, mut patience) = (FIRST_PAUSE, FIRST_PATIENCE);
    loop {
        if let Some(closed) = &door
            && closed.opened(patience).await != Seen::Closed
        {
            door = None;
        }
        let last = match run_all(client, container, &commands).await {
            Ok(None) => return Ok(()),
            Ok(Some(words)) => words,
            // A container that does not run can't be checked: see why below.
            Err(error) => super::errors::message(&error),
        };
        match ended(client, container, CALL).await {
            Ok(None) => {}
            Ok(Some(end)) => return Err(end),
            // To look on takes many calls: one that went wrong is not the end of it.
            Err(failure) if matches!(failure.class, FailureClass::Connection) => {}
            Err(failure) => return Err(failure),
        }
        if begun.elapsed() + pause > timeout {
            return Err(Failure::new(
                FailureClass::Broken,
                CALL,
                format!(
                    "not ready after {} s; its check says: {last}",
                    timeout.as_secs()
                ),
            )
            .with_hint(format!("see `docker logs {container}`")));
        }
        progress.report("waiting until it answers", None, None);
        if door.is_some() {
            patience = (patience * 3 / 2).min(LONGEST_PATIENCE);
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

/// Runs commands one after another; what the first that failed said, where one did.
async fn run_all(
    client: &Client,
    container: &str,
    commands: &[Vec<String>],
) -> Result<Option<String>, Error> {
    for command in commands {
        let output =
            exec_capture(client, container, command, None, &[], OUTPUT_LIMIT, ATTEMPT).await?;
        if output.exit_code != 0 {
            return Ok(Some(words(
                &output.stdout,
                &output.stderr,
                output.exit_code,
            )));
        }
    }
    Ok(None)
}

/// Whether the container's own check passes at this moment.
pub async fn passes(client: &Client, container: &str) -> bool {
    // A call that went wrong says nothing of the container.
    let Ok(test) = again(|| own_test(client, container)).await else {
        return false;
    };
    let argv = argv(&test);
    !argv.is_empty()
        && again(|| check(client, container, &argv))
            .await
            .unwrap_or(false)
}

async fn check(client: &Client, container: &str, argv: &[String]) -> Result<bool, Failure> {
    match exec_capture(client, container, argv, None, &[], OUTPUT_LIMIT, ATTEMPT).await {
        // The engine ends a command whose connection is lost: that says nothing of the container.
        Ok(output) if output.exit_code > SIGNALLED => Err(Failure::new(
            FailureClass::Connection,
            "check",
            format!("it was ended by signal {}", output.exit_code - SIGNALLED),
        )),
        Ok(output) => Ok(output.exit_code == 0),
        // What does not end has not passed.
        Err(Error::RequestTimeoutError) => Ok(false),
        Err(error) => Err(failure("check", &error)),
    }
}

/// Whether the container ended because it wanted more memory than it may have, if that can be told.
pub async fn ran_out_of_memory(client: &Client, container: &str) -> Option<bool> {
    again(|| inspect(client, container, "inspect container"))
        .await
        .ok()?
        .0
        .oom_killed
}

/// The check that the container has, from the stack or from its image.
async fn own_test(client: &Client, container: &str) -> Result<Vec<String>, Failure> {
    let inspected = client
        .inspect_container(container, None::<InspectContainerOptions>)
        .await
        .map_err(|error| failure("inspect container", &error))?;
    let check = inspected.config.and_then(|config| config.healthcheck);
    Ok(check.and_then(|check| check.test).unwrap_or_default())
}

/// Sees whether a container without a check still runs a moment after its start: one that ends at
/// once was started all the same.
pub async fn await_running(client: &Client, container: &str) -> Result<(), Failure> {
    tokio::time::sleep(SETTLED).await;
    match ended(client, container, "check").await? {
        Some(end) => Err(end),
        None => Ok(()),
    }
}

/// Waits until the container has ended with exit code 0.
pub async fn await_exit(
    client: &Client,
    container: &str,
    timeout: Duration,
) -> Result<(), Failure> {
    const CALL: &str = "await";
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let (state, _) = inspect(client, container, CALL).await?;
        if matches!(
            state.status,
            Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD)
        ) {
            return match state.exit_code {
                Some(0) => Ok(()),
                code => Err(broken(client, container, CALL, code, state.oom_killed).await),
            };
        }
        if begun.elapsed() + pause > timeout {
            return Err(Failure::new(
                FailureClass::Broken,
                CALL,
                format!("still running after {} s", timeout.as_secs()),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// A check as a command to run.
pub fn argv(test: &[String]) -> Vec<String> {
    match test.split_first() {
        Some((form, [command])) if form == "CMD-SHELL" => {
            ["/bin/sh", "-c", command].map(str::to_owned).to_vec()
        }
        Some((_, command)) => command.to_vec(),
        None => Vec::new(),
    }
}

/// Its state, and how often the engine has started it again.
async fn inspect(
    client: &Client,
    container: &str,
    call: &str,
) -> Result<(bollard::models::ContainerState, i64), Failure> {
    client
        .inspect_container(container, None::<InspectContainerOptions>)
        .await
        .map(|inspected| {
            let restarts = inspected.restart_count.unwrap_or_default();
            (inspected.state.unwrap_or_default(), restarts)
        })
        .map_err(|error| failure(call, &error))
}

/// Why the container does not run, if it does not.
async fn ended(client: &Client, container: &str, call: &str) -> Result<Option<Failure>, Failure> {
    let (state, restarts) = inspect(client, container, call).await?;
    let health = state.health.as_ref().and_then(|health| health.status);
    Ok(match state.status {
        Some(ContainerStateStatusEnum::RUNNING) if health == Some(HealthStatusEnum::UNHEALTHY) => {
            None
        }
        Some(ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::CREATED) => None,
        // It may end a few times until what it needs is there.
        Some(ContainerStateStatusEnum::RESTARTING) if restarts <= PATIENCE => None,
        _ => Some(broken(client, container, call, state.exit_code, state.oom_killed).await),
    })
}

async fn broken(
    client: &Client,
    container: &str,
    call: &str,
    code: Option<i64>,
    oom_killed: Option<bool>,
) -> Failure {
    let mut message = match code {
        _ if oom_killed == Some(true) => "it was killed for want of memory".to_owned(),
        Some(code) => format!("it ended with exit code {code}"),
        None => "it does not run".to_owned(),
    };
    if let Some(line) = last_words(client, container).await {
        message = format!("{message}; its last words: {line}");
    }
    Failure::new(FailureClass::Broken, call, message)
        .with_hint(format!("see `docker logs {container}`"))
}

/// The last line that the container wrote.
async fn last_words(client: &Client, container: &str) -> Option<String> {
    let mut lines = client.logs(
        container,
        Some(LogsOptions {
            stdout: true,
            stderr: true,
            tail: "3".to_owned(),
            ..Default::default()
        }),
    );
    let mut last = None;
    while let Some(Ok(line)) = lines.next().await {
        let text = String::from_utf8_lossy(&line.into_bytes())
            .trim()
            .to_owned();
        if !text.is_empty() {
            last = Some(text);
        }
    }
    last
}

fn words(stdout: &[u8], stderr: &[u8], code: i64) -> String {
    let output = if stderr.is_empty() { stdout } else { stderr };
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    match line {
        Some(line) => line.trim().to_owned(),
        None => format!("exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_a_check_is_run_with_it_where_both_are_for_the_shell() {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let commands = |personalize: &[&str], test: &[&str]| {
            let readiness = Readiness {
                personalize: Some(list(personalize)),
                ..Readiness::default()
            };
            readiness.commands(&list(test))
        };
        assert_eq!(
            commands(&["CMD-SHELL", "a <<X\nb\nX"], &["CMD-SHELL", "c"]),
            [["/bin/sh", "-c", "(\na <<X\nb\nX\n) && (\nc\n)"]]
        );
        assert_eq!(
            commands(&["CMD", "a", "b"], &["CMD-SHELL", "c"]),
            [vec!["a", "b"], vec!["/bin/sh", "-c", "c"]]
        );
    }

    #[test]
    fn a_shell_check_goes_through_the_shell_and_a_plain_one_does_not() {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            argv(&list(&["CMD-SHELL", "redis-cli ping | grep PONG"])),
            ["/bin/sh", "-c", "redis-cli ping | grep PONG"]
        );
        assert_eq!(
            argv(&list(&["CMD", "redis-cli", "ping"])),
            ["redis-cli", "ping"]
        );
    }
}
