//! The timer and the crontab that sweep a machine which nobody watches.

use std::path::Path;
use std::process::Command;

use crate::support::desk::{Desk, Ran, run};

fn verify(units: &[&Path]) -> Ran {
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]).args(units);
    run(&mut command)
}

#[test]
fn the_units_are_what_systemd_takes() {
    let desk = Desk::new();
    desk.run(&["export", "systemd", "--directory", "units"])
        .exits(0)
        .says(&["seatbox-sweep.service", "enable --now seatbox-sweep.timer"]);
    let service = desk.path("units/seatbox-sweep.service");
    let timer = desk.path("units/seatbox-sweep.timer");
    let verified = verify(&[&service, &timer]).exits(0);
    assert_eq!(verified.all(), "", "{verified}");

    // And it would have said so otherwise.
    let text = std::fs::read_to_string(&service).unwrap();
    let broken = desk.write(
        "broken.service",
        text.replace("ExecStart=", "ExecStart=no "),
    );
    assert!(!verify(&[&broken]).status.success());
}

#[test]
fn a_program_with_a_strange_path_is_still_found() {
    let desk = Desk::new();
    let strange = desk.path("all 100% mine/the seatbox");
    std::fs::create_dir_all(strange.parent().unwrap()).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_seatbox"), &strange).unwrap();
    let mut command = Command::new(&strange);
    command
        .current_dir(desk.path(""))
        .env("DOCKER_HOST", "unix:///nowhere/an \"engine\".sock")
        .args(["export", "systemd", "--directory", "units"]);
    run(&mut command).exits(0);
    let verified = verify(&[&desk.path("units/seatbox-sweep.service")]).exits(0);
    assert_eq!(verified.all(), "", "{verified}");
}

#[test]
fn no_unit_is_overwritten_unless_that_is_asked_for() {
    let desk = Desk::new();
    let mine = "# my own\n";
    let timer = desk.write("units/seatbox-sweep.timer", mine);
    let export = ["export", "systemd", "--directory", "units"];
    desk.run(&export)
        .exits(2)
        .says(&["exists already", "--force"]);
    assert_eq!(std::fs::read_to_string(&timer).unwrap(), mine);
    assert!(!desk.path("units/seatbox-sweep.service").exists());
    desk.run(&[&export[..], &["--force"]].concat()).exits(0);
    assert_ne!(std::fs::read_to_string(&timer).unwrap(), mine);
    desk.run(&["export", "systemd", "--force"]).exits(2);
}

#[test]
fn both_can_be_read_before_they_are_installed() {
    let desk = Desk::new();
    desk.run(&["export", "systemd", "--only", "go-workshop"])
        .exits(0)
        .says(&[
            "# seatbox-sweep.timer",
            "Persistent=true",
            "sweep --quiet --only go-workshop",
        ]);
    let crontab = desk.run(&["export", "cron"]).exits(0).stdout;
    let lines: Vec<&str> = crontab
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(lines.len(), 1, "{crontab}");
    assert!(lines[0].contains("there-is-no-engine.sock"), "{crontab}");
}

#[test]
fn cron_has_something_to_mail_where_no_engine_answers() {
    let desk = Desk::new();
    let crontab = desk.run(&["export", "cron"]).exits(0).stdout;
    let line = crontab.lines().last().unwrap();
    let command = line.strip_prefix("*/15 * * * * ").unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .env_clear()
        .env("HOME", desk.path(""))
        .env("PATH", "/usr/bin:/bin")
        .args(["-c", command]);
    let ran = run(&mut shell).exits(4);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("there-is-no-engine.sock"), "{ran}");
}

#[test]
fn a_timer_for_aws_names_its_regions_and_files_and_no_credentials() {
    let desk = Desk::new();
    let export = |form: &[&str], variables: &[(&str, &str)]| {
        let mut command = desk.seatbox();
        for name in [
            "AWS_CA_BUNDLE",
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_CONFIG_FILE",
        ] {
            command.env_remove(name);
        }
        let regions = ["--region", "cn-north-1", "--region", "cn-northwest-1"];
        command
            .args(["export"])
            .args(form)
            .args(["--provider", "ecs"])
            .args(regions)
            .envs(variables.iter().copied());
        run(&mut command)
    };
    let profile = [("AWS_PROFILE", "sweeper"), ("AWS_CONFIG_FILE", "/etc/aws")];
    let crontab = export(&["cron"], &profile).exits(0).stdout;
    let line = crontab.lines().last().unwrap();
    assert!(
        line.contains("AWS_PROFILE=sweeper AWS_CONFIG_FILE=/etc/aws "),
        "{line}"
    );
    let told =
        "sweep --quiet --provider ecs --region cn-north-1 --region cn-northwest-1 >/dev/null";
    assert!(line.ends_with(told), "{line}");
    assert!(!line.contains("DOCKER_HOST"), "{line}");

    let units = ["systemd", "--directory", "units"];
    export(&units, &profile).exits(0);
    let service = desk.path("units/seatbox-sweep.service");
    let timer = desk.path("units/seatbox-sweep.timer");
    let verified = verify(&[&service, &timer]).exits(0);
    assert_eq!(verified.all(), "", "{verified}");

    let secret = [("AWS_SECRET_ACCESS_KEY", "the-secret-itself")];
    let refused = export(&["cron"], &secret).exits(2);
    assert!(!refused.all().contains("the-secret-itself"), "{refused}");
    refused.says(&["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]);
    desk.run(&["export", "cron", "--region", "eu-west-1"])
        .exits(2)
        .says(&["no region of AWS"]);
}
