//! A shell in a task, on a terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use super::lab::at_desk;
use super::plugin::install;
use crate::support::desk::Ran;

#[test]
fn a_shell_on_a_terminal_is_one_and_ctrl_c_is_its_own() {
    let lab = at_desk("exec-shell", 1);
    install(&lab);
    lab.up();
    let program = lab.command(&["shell"]);
    // `script` gives it a terminal of its own, and `stty` says how that is left. Ctrl-C reaches the shell
    // around it too, and not every shell outlives that unasked.
    let shell = format!(
        "trap : INT; stty -a; '{}' shell; echo code-$?; stty -a",
        program.get_program().to_str().unwrap()
    );
    let mut command = Command::new("script");
    command
        .args(["-qec", &shell, "/dev/null"])
        .current_dir(lab.desk.path(""))
        .env("SHELL", "/bin/sh");
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
    let mut seen = String::new();
    for (awaited, keys) in [
        ("shell-is-here", "tty && echo terminal-$((20 + 22))\n"),
        ("terminal-42", "pwd; echo place-$((1 + 1))\n"),
        // One process says it and sleeps, for a shell between two commands does not pass Ctrl-C on.
        ("place-2", "sh -c 'echo sleeps-$((1 + 1)); exec sleep 60'\n"),
        ("sleeps-2", "\u{3}"),
        ("^C", "echo alive-$((6 * 7))\n"),
        ("alive-42", "exit 9\n"),
    ] {
        read_until(&mut child, &mut seen, awaited);
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(keys.as_bytes())
            .unwrap();
    }
    let mut rest = String::new();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stdout = (seen + &rest).into_bytes();
    let place = lab.desk.path("").canonicalize().unwrap();
    let ran = Ran::new(&command, output).exits(0).says(&[
        "/dev/pts/",
        "terminal-42",
        place.to_str().unwrap(),
        "alive-42",
        "Exiting session",
        // ECS tells nobody how it ended.
        "code-0",
    ]);
    // The plugin of this test leaves the terminal without echo.
    let modes: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.contains("icanon"))
        .collect();
    assert_eq!(modes.len(), 2, "{ran}");
    assert_eq!(modes[0], modes[1], "{ran}");
    lab.down();
}

/// Reads what is shown until that is among it.
fn read_until(child: &mut Child, seen: &mut String, awaited: &str) {
    let stdout = child.stdout.as_mut().unwrap();
    while !seen.contains(awaited) {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{awaited}: {seen}");
        seen.push(char::from(byte[0]));
    }
}
