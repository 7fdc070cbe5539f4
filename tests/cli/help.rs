//! What the program says of itself.

use crate::support::desk::Desk;

const VERBS: [&str; 18] = [
    "init",
    "config",
    "schema",
    "plan",
    "up",
    "status",
    "reset",
    "shell",
    "exec",
    "logs",
    "down",
    "extend",
    "sweep",
    "images",
    "export",
    "key",
    "completions",
    "man",
];

#[test]
fn every_verb_has_a_help() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).exits(0);
    assert!(help.stdout.contains("Exit codes"), "{help}");
    for verb in VERBS {
        let listed = help
            .stdout
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{verb} ")));
        assert!(listed, "{verb} is not in {help}");
        let own = desk.run(&["help", verb]).exits(0);
        assert!(own.stdout.contains("Usage: seatbox"), "{own}");
    }
    assert!(!desk.path("state").exists());
}

#[test]
fn the_version_is_the_packages() {
    let version = Desk::new().run(&["--version"]).exits(0);
    assert_eq!(
        version.stdout,
        format!("seatbox {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_2_with_a_hint() {
    let desk = Desk::new();
    desk.run(&[]).exits(2).says(&["Usage: seatbox"]);
    desk.run(&["rest"]).exits(2).says(&["reset"]);
    desk.run(&["up", "--seets", "1"])
        .exits(2)
        .says(&["--seats"]);
    for seats in ["0", "x", "3-1", "1,,2", "10001", "-", ""] {
        desk.run(&["status", "--seats", seats])
            .exits(2)
            .says(&["--seats"]);
    }
    desk.run(&["exec", "--seat", "1"]).exits(2);
    desk.run(&["reset", "--all", "--seats", "1"]).exits(2);
    desk.run(&["status", "--watch", "--interval", "0"]).exits(2);
    desk.run(&["sweep", "--only", "Not A Name"]).exits(2);
}

#[test]
fn completions_are_for_bash_zsh_and_fish() {
    let desk = Desk::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef seatbox"),
        ("fish", "complete -c seatbox"),
    ] {
        let script = desk.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains(word), "{shell}: {script}");
        for verb in VERBS {
            assert!(
                script.contains(verb),
                "{verb} is not in the script for {shell}"
            );
        }
    }
    let script = desk.run(&["completions", "bash"]).stdout;
    let file = desk.write("completions.bash", script);
    let checked = std::process::Command::new("bash")
        .arg("-n")
        .arg(file)
        .status()
        .unwrap();
    assert!(checked.success());
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let desk = Desk::new();
    let page = desk.run(&["man"]).exits(0).stdout;
    assert!(page.contains(".TH") && page.contains("seatbox"), "{page}");
    desk.run(&["man", "--directory", "pages"]).exits(0);
    for verb in VERBS {
        let page = desk.path("pages").join(format!("seatbox-{verb}.1"));
        let page =
            std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page:?}: {error}"));
        assert!(page.contains(".SH DESCRIPTION"), "{verb}: {page}");
    }
}
