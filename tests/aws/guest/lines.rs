//! What services write, and who follows it.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process_group};

use super::instance::Instance;
use super::stack;

/// An instance whose services write a line each, but for `cache`, whose lines Docker can't tell; who
/// follows waits for more if `script` does.
fn writing(script: &str) -> Instance {
    let instance = stack::instance("");
    let service = "for service; do :; done";
    let cannot = "[ $service != cache ] || { echo 'no log of cache' >&2; exit 3; }";
    instance.command(
        "docker",
        &format!("{service}\n{cannot}\nprintf '\\377 by %s \\n' $service\n{script}"),
    );
    instance
}

#[test]
fn lines_have_their_service_before_them_and_one_that_has_none_is_told() {
    let instance = writing("");
    let logs = |arguments: &[&str]| {
        let mut command = instance.script("stack");
        command.arg("logs").args(arguments).output().unwrap()
    };
    let wanted = ["--tail", "5", "--since", "2024-10-19T06:00:00Z"];
    let wanted = [&wanted[..], &["--timestamps", "app", "migrate"]].concat();
    let output = logs(&wanted);
    assert_eq!(output.status.code(), Some(0));
    let expected: &[u8] = b"app \xff by app \nmigrate \xff by migrate \n";
    assert_eq!(output.stdout, expected);
    let options = "--tail 5 --since 2024-10-19T06:00:00Z --timestamps";
    let call = format!(" logs --no-color --no-log-prefix {options} app\n");
    assert!(instance.calls().contains(&call), "{}", instance.calls());

    // All of them; and the others' lines come all the same.
    let output = logs(&[]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, expected);
    assert_eq!(output.stderr, b"no log of cache\n");
    assert_eq!(logs(&["--nonsense"]).status.code(), Some(2));
}

/// Begins to follow, in a group of its own: it ends all that is in it.
fn follow(instance: &Instance) -> Child {
    instance
        .script("stack")
        .args(["logs", "--follow", "app", "migrate"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Waits until nothing is left of a group.
fn assert_nobody_left(group: Pid) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while test_kill_process_group(group).is_ok() {
        assert!(Instant::now() < deadline, "somebody follows still");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_follows_ends_when_nobody_asks_any_more() {
    let instance = writing("exec tail -f /dev/null");
    let mut child = follow(&instance);
    let group = Pid::from_child(&child);
    let mut lines = Vec::new();
    let mut output = child.stdout.take().unwrap();
    while lines.iter().filter(|byte| **byte == b'\n').count() < 2 {
        let mut buffer = [0; 64];
        let count = output.read(&mut buffer).unwrap();
        assert!(count > 0, "it ended");
        lines.extend_from_slice(&buffer[..count]);
    }
    assert!(child.try_wait().unwrap().is_none());
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_nobody_left(group);
}

#[test]
fn who_follows_ends_when_every_service_has() {
    let instance = writing("");
    let mut child = follow(&instance);
    let group = Pid::from_child(&child);
    // Both outputs end while somebody still asks, which is what ends a session of SSH.
    let input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 3);
    drop(input);
    assert_nobody_left(group);
}
