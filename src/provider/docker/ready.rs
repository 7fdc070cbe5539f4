//! Waiting until a container answers: its check is run by us, at once and often, instead of
//! waiting for the engine's own interval.

use std::time::{Duration, Instant};

use backon::Retryable as _;
use bollard::Docker as Client;
use bollard::models::{ContainerStateStatusEnum, HealthStatusEnum};
use bollard::query_parameters::{InspectContainerOptions, LogsOptions};
use futures_util::StreamExt as _;

use super::errors::failure;
use super::exec::exec_capture;
use crate::engine::{Failure, FailureClass, Progress, retry};

/// The pause before the second attempt; it grows to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a container without a check must have stayed up.
const SETTLED: Duration = Duration::from_millis(500);
/// How often a container may be started again by the engine before it counts as broken.
const PATIENCE: i64 = 5;
/// How much of a check's output is kept.
const OUTPUT_LIMIT: usize = 4096;

/// Runs `test` (in the engine's form, `CMD` or `CMD-SHELL` first) in the container until it
/// succeeds, so long as the container runs and `timeout` is not over. A check that passed already
/// in the engine's own eyes is not repeated.
pub async fn await_ready(
    client: &Client,
    container: &str,
    test: &[String],
    timeout: Duration,
    progress: &Progress,
) -> Result<(), Failure> {
    const CALL: &str = "check";
    let begun = Instant::now();
    let argv = match test {
        // Only its times are the stack's.
        [] => argv(&own_test(client, container).await?),
        test => argv(test),
    };
    if argv.is_empty() {
        return await_running(client, container).await;
    }
    let mut pause = FIRST_PAUSE;
    loop {
        let last = match exec_capture(client, container, &argv, None, OUTPUT_LIMIT, ATTEMPT).await {
            Ok(output) if output.exit_code == 0 => return Ok(()),
            Ok(output) => words(&output.stdout, &output.stderr, output.exit_code),
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
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Whether the container's own check passes at this moment.
pub async fn passes(client: &Client, container: &str) -> bool {
    // A call that went wrong says nothing of the container.
    (|| passes_once(client, container))
        .retry(retry::rhythm())
        .when(|failure: &Failure| failure.class.is_retryable())
        .await
        .unwrap_or(false)
}

async fn passes_once(client: &Client, container: &str) -> Result<bool, Failure> {
    let argv = argv(&own_test(client, container).await?);
    if argv.is_empty() {
        return Ok(false);
    }
    exec_capture(client, container, &argv, None, OUTPUT_LIMIT, ATTEMPT)
        .await
        .map(|output| output.exit_code == 0)
        .map_err(|error| failure("check", &error))
}

/// Whether the container ended because it wanted more memory than it may have, if that can be told.
pub async fn ran_out_of_memory(client: &Client, container: &str) -> Option<bool> {
    (|| inspect(client, container, "inspect container"))
        .retry(retry::rhythm())
        .when(|failure: &Failure| failure.class.is_retryable())
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

/// The check as a command to run.
fn argv(test: &[String]) -> Vec<String> {
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
