//! Whether seats are what they are said to be: each service is asked, and each password tried.

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::stream::{self, StreamExt as _};
use seatbox::model::{Environment, SeatNumber, SeatValues as _, SeatVariable};
use seatbox::provider::docker::names;
use seatbox::provider::values::seat_values;
use seatbox::secret::EventKey;

use crate::Result;
use crate::engine::{Container, containers};

/// How many services are asked at once.
const WIDTH: usize = 8;
/// How long those have that were only started.
const PATIENCE: Duration = Duration::from_secs(120);

/// A login over the network; the same with a wrong password must fail.
const POSTGRES: &str = r#"
login() { psql --host "$(hostname)" --username gopher --dbname workshop --no-password -Atc 'SELECT 1'; }
[ "$(login)" = 1 ] && ! PGPASSWORD=wrong login 2>/dev/null
"#;
const REDIS: &str = r#"
[ "$(redis-cli ping)" = PONG ] && [ "$(REDISCLI_AUTH=wrong redis-cli ping 2>/dev/null)" != PONG ]
"#;
/// Go runs, and the seat's own services are found by their names.
const WORKSPACE: &str = r#"
go version | grep -q ' go1\.' && getent hosts redis postgres >/dev/null
"#;

/// Sees that each of `seats` has all services of the stack and that they answer, to the seat's own
/// password or, where the database came with the image, to the `common` one: at once, or, where
/// `waits`, within two minutes.
pub async fn ready(
    docker: &Docker,
    environment: &Environment,
    key: &EventKey,
    common: Option<&str>,
    seats: impl Iterator<Item = SeatNumber>,
    waits: bool,
) -> Result {
    let found = containers(docker, &format!("{}-", environment.name)).await?;
    let mut asked: Vec<(Container, String)> = Vec::new();
    for seat in seats {
        let project = names::project(&environment.name, seat);
        for service in environment.stack.services.keys() {
            let service = service.as_str();
            let mut here = found
                .iter()
                .filter(|c| c.project == project && c.service == service);
            let (Some(container), None) = (here.next(), here.next()) else {
                return Err(format!("{project} has not one {service}").into());
            };
            let password = match common {
                Some(password) if service == "postgres" => password.to_owned(),
                _ => seat_values(environment, key, seat)
                    .value(&SeatVariable::Secret(service.to_owned())),
            };
            asked.push((container.clone(), password));
        }
    }
    let answers = stream::iter(asked).map(|(container, password)| async move {
        let began = Instant::now();
        loop {
            match ask(docker, &container, &password).await {
                Err(_) if waits && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                answer => return answer,
            }
        }
    });
    for answer in answers.buffer_unordered(WIDTH).collect::<Vec<_>>().await {
        answer?;
    }
    Ok(())
}

async fn ask(docker: &Docker, container: &Container, password: &str) -> Result {
    let script = match container.service.as_str() {
        "postgres" => POSTGRES,
        "redis" => REDIS,
        "workspace" => WORKSPACE,
        other => return Err(format!("nobody knows how to ask {other}").into()),
    };
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: Some(vec![
            format!("PGPASSWORD={password}"),
            format!("REDISCLI_AUTH={password}"),
        ]),
        cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
        ..Default::default()
    };
    let exec = docker.create_exec(&container.id, config).await?.id;
    let mut said = String::new();
    if let StartExecResults::Attached { mut output, .. } =
        docker.start_exec(&exec, None::<StartExecOptions>).await?
    {
        while let Some(piece) = output.next().await {
            said.push_str(&piece?.to_string());
        }
    }
    // The engine learns of the end a moment after the output's.
    for _ in 0..200 {
        match docker.inspect_exec(&exec).await?.exit_code {
            Some(0) => return Ok(()),
            None => tokio::time::sleep(Duration::from_millis(25)).await,
            Some(code) => {
                return Err(format!(
                    "{} of {} is not ready: exit code {code} {}",
                    container.service,
                    container.project,
                    said.trim()
                )
                .into());
            }
        }
    }
    Err(format!("{} of {} hangs", container.service, container.project).into())
}
