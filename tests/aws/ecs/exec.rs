//! Commands in tasks.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::lab::{alike, at_desk, tasks};
use super::plugin::{install, sessions, set};
use crate::aws::ec2::lab::Lab;
use crate::support::aws::exec::TOKEN;
use crate::support::desk::{Ran, run};

/// Prints each of its words in brackets, where it is, and ends with 7.
const SCRIPT: &str = r#"printf '<%s>' "$@"; printf '\n'; pwd; printf 'error' >&2; exit 7"#;

fn event(topic: &str) -> Lab {
    let lab = at_desk(topic, 1);
    install(&lab);
    lab.up();
    lab
}

#[test]
fn a_command_has_its_words_its_directory_its_output_and_its_exit_code() {
    let lab = event("exec");
    let words = [
        "",
        "two  words",
        "it's",
        "\"$HOME\"",
        "#no",
        "a\\b",
        "a\rb\n",
        "广州",
        "*",
    ];
    let mut command = vec!["exec", "--seat", "1", "--", "sh", "-c", SCRIPT, "sh"];
    command.extend(words);
    let ran = lab.run(&command).exits(7);
    let words: String = words.iter().map(|word| format!("<{word}>")).collect();
    let place = lab.desk.path("").canonicalize().unwrap();
    let place = place.display();
    assert_eq!(ran.stdout, format!("{words}\n{place}\nerror"), "{ran}");
    let [(arguments, response)] = &sessions(&lab)[..] else {
        panic!("there was one session");
    };
    assert_eq!(response["TokenValue"], TOKEN);
    assert!(!arguments.concat().contains(TOKEN), "{arguments:?}");
    assert!(!ran.all().contains(TOKEN), "{ran}");
    let task = &tasks(&lab)[&1];
    let id = task.rsplit('/').next().unwrap();
    let request = json!({"Target": format!("ecs:seatbox-{}_{id}_{id}-0", lab.name)});
    let expected = [
        "AWS_SSM_START_SESSION_RESPONSE",
        "eu-central-1",
        "StartSession",
        "",
        &request.to_string(),
        "https://ssm.eu-central-1.amazonaws.com",
    ];
    assert_eq!(arguments[..], expected);
    // What is no program, and what writes nothing.
    lab.run(&["exec", "--", "t-no-such-program"]).exits(127);
    let ran = lab.run(&["exec", "--", "true"]).exits(0);
    assert_eq!(ran.stdout, "");
    // Few calls, whatever the number of seats.
    lab.proxy.counts().reset();
    lab.run(&["exec", "--", "true"]).exits(0);
    let calls = lab.proxy.counts().by_action();
    let calls: Vec<&str> = calls.keys().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "DescribeTasks",
            "ExecuteCommand",
            "GetCallerIdentity",
            "ListTasks"
        ]
    );
    lab.down();
}

#[test]
fn a_command_has_no_input_but_a_terminals() {
    let lab = event("exec-input");
    // With none, it ends at once.
    let ran = lab.run(&["exec", "--", "cat"]).exits(0);
    assert_eq!(ran.stdout, "");
    let file = lab.desk.write("input", "what nobody would read\n");
    lab.proxy.counts().reset();
    let mut command = lab.command(&["exec", "--", "cat"]);
    let ran = run(command.stdin(File::open(file).unwrap()));
    assert!(!ran.status.success(), "{ran}");
    ran.says(&["passes no input on", "</dev/null"]);
    assert_eq!(lab.proxy.counts().of("ExecuteCommand").total(), 0);
    lab.down();
}

#[test]
fn a_plugin_that_is_missing_or_too_old_is_said_before_anything_is_asked() {
    let lab = alike("exec-plugin", 1);
    let ran = run(lab
        .command(&["exec", "--", "true"])
        .env("PATH", lab.desk.path("nowhere")));
    assert!(!ran.status.success(), "{ran}");
    ran.says(&[
        "session-manager-plugin is not installed",
        "install-plugin.html",
    ]);
    install(&lab);
    set(&lab, "version", "1.2.497.0");
    let ran = lab.run(&["exec", "--", "true"]);
    assert!(!ran.status.success(), "{ran}");
    ran.says(&["1.2.497.0 is too old", "1.2.536"]);
    assert!(sessions(&lab).is_empty());
    assert_eq!(lab.proxy.counts().of("ExecuteCommand").total(), 0);
}

#[test]
fn a_seat_in_which_nothing_can_be_run_says_why() {
    let lab = event("exec-agent");
    let fails = |says: &[&str]| {
        let ran = lab.run(&["exec", "--", "true"]);
        assert!(!ran.status.success(), "{ran}");
        ran.says(says);
    };
    lab.proxy.set(|settings| settings.exec.agent = "STOPPED");
    fails(&[
        "the agent of ECS Exec has stopped",
        "reset --seats 1 --workspace",
    ]);
    // One that begins is waited for.
    lab.proxy.set(|settings| settings.exec.agent = "PENDING");
    lab.proxy.counts().reset();
    let mut command = lab.command(&["exec", "--", "echo", "at last"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // Who it is, the list, the first look.
    assert!(lab.proxy.counts().await_arrival(3, Duration::from_secs(60)));
    lab.proxy.set(|settings| settings.exec.agent = "RUNNING");
    let ran = Ran::new(&command, child.wait_with_output().unwrap()).exits(0);
    assert_eq!(ran.stdout, "at last\n");
    set(&lab, "silent", "");
    fails(&[
        "the session did not begin",
        "Cannot perform start session: EOF",
    ]);
    lab.proxy.set(|settings| settings.exec.enabled.clear());
    fails(&["made without ECS Exec"]);
    lab.run(&["exec", "--service", "t-none", "--", "true"])
        .exits(2);
    lab.down();
    fails(&["it has no task that runs"]);
}

#[test]
fn a_session_that_is_lost_is_no_success() {
    let lab = event("exec-lost");
    set(&lab, "lost", "");
    let ran = lab.run(&["exec", "--", "sleep", "60"]);
    assert!(!ran.status.success(), "{ran}");
    ran.says(&["the session ended before the command did"]);
    lab.down();
}

#[test]
fn ctrl_c_ends_the_command_and_its_code_is_told() {
    let lab = event("exec-interrupt");
    let mut command = lab.command(&["exec", "--", "sh", "-c", "echo begun; exec sleep 60"]);
    command
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut begun = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut begun)
        .unwrap();
    assert_eq!(&begun, b"begun\n");
    let group = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).unwrap();
    Ran::new(&command, child.wait_with_output().unwrap()).exits(130);
    lab.down();
}
