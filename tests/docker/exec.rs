//! Commands in a real container.

use std::time::{Duration, Instant};

use bollard::errors::Error;
use seatbox::provider::docker::exec::{ExecOptions, ExecOutput, exec_attached, exec_capture};

use super::support::TestEnvironment;

const IDLE: &str = "exec sleep 300";

async fn capture(
    environment: &TestEnvironment,
    id: &str,
    script: &str,
    limit: usize,
    deadline: Duration,
) -> Result<ExecOutput, Error> {
    let argv = ["sh", "-c", script].map(str::to_owned);
    exec_capture(
        &environment.docker,
        id,
        &argv,
        Some("nobody"),
        &[],
        limit,
        deadline,
    )
    .await
}

#[tokio::test]
async fn output_error_and_exit_code_are_caught_apart() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let script = "printf '数据库\\n'; id -un >&2; exit 42";
    let output = capture(&environment, &id, script, 1000, Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(
        output,
        ExecOutput {
            exit_code: 42,
            stdout: "数据库\n".into(),
            stderr: b"nobody\n".to_vec(),
            truncated: false,
        }
    );
}

#[tokio::test]
async fn more_output_than_the_limit_is_cut_and_the_command_ends_nevertheless() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let script = "head -c 3000000 /dev/zero; echo end >&2; exit 7";
    let output = capture(&environment, &id, script, 1000, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(output.exit_code, 7);
    assert_eq!(output.stdout.len(), 1000);
    assert_eq!(output.stderr, b"end\n");
    assert!(output.truncated);
}

#[tokio::test]
async fn a_command_that_does_not_end_is_left_at_the_deadline() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let begin = Instant::now();
    let result = capture(
        &environment,
        &id,
        "sleep 60",
        10,
        Duration::from_millis(500),
    )
    .await;
    assert!(
        matches!(result, Err(Error::RequestTimeoutError)),
        "{result:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_127_or_an_error_of_the_engine() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let argv = ["no-such-command".to_owned()];
    let docker = &environment.docker;
    let result = exec_capture(docker, &id, &argv, None, &[], 1000, Duration::from_secs(20)).await;
    match result {
        Ok(output) => assert!([126, 127].contains(&output.exit_code), "{output:?}"),
        Err(error) => {
            assert!(
                matches!(error, Error::DockerResponseServerError { .. }),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_missing_container_is_the_engines_404() {
    let environment = TestEnvironment::new().await;
    let result = capture(&environment, "0000", "true", 10, Duration::from_secs(20)).await;
    assert!(
        matches!(
            result,
            Err(Error::DockerResponseServerError {
                status_code: 404,
                ..
            })
        ),
        "{result:?}"
    );
}

#[tokio::test]
async fn an_attached_command_gets_its_settings_and_gives_its_exit_code() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let script =
        r#"[ "$PWD" = /tmp ] && [ "$COLOUR" = 蓝 ] && [ "$(id -un)" = nobody ] && exit 33"#;
    let options = ExecOptions {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        tty: Some(false),
        user: Some("nobody".to_owned()),
        workdir: Some("/tmp".to_owned()),
        env: vec!["COLOUR=蓝".to_owned()],
        ..ExecOptions::default()
    };
    let code = exec_attached(&environment.docker, &id, options)
        .await
        .unwrap();
    assert_eq!(code, 33);
}

#[tokio::test]
async fn without_input_a_command_reads_its_end_at_once() {
    let environment = TestEnvironment::new().await;
    let id = environment.run(IDLE).await;
    let options = ExecOptions {
        argv: ["sh", "-c", "cat; exit 5"].map(str::to_owned).to_vec(),
        tty: Some(false),
        ..ExecOptions::default()
    };
    let run = exec_attached(&environment.docker, &id, options);
    let code = tokio::time::timeout(Duration::from_secs(20), run)
        .await
        .expect("cat ends with its input")
        .unwrap();
    assert_eq!(code, 5);
}
