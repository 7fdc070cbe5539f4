//! A shell in a task, on a terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::lab::at_desk;
use super::plugin::install;
use crate::support::desk::Ran;

#[test]
fn a_shell_on_a_terminal_is_one_and_ctrl_c_is_its_own() {
    let lab = at_desk("exec-shell", 1);
    install(&lab);
    lab.up();
    let program = lab.command(&["shell"]);
    // `script` gives it a terminal of its own, and `stty` says how that is left.
    let shell = format!(
        "stty -a; '{}' shell; echo code-$?; stty -a",
        program.get_program().to_str().unwrap()
    );
    let mut command = Command::new("script");
    command
        .args(["-qec", &shell, "/dev/null"])
        .current_dir(lab.desk.path(""));
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
    assert!(lab.proxy.counts().await_arrival(1, Duration::from_secs(60)));
    for keys in [
        "tty && echo terminal-$((20 + 22))\n",
        "pwd\n",
        "sleep 60\n",
        "\u{3}",
        "echo alive-$((6 * 7))\n",
        "exit 9\n",
    ] {
        std::thread::sleep(Duration::from_secs(1));
        input.write_all(keys.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    drop(input);
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
