//! What one does with a seat: run commands, open a shell, read what was written.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::event::{Event, SMALL};
use crate::support::desk::Ran;

const TALKATIVE: &str = r#"
services:
  talker:
    image: seatbox.local/redis:7
    entrypoint: []
    init: true
    command: [sh, -c, 'for n in 1 2 3; do echo "seat $$SEAT says $$n"; done; echo trouble >&2; exec sleep infinity']
    environment: {SEAT: "${SEATBOX_SEAT}"}
  silent: {image: 'seatbox.local/redis:7', entrypoint: [], command: [sleep, infinity], init: true}
"#;

fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran::new(command, output)
}

#[tokio::test]
async fn exec_runs_in_the_seat_and_ends_as_the_command_does() {
    let event = Event::new("exec", 2, SMALL).await;
    event.up();
    for seat in [1, 2] {
        // The workspace unless told otherwise, in its directory.
        let seat_text = seat.to_string();
        let ran = event
            .run(&[
                "exec",
                "--seat",
                &seat_text,
                "--",
                "sh",
                "-c",
                "echo $SEAT $PWD",
            ])
            .exits(0);
        assert_eq!(ran.stdout, format!("{seat} /work\n"));
        assert_eq!(ran.stderr, "");
    }
    for code in [0, 1, 42, 137, 255] {
        event.sh(1, "work", &format!("exit {code}")).exits(code);
    }
    let ran = event.sh(1, "work", "echo out; echo err >&2").exits(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("out\n", "err\n")
    );
    // Which of the two depends on the engine's version.
    let ran = event.run(&["exec", "--seat", "1", "--", "no-such-program"]);
    assert!(matches!(ran.status.code(), Some(126 | 127)), "{ran}");
    event
        .run(&["exec", "--", "true"])
        .exits(2)
        .says(&["which of the 2 seats"]);
    event
        .run(&["exec", "--seat", "3", "--", "true"])
        .exits(2)
        .says(&["no seat 3"]);
    event
        .run(&["exec", "--seat", "1", "-s", "radis", "--", "true"])
        .exits(2)
        .says(&["work, redis"]);
    event.down().await;
    let ran = event.run(&["exec", "--seat", "1", "--", "true"]);
    assert!(ran.status.code() == Some(1), "{ran}");
    ran.says(&["seatbox status --seats 1"]);
}

#[tokio::test]
async fn input_is_piped_through_to_its_end() {
    let event = Event::new("stdin", 1, SMALL).await;
    event.up();
    // More than any buffer on the way holds.
    let input: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut command = event.command(&[
        "exec",
        "--",
        "sh",
        "-c",
        "cat > /work/all; wc -c < /work/all; cksum < /work/all",
    ]);
    let there = run_with_input(&mut command, &input).exits(0);
    let mut here = Command::new("cksum");
    let here = run_with_input(&mut here, &input).exits(0);
    assert_eq!(there.stdout, format!("3000000\n{}", here.stdout));
    // And through to the other side.
    let mut command = event.command(&["exec", "--", "tr", "a-z", "A-Z"]);
    assert_eq!(
        run_with_input(&mut command, "go 广州\n".as_bytes())
            .exits(0)
            .stdout,
        "GO 广州\n"
    );
    event.down().await;
}

#[tokio::test]
async fn a_shell_on_a_terminal_is_one() {
    let event = Event::new("shell", 1, SMALL).await;
    event.up();
    let program = event.command(&["shell"]);
    // `script` gives it a terminal of its own.
    let mut command = Command::new("script");
    command
        .args([
            "-qec",
            &format!("'{}' shell", program.get_program().to_str().unwrap()),
            "/dev/null",
        ])
        .current_dir(event.desk.path(""))
        .env("TERM", "xterm");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // Typed, so that the shell is there to read it.
    for line in [
        "tty && echo terminal-$((20 + 22))\n",
        "pwd; echo $TERM\n",
        "exit 9\n",
    ] {
        std::thread::sleep(std::time::Duration::from_millis(700));
        input.write_all(line.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    drop(input);
    let ran = Ran::new(&command, output).exits(9);
    ran.says(&["/dev/pts/", "terminal-42", "/work", "xterm"]);
    event.down().await;
}

#[tokio::test]
async fn logs_are_told_apart_by_seat_and_service() {
    let event = Event::new("logs", 2, TALKATIVE).await;
    event.up();
    let ran = event.run(&["logs"]).exits(0);
    for seat in [1, 2] {
        for n in [1, 2, 3] {
            let line = format!("seat {seat} says {n}");
            let found = ran.stdout.lines().find(|found| found.ends_with(&line));
            let found = found.unwrap_or_else(|| panic!("{line} is not in {ran}"));
            assert!(found.starts_with(&format!("0{seat} talker")), "{found}");
        }
    }
    assert!(ran.stdout.contains("trouble"), "{ran}");
    let ran = event
        .run(&["logs", "--seats", "2", "-s", "talker", "-n", "4"])
        .exits(0);
    assert_eq!(ran.stdout.lines().count(), 4, "{ran}");
    assert!(!ran.stdout.contains("seat 1"), "{ran}");
    let ran = event.run(&["logs", "-s", "silent"]).exits(0);
    assert_eq!(ran.stdout, "");
    event
        .run(&["logs", "-s", "tolker"])
        .exits(2)
        .says(&["talker, silent"]);
    event.run(&["logs", "--since", "yesterday-ish"]).exits(2);
    event.down().await;
    event.run(&["logs"]).exits(2).says(&["none of these seats"]);
}

#[tokio::test]
async fn status_can_be_watched_until_interrupted() {
    let event = Event::new("watch", 1, TALKATIVE).await;
    event.up();
    let watch = event
        .command(&["status", "--watch", "--interval", "1", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let pid = rustix::process::Pid::from_raw(watch.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = watch.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let documents =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
    let documents: Vec<_> = documents.collect::<Result<_, _>>().unwrap();
    assert!(documents.len() >= 2, "{documents:#?}");
    event.down().await;
}
