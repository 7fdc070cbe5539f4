//! Ctrl-C and SIGTERM at an engine that takes every call and answers none.

use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::bundle;
use crate::support::desk::Desk;

/// Far more than any of this takes, and far less than an engine is waited for.
const SOON: Duration = Duration::from_secs(10);

/// A desk with a bundle, and a directory for temporary files.
fn desk() -> Desk {
    let desk = Desk::new();
    bundle::pack(&desk, "event.seatbox");
    desk.write("tmp/.keep", "");
    desk
}

/// The program there, on an engine that is silent.
fn seatbox(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = desk.seatbox();
    command
        .env("DOCKER_HOST", format!("unix://{}", socket(desk)))
        .env_remove("DOCKER_CONTEXT")
        .env("TMPDIR", desk.path("tmp"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn socket(desk: &Desk) -> String {
    desk.path("silent.sock").display().to_string()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
}

/// The code that it ends with, and what it says.
#[track_caller]
fn end(mut child: Child) -> (Option<i32>, String) {
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it goes on");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (status.code(), said)
}

/// How much lies where temporary files go.
fn unpacked(desk: &Desk) -> usize {
    std::fs::read_dir(desk.path("tmp")).unwrap().count() - 1
}

#[test]
fn a_verb_that_waits_for_the_engine_ends_by_a_signal_and_takes_the_bundles_files_with_it() {
    let verbs: [&[&str]; 8] = [
        &["up", "event.seatbox"],
        &["up", "--bundle", "event.seatbox"],
        &["plan", "event.seatbox"],
        &["reset", "event.seatbox"],
        &["status", "event.seatbox"],
        &["logs", "--follow", "event.seatbox"],
        &["down", "event.seatbox"],
        &["exec", "event.seatbox", "--", "true"],
    ];
    for (place, verb) in verbs.iter().enumerate() {
        let desk = desk();
        let engine = UnixListener::bind(socket(&desk)).unwrap();
        let child = seatbox(&desk, verb).spawn().unwrap();
        let _call = engine.accept().unwrap();
        let signal = [Signal::INT, Signal::TERM][place % 2];
        send(&child, signal);
        let (code, said) = end(child);
        assert_eq!(code, Some(130), "{verb:?}: {said}");
        assert!(said.contains("error: interrupted"), "{verb:?}: {said}");
        assert_eq!(unpacked(&desk), 0, "{verb:?}");
        assert!(!desk.path("state").exists(), "{verb:?}: a key was made");
    }
}

#[test]
fn a_key_that_never_comes_is_not_waited_for_after_ctrl_c() {
    let desk = desk();
    let mut import = seatbox(&desk, &["key", "import", "event.seatbox"]);
    let mut child = import.stdin(Stdio::piped()).spawn().unwrap();
    let _nothing = child.stdin.take().unwrap();
    // It has read the bundle by then, or will see the signal while it does.
    std::thread::sleep(Duration::from_millis(300));
    send(&child, Signal::INT);
    let (code, said) = end(child);
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(unpacked(&desk), 0);
}

#[test]
fn a_second_ctrl_c_ends_what_cannot_be_dropped() {
    let desk = Desk::new();
    // More than a pipe holds, and nobody reads it.
    let long = "x".repeat(200_000);
    desk.write(
        "seatbox.yaml",
        format!(
            "version: 1\nname: go-lab\nstack: {{template: go-redis-postgres, variables: {{LONG: {long}}}}}\n"
        ),
    );
    let mut config = seatbox(&desk, &["config"]);
    let mut child = config.stdout(Stdio::piped()).spawn().unwrap();
    let _unread = child.stdout.take().unwrap();
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(300));
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < SOON, "it goes on");
        send(&child, Signal::INT);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
