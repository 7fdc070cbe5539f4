//! What an instance installs, with commands that install nothing.

use seatbox::provider::aws::ec2::guest_data::{GoRelease, GuestSettings};
use sha2::{Digest as _, Sha256};

use super::instance::Instance;
use crate::support::desk::{Ran, run};

/// An archive of Go, as far as that goes.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut append = |path: &str, mode: u32, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        archive
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    };
    let program = "#!/bin/sh\necho go version go1.23.99 linux\n";
    append("go/bin/go", 0o755, program);
    let defaults = "# Defaults.\nGOPROXY=https://proxy.golang.org,direct\nGOSUMDB=sum.golang.org\n";
    append("go/go.env", 0o644, defaults);
    let plain = archive.into_inner().unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &plain).unwrap();
    encoder.finish().unwrap()
}

/// An instance whose mirror has that archive and whose settings know `expected`.
fn instance(expected: &[u8]) -> Instance {
    let digest = Sha256::digest(expected);
    let sum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let instance = Instance::with(&GuestSettings {
        go: Some(GoRelease {
            version: "1.23.99".to_owned(),
            sha256_amd64: sum.clone(),
            sha256_arm64: sum,
        }),
        go_mirror: "https://mirror.example/golang".to_owned(),
        goproxy: Some("https://goproxy.example|off,direct".to_owned()),
        ..GuestSettings::default()
    });
    instance.desk.write("mirror.tar.gz", archive());
    let served = instance.desk.path("mirror.tar.gz");
    let copy = format!(
        "while [ \"$1\" != --output ]; do shift; done\ncp '{}' \"$2\"",
        served.display()
    );
    instance.command("curl", &copy);
    instance.command("docker", "");
    instance.command("apt-cache", "[ \"$3\" != docker-cli ]");
    instance.command("dpkg", "echo amd64");
    instance
}

fn install(instance: &Instance) -> Ran {
    run(&mut instance.script("install"))
}

#[test]
fn docker_and_go_are_installed_and_go_from_the_mirror() {
    let instance = instance(&archive());
    install(&instance).exits(0);
    let calls = instance.calls();
    let packages = "docker.io ca-certificates curl git docker-compose-v2\n";
    for call in [
        packages,
        "https://mirror.example/golang/go1.23.99.linux-amd64.tar.gz\n",
        "usermod --append --groups docker seat\n",
        "systemctl disable --now apt-daily.timer",
    ] {
        assert!(calls.contains(call), "{call}: {calls}");
    }
    let mut go = std::process::Command::new(instance.at("usr/local/bin/go"));
    run(&mut go).exits(0).says(&["go1.23.99"]);
    assert_eq!(
        instance.read("usr/local/go/go.env"),
        "# Defaults.\nGOSUMDB=sum.golang.org\nGOPROXY=https://goproxy.example|off,direct\n"
    );
    assert!(instance.at("var/lib/seatbox/installed").exists());
    assert!(!instance.at("var/lib/seatbox/installing").exists());
}

#[test]
fn an_archive_that_is_not_the_one_of_the_release_is_not_unpacked() {
    let instance = instance(b"another");
    install(&instance).exits(1);
    assert!(!instance.at("usr/local/go").exists());
    assert!(!instance.at("var/lib/seatbox/installed").exists());
    let trouble = instance.read("var/lib/seatbox/trouble");
    assert!(trouble.contains("did NOT match"), "{trouble}");
    assert_eq!(
        instance.read("var/lib/seatbox/installing"),
        "installing Go 1.23.99\n"
    );
}

#[test]
fn a_release_without_compose_2_is_named_as_what_is_wrong() {
    let instance = instance(&archive());
    instance.command("docker", "exit 1");
    install(&instance).exits(1);
    let trouble = instance.read("var/lib/seatbox/trouble");
    assert!(trouble.contains("Ubuntu 22.04 or Debian 13"), "{trouble}");
}

#[test]
fn of_all_that_apt_says_the_cause_is_what_is_told_and_not_that_of_an_earlier_try() {
    let instance = instance(&archive());
    let say = |words: &str| {
        let script = format!("case \"$*\" in *update) ;; *) printf '{words}' && exit 100 ;; esac");
        instance.command("apt-get", &script);
        install(&instance).exits(100);
        instance.read("var/lib/seatbox/trouble")
    };
    let first = say("Get:1 a\\nE: no host a\\nE: no host b\\nE: Unable to fetch some archives\\n");
    assert_eq!(first, "E: no host a\n");
    let second = say("E: Sub-process dpkg returned an error\\n");
    assert_eq!(second, "E: Sub-process dpkg returned an error\n");
    // Lists that could not be had are no success.
    let update = "-o APT::Update::Error-Mode=any update\n";
    assert!(instance.calls().contains(update), "{}", instance.calls());
}
