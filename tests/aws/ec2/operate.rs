//! Commands in instances, and what services write there.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::lab::{Alive, Lab};
use crate::support::desk::{Desk, Ran, run};

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the program with something to read.
fn with_input(lab: &Lab, input: &str, arguments: &[&str]) -> Ran {
    let mut command = lab.command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Ran::new(&command, child.wait_with_output().unwrap())
}

/// What a service of a seat writes, in the emulator's instance.
fn written(lab: &Lab, instance: &Alive, service: &str) -> PathBuf {
    let inside = format!("{}/root/var/log/{service}.log", instance.id);
    lab.instances().join(inside)
}

#[test]
fn a_command_in_a_seat_has_its_input_its_words_as_they_are_and_its_exit_code() {
    let lab = Lab::new("exec", 2);
    lab.up();
    let script = "cat; printf '<%s>' \"$@\"; printf gone >&2; exit 7";
    let words = ["", "a b", "it's", "$HOME", "\"", "*", "数据库"];
    let own = ["exec", "--seat", "2", "--", "sh", "-c", script, "sh"];
    let ran = with_input(&lab, "first\nsecond\n", &[&own[..], &words].concat());
    let ran = ran.exits(7);
    let expected: String = words.iter().map(|word| format!("<{word}>")).collect();
    assert_eq!(ran.stdout, format!("first\nsecond\n{expected}"));
    assert_eq!(ran.stderr, "gone");

    // In that seat, and where its workspace is.
    let touch = ["exec", "--seat", "2", "--", "touch", "here"];
    with_input(&lab, "", &touch).exits(0);
    let alive = lab.assert_seats(2);
    assert!(lab.workspace(&alive[1], "here").exists());
    assert!(!lab.workspace(&alive[0], "here").exists());
    let log = format!("{}/root/var/log/docker.log", alive[1].id);
    let told = std::fs::read_to_string(lab.instances().join(log)).unwrap();
    let exec = told.lines().rfind(|line| line.contains(" exec ")).unwrap();
    assert!(exec.contains("--workdir /work"), "{exec}");
    // A shell reads commands where it has no terminal.
    let shell = with_input(
        &lab,
        "echo in $((6 * 7))\nexit 3\n",
        &["shell", "--seat", "1"],
    );
    assert_eq!(shell.exits(3).stdout, "in 42\n");
    lab.down();
}

#[test]
fn what_keeps_a_command_from_a_seat_is_said_with_what_to_do() {
    let lab = Lab::new("unreached", 3);
    lab.json(&["up", "--seats", "1-2"]);
    let exec = ["exec", "--seat", "3", "--", "true"];
    lab.run(&exec)
        .exits(1)
        .says(&["seat 03 has no instance", "seatbox up --seats 3"]);

    let foreign = Desk::new();
    for file in ["seatbox.yaml", "stack.yaml", "ssh_config", "first/hello.go"] {
        foreign.write(file, std::fs::read(lab.desk.path(file)).unwrap());
    }
    let exec = ["exec", "--seat", "1", "--", "true"];
    run(&mut lab.command_at(&foreign, &exec))
        .exits(1)
        .says(&["was made with event key", "seatbox key import"]);
    let ran = run(&mut lab.command_at(&foreign, &["logs"])).exits(1);
    assert_eq!(ran.stderr.matches("seatbox key import").count(), 1, "{ran}");

    let alive = lab.assert_seats(2);
    let service = format!("{}/root/var/lib/docker/redis", alive[0].id);
    std::fs::remove_file(lab.instances().join(service)).unwrap();
    let exec = ["exec", "--seat", "1", "--service", "redis", "--", "true"];
    lab.run(&exec).exits(1).says(&["is not running"]);

    let stop = [("InstanceId.1", &*alive[1].id)];
    lab.emulator.client().ec2("StopInstances", &stop);
    let exec = ["exec", "--seat", "2", "--", "true"];
    lab.run(&exec)
        .exits(1)
        .says(&["is stopped", "seatbox up --seats 2", "start-instances"]);

    let stack = format!("{}/root/var/lib/seatbox/stack", alive[0].id);
    std::fs::remove_dir_all(lab.instances().join(stack)).unwrap();
    let exec = ["exec", "--seat", "1", "--", "true"];
    lab.run(&exec).exits(1).says(&["no stack has come yet"]);
    lab.desk
        .write("ssh_config", "Host *\n    ProxyCommand false\n");
    lab.run(&exec).exits(4).says(&["aws.venue"]);
    lab.down();
}

#[test]
fn lines_come_seat_by_seat_and_a_seat_that_is_not_reached_costs_no_other_its_lines() {
    let lab = Lab::new("logs", 3);
    lab.up();
    let alive = lab.assert_seats(3);
    for (seat, instance) in (1..).zip(&alive) {
        for service in ["work", "redis"] {
            let lines = format!("{service} of {seat}\n就绪  \n");
            std::fs::write(written(&lab, instance, service), lines).unwrap();
        }
    }
    let ran = lab.run(&["logs", "--seats", "1,3"]).exits(0);
    assert_eq!(
        ran.stdout,
        "01 work  | work of 1\n01 work  | 就绪  \n01 redis | redis of 1\n01 redis | 就绪  \n\
         03 work  | work of 3\n03 work  | 就绪  \n03 redis | redis of 3\n03 redis | 就绪  \n"
    );
    // Who has read enough is no failure.
    let mut child = lab
        .command(&["logs"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(ended(&mut child), Some(0));
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(said, "");

    // What one service's Docker can't tell.
    let work = written(&lab, &alive[2], "work");
    std::fs::remove_file(&work).unwrap();
    std::fs::create_dir(&work).unwrap();
    let ran = lab.run(&["logs", "--seats", "1,3", "--tail", "1"]).exits(3);
    assert_eq!(
        ran.stdout,
        "01 work  | 就绪  \n01 redis | 就绪  \n03 redis | 就绪  \n"
    );
    assert!(ran.stderr.starts_with("03: "), "{ran}");

    let stop = [("InstanceId.1", &*alive[1].id)];
    lab.emulator.client().ec2("StopInstances", &stop);
    let ran = lab.run(&["logs", "--service", "redis", "--tail", "1"]);
    let ran = ran.exits(3);
    assert_eq!(ran.stdout, "01 redis | 就绪  \n03 redis | 就绪  \n");
    assert!(ran.stderr.contains("02: i-"), "{ran}");
    assert!(ran.stderr.contains("is stopped"), "{ran}");
    lab.down();
}

/// The processes that read a file until they are told to end.
fn followers(file: &Path) -> usize {
    let file = file.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok())
        .filter(|words| words.starts_with("tail\0") && words.contains(file))
        .count()
}

fn ended(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_follows_sees_new_lines_and_leaves_nobody_behind_who_follows() {
    let lab = Lab::new("follow", 3);
    lab.up();
    let mut alive = lab.assert_seats(3);
    let stopped = alive.pop().unwrap();
    let stop = [("InstanceId.1", &*stopped.id)];
    lab.emulator.client().ec2("StopInstances", &stop);
    let files: Vec<PathBuf> = alive
        .iter()
        .map(|instance| written(&lab, instance, "work"))
        .collect();
    for file in &files {
        std::fs::write(file, "old\n").unwrap();
    }
    let mut child = lab
        .command(&["logs", "--follow", "--service", "work"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Said while it goes on.
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = told.next().unwrap().unwrap();
    assert_eq!(told, format!("03: {} is stopped", stopped.id));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    let mut first = [next(), next()];
    first.sort();
    assert_eq!(first, ["01 work | old", "02 work | old"]);
    let append = |file: &Path| {
        let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(b"new\n").unwrap();
    };
    append(&files[1]);
    assert_eq!(next(), "02 work | new");
    append(&files[0]);
    assert_eq!(next(), "01 work | new");
    assert_eq!(files.iter().map(|file| followers(file)).sum::<usize>(), 2);

    let id = Pid::from_child(&child);
    kill_process(id, Signal::INT).unwrap();
    assert_eq!(ended(&mut child), Some(130));
    let deadline = Instant::now() + PATIENCE;
    while files.iter().any(|file| followers(file) > 0) {
        assert!(Instant::now() < deadline, "somebody follows still");
        std::thread::sleep(Duration::from_millis(50));
    }
    lab.down();
}

#[test]
fn what_instances_are_known_by_is_forgotten_with_them() {
    let lab = Lab::new("known", 2);
    lab.up();
    let known = lab.desk.path("state/seatbox/t-known.known_hosts");
    let lines = std::fs::read_to_string(&known).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    lab.json(&["down", "--seats", "2"]);
    assert!(known.exists());
    lab.down();
    assert!(!known.exists());
    assert!(lab.desk.path("state/seatbox/t-known.key").exists());
}
