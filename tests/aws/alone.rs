//! What `./quickstart` shows: the environments that are shipped, on an emulator with no proxy of ours
//! before it.

use std::process::Command;

use crate::support::aws::client::REGION;
use crate::support::aws::emulator::Emulator;
use crate::support::desk::{Desk, repository, run};

#[test]
fn instances_of_the_shipped_environment_live_through_an_event_on_the_emulator_alone() {
    shows("ec2", &[]);
}

#[test]
fn tasks_of_the_shipped_environment_live_through_an_event_on_the_emulator_alone() {
    shows("ecs", &["--workspace"]);
}

fn shows(provider: &str, whole: &[&str]) {
    let (emulator, desk) = (Emulator::alone(), Desk::new());
    let before = emulator.listing();
    desk.write("ssh_config", ssh_config(&emulator, &desk));
    let seatbox = |arguments: &[&str]| run(seatbox(&emulator, &desk, provider).args(arguments));
    seatbox(&["plan"]).exits(0).says(&["3 seats"]);
    seatbox(&["up"]).exits(0).says(&["3 seats are ready"]);
    seatbox(&["up"]).exits(0).says(&["Nothing to change"]);
    seatbox(&["status"]).exits(0).says(&["→54."]);
    let mut reset = vec!["reset", "--seat", "1"];
    reset.extend(whole);
    seatbox(&reset).exits(0).says(&["1 seat is ready"]);
    seatbox(&["extend", "--by", "2h"])
        .exits(0)
        .says(&["3 seats, none of them touched"]);
    let certificate = seatbox(&["down", "--output", "json"]).exits(0).json();
    assert_eq!(certificate["clean"], true, "{certificate:#}");
    assert_eq!(emulator.listing(), before);
}

/// The program, with what `scripts/emulator.sh file` has for it.
fn seatbox(emulator: &Emulator, desk: &Desk, provider: &str) -> Command {
    let mut command = desk.seatbox();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("AWS_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&*name);
        }
    }
    let file = repository(&format!("environments/aws-{provider}.yaml"));
    command
        .env("AWS_ENDPOINT_URL", emulator.url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("SEATBOX_ENVIRONMENT", file)
        .env("SEATBOX__NAME", format!("t-shown-{provider}"))
        .env("SEATBOX__SEATS__COUNT", "3")
        .env("SEATBOX__AWS__REGION", REGION)
        .env("SEATBOX__EC2__SSH_CONFIG", desk.path("ssh_config"));
    command
}

fn ssh_config(emulator: &Emulator, desk: &Desk) -> String {
    format!(
        "Host *\n    ProxyCommand {} {} {} {REGION} %h\n    KexAlgorithms curve25519-sha256\n",
        repository("scripts/emulator/instance.sh").display(),
        desk.path("instances").display(),
        emulator.url(),
    )
}
