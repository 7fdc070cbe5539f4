//! User data as a whole: that cloud-init, systemd and the shell take it.

use std::io::Read as _;
use std::process::Command;

use seatbox::provider::aws::ec2::guest_data::{GuestSettings, Launch, user_data};
use serde_json::Value;

use super::instance::{CloudConfig, EXPIRES, Instance, make_executable, seats, text};
use crate::support::desk::{repository, run};

fn settings() -> GuestSettings {
    GuestSettings {
        apt_mirror: Some("https://mirror.example/ubuntu".to_owned()),
        registry_mirrors: vec!["https://registry.example".to_owned()],
        ..GuestSettings::default()
    }
}

/// The schema of cloud-init itself.
fn schema() -> Value {
    let path = run(Command::new(repository("scripts/cloud-init.sh")).current_dir(repository("")));
    let path = path.exits(0).stdout;
    let text = std::fs::read_to_string(path.trim()).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn cloud_init_takes_it() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for settings in [settings(), GuestSettings::default()] {
        let config: Value = serde_yaml::from_str(&text(&settings)).unwrap();
        let problems: Vec<_> = validator
            .iter_errors(&config)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }
    // And it would have said so otherwise.
    let wrong = serde_json::json!({"runcmd": "no list", "write_files": [{"content": "no path"}]});
    assert_eq!(validator.iter_errors(&wrong).count(), 2);
}

#[test]
fn it_is_compressed_and_begins_as_cloud_init_wants_it() {
    let data = user_data(&Launch {
        environment: &"lab".parse().unwrap(),
        seats: &seats(),
        expires: EXPIRES.parse().unwrap(),
        settings: &settings(),
    })
    .unwrap();
    let mut plain = String::new();
    flate2::read::GzDecoder::new(data.as_slice())
        .read_to_string(&mut plain)
        .unwrap();
    assert!(plain.starts_with("#cloud-config\n"));
    assert_eq!(plain, text(&settings()));
}

#[test]
fn settings_arrive_where_they_are_used() {
    let text = text(&settings());
    let config: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(
        config["apt"]["primary"][0]["uri"],
        "https://mirror.example/ubuntu"
    );
    let files: CloudConfig = serde_yaml::from_str(&text).unwrap();
    let file = |path: &str| {
        let file = files.write_files.iter().find(|file| file.path == path);
        &file.unwrap_or_else(|| panic!("{path}")).content
    };
    let daemon: Value = serde_json::from_str(file("/etc/docker/daemon.json")).unwrap();
    assert_eq!(daemon["registry-mirrors"][0], "https://registry.example");
    assert!(file("/etc/seatbox/install.env").contains("SEATBOX_GO_VERSION=1.23.12\n"));

    let without: Value = serde_yaml::from_str(&super::instance::text(&GuestSettings {
        go: None,
        ..GuestSettings::default()
    }))
    .unwrap();
    assert!(without.get("apt").is_none());
    let env = without["write_files"][0]["content"].as_str().unwrap();
    assert!(env.contains("SEATBOX_GO_VERSION=''\n"), "{env}");
}

#[test]
fn the_scripts_are_whole_when_they_arrive() {
    let instance = Instance::with(&settings());
    let scripts = ["deadline", "install", "receive", "stack"];
    let paths = scripts.map(|name| instance.at(&format!("usr/local/sbin/seatbox-{name}")));
    let mut shellcheck = Command::new("shellcheck");
    // The boot script has no first line that says which shell it is for.
    shellcheck
        .arg("--shell=dash")
        .args(&paths)
        .arg(instance.at("boot.sh"));
    run(&mut shellcheck).exits(0);
}

#[test]
fn systemd_takes_the_units() {
    let instance = Instance::new();
    let sbin = instance.at("usr/local/sbin");
    for name in ["deadline", "install"] {
        make_executable(&sbin.join(format!("seatbox-{name}")));
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no"]);
    for name in ["deadline.service", "deadline.timer", "install.service"] {
        let unit = format!("etc/systemd/system/seatbox-{name}");
        // Where the script is here.
        let text = instance.read(&unit);
        let text = text.replace("/usr/local/sbin", &sbin.display().to_string());
        verify.arg(instance.desk.write(&format!("root/{unit}"), text));
    }
    let ran = run(&mut verify).exits(0);
    assert_eq!(ran.all(), "", "{ran}");
}
