//! Lines of real containers.

use std::io::{self, Write};
use std::time::Duration;

use seatbox::model::SeatNumber;
use seatbox::provider::Logs;
use seatbox::provider::docker::exec::exec_capture;
use seatbox::provider::docker::logs::{LogSource, write_logs};

use super::support::TestEnvironment;

fn source(seat: u32, service: &str, container: &str) -> LogSource {
    LogSource {
        seat: SeatNumber::new(seat).unwrap(),
        service: service.parse().unwrap(),
        container: container.to_owned(),
    }
}

fn plain(bytes: &[u8]) -> String {
    String::from_utf8(anstream::adapter::strip_bytes(bytes).into_vec()).unwrap()
}

#[tokio::test]
async fn lines_of_several_containers_come_one_after_the_other() {
    let environment = TestEnvironment::new().await;
    let first = environment
        .run("echo 就绪; echo trouble >&2; printf unended")
        .await;
    let second = environment.run("echo hello").await;
    environment.ended(&first).await;
    environment.ended(&second).await;
    let sources = [source(1, "go", &first), source(12, "postgres", &second)];
    let mut out = Vec::new();
    let logged = write_logs(&environment.docker, &sources, &Logs::default(), &mut out).await;
    assert!(logged.failures.is_empty(), "{logged:?}");
    let text = plain(&out);
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), Some("12 postgres | hello"));
    // The engine does not say in which order two streams were written.
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "01 go       | trouble",
            "01 go       | unended",
            "01 go       | 就绪"
        ]
    );
}

#[tokio::test]
async fn only_the_last_lines_come_with_their_moments() {
    let environment = TestEnvironment::new().await;
    let id = environment
        .run("for i in 1 2 3 4 5; do echo line $i; done")
        .await;
    environment.ended(&id).await;
    let settings = Logs {
        tail: Some(2),
        timestamps: true,
        ..Logs::default()
    };
    let mut out = Vec::new();
    write_logs(
        &environment.docker,
        &[source(7, "redis", &id)],
        &settings,
        &mut out,
    )
    .await;
    let text = plain(&out);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].ends_with("Z line 4") && lines[1].ends_with("Z line 5"),
        "{text}"
    );
}

#[tokio::test]
async fn following_takes_lines_as_they_come_until_every_container_has_ended() {
    let environment = TestEnvironment::new().await;
    let wait = "echo one; until [ -e /tmp/go ]; do sleep 0.05; done; echo three";
    let first = environment.run(wait).await;
    let second = environment.run("echo two").await;
    let settings = Logs {
        follow: true,
        ..Logs::default()
    };
    let sources = [source(1, "first", &first), source(2, "second", &second)];
    let mut out = Vec::new();
    let all = write_logs(&environment.docker, &sources, &settings, &mut out);
    let go = async {
        environment.ended(&second).await;
        let touch = ["touch", "/tmp/go"].map(str::to_owned);
        let patience = Duration::from_secs(20);
        exec_capture(&environment.docker, &first, &touch, None, &[], 0, patience).await
    };
    let (logged, went) =
        tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(all, go) })
            .await
            .expect("following ends with the containers");
    assert!(logged.failures.is_empty(), "{logged:?}");
    went.unwrap();
    let text = plain(&out);
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), Some("01 first  | three"));
    lines.sort_unstable();
    assert_eq!(lines, ["01 first  | one", "02 second | two"]);
}

#[tokio::test]
async fn a_container_that_is_gone_does_not_keep_the_others_lines_back() {
    let environment = TestEnvironment::new().await;
    let id = environment.run("echo here").await;
    environment.ended(&id).await;
    let sources = [
        source(1, "gone", "no-such-container"),
        source(2, "redis", &id),
    ];
    let mut out = Vec::new();
    let failures = write_logs(&environment.docker, &sources, &Logs::default(), &mut out)
        .await
        .failures;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("01 gone: "), "{failures:?}");
    assert_eq!(plain(&out), "02 redis | here\n");
}

/// What a pipe to `head -1` is after its line.
struct Closing(u32);

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_it_without_error() {
    let environment = TestEnvironment::new().await;
    let id = environment
        .run("while :; do echo line; sleep 0.01; done")
        .await;
    let settings = Logs {
        follow: true,
        ..Logs::default()
    };
    let sources = [source(1, "noisy", &id)];
    let mut closing = Closing(3);
    let run = write_logs(&environment.docker, &sources, &settings, &mut closing);
    let logged = tokio::time::timeout(Duration::from_secs(20), run)
        .await
        .expect("it ends with its reader");
    assert!(
        logged.failures.is_empty() && logged.unwritten.is_none(),
        "{logged:?}"
    );
}
