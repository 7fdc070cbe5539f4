//! Layers, and where each value comes from; the first files.

use serde_json::Value;

use crate::support::desk::{Desk, repository, run};

const FILE: &str = "version: 1\nname: go-lab\nseats:\n  count: 5\nstack: stack.yaml\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("stack.yaml", "services: {a: {image: busybox}}\n");
    desk.write("seatbox.yaml", FILE);
    desk
}

/// The value and the origin of a setting.
fn setting(config: &Value, path: &str) -> (String, String) {
    let settings = config["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["path"] == path);
    let found = found.unwrap_or_else(|| panic!("{path} is not in {config:#}"));
    (text(&found["value"]), text(&found["origin"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn an_option_goes_over_a_variable_over_the_file_over_the_default() {
    let desk = desk();
    let config = |variables: &[(&str, &str)], options: &[&str]| {
        let mut command = desk.without_engine();
        command
            .envs(variables.iter().copied())
            .args(["config", "--output", "json"])
            .args(options);
        run(&mut command).exits(0).json()
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    let layers = config(&[], &[]);
    assert_eq!(setting(&layers, "seats.group_size"), pair("12", "default"));
    assert_eq!(
        setting(&layers, "seats.count"),
        pair("5", "seatbox.yaml:4:10")
    );
    let variable = [("SEATBOX__SEATS__COUNT", "7")];
    let layers = config(&variable, &[]);
    assert_eq!(
        setting(&layers, "seats.count"),
        pair("7", "SEATBOX__SEATS__COUNT")
    );
    let layers = config(&variable, &["--set", "seats.count=8"]);
    assert_eq!(
        setting(&layers, "seats.count"),
        pair("8", "--set seats.count")
    );
    let layers = config(
        &variable,
        &["--set", "seats.count=8", "--set", "seats.count=9"],
    );
    assert_eq!(setting(&layers, "seats.count").0, "9");
    assert_eq!(setting(&layers, "lifetime").1, "default");
}

#[test]
fn people_get_each_value_on_a_line_with_its_origin() {
    let ran = desk().run(&["config"]).exits(0);
    let line = ran
        .stdout
        .lines()
        .find(|line| line.starts_with("seats.count"))
        .unwrap();
    assert!(
        line.contains(" 5 ") && line.ends_with("# seatbox.yaml:4:10"),
        "{line}"
    );
}

#[test]
fn a_variable_names_the_file() {
    let desk = desk();
    std::fs::rename(desk.path("seatbox.yaml"), desk.path("other.yaml")).unwrap();
    desk.run(&["config"])
        .exits(2)
        .says(&["seatbox.yaml", "no such file"]);
    let mut command = desk.without_engine();
    command
        .env("SEATBOX_ENVIRONMENT", "other.yaml")
        .arg("config");
    run(&mut command).exits(0).says(&["other.yaml:4:10"]);
}

#[test]
fn the_shipped_event_is_the_one_of_guangzhou() {
    let file = repository("environments/gopher-guangzhou-2024.yaml");
    let config = Desk::new()
        .run(&["config", file.to_str().unwrap(), "--output", "json"])
        .exits(0)
        .json();
    for (path, value) in [
        ("seats.count", "23"),
        ("seats.group_size", "12"),
        ("event.locale", "\"zh-CN\""),
        ("event.time_zone", "\"Asia/Shanghai\""),
    ] {
        assert_eq!(setting(&config, path).0, value, "{path}");
    }
    assert!(setting(&config, "event.starts").0.contains("2024-10-19"));
}

#[test]
fn a_setting_that_is_none_is_an_error_that_names_it() {
    let desk = desk();
    desk.run(&["config", "--set", "seats.cuont=3"])
        .exits(2)
        .says(&["--set seats.cuont", "did you mean `count`?"]);
    desk.run(&["config", "--set", "seats.count"])
        .exits(2)
        .says(&["--set seats.count=VALUE"]);
    let mut command = desk.without_engine();
    command.env("SEATBOX__SEATS__COUNT", "many").arg("config");
    run(&mut command)
        .exits(2)
        .says(&["SEATBOX__SEATS__COUNT", "whole number"]);
}

#[test]
fn init_writes_files_that_work_and_overwrites_none() {
    let desk = Desk::new();
    desk.run(&["init", "go-lab", "--count", "4"])
        .exits(0)
        .says(&["go-lab/seatbox.yaml", "go-lab/stack.yaml", "seatbox plan"]);
    let config = desk
        .run(&["config", "go-lab/seatbox.yaml", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(setting(&config, "name").0, "\"go-lab\"");
    assert_eq!(setting(&config, "seats.count").0, "4");
    let before = std::fs::read(desk.path("go-lab/seatbox.yaml")).unwrap();
    desk.run(&["init", "go-lab", "--count", "5"])
        .exits(2)
        .says(&["exists already"]);
    assert_eq!(
        std::fs::read(desk.path("go-lab/seatbox.yaml")).unwrap(),
        before
    );
    // Without a name in a directory whose name is none.
    std::fs::create_dir(desk.path("_")).unwrap();
    desk.run(&["init", "_"]).exits(2).says(&["--name"]);
    assert_eq!(std::fs::read_dir(desk.path("_")).unwrap().count(), 0);
}

#[test]
fn init_refuses_a_number_of_seats_that_no_event_has() {
    let desk = Desk::new();
    for count in ["0", "100000"] {
        desk.run(&["init", "go-lab", "--count", count]).exits(2);
        assert!(!desk.path("go-lab").exists(), "{count}");
    }
}
