//! Which seat an instance is.

use std::os::unix::fs::PermissionsExt as _;

use super::imds::Imds;
use super::instance::{EXPIRES, Instance, seats};
use crate::support::desk::{Ran, run};

const KEYS: &str = "home/seat/.ssh/authorized_keys";

fn boot(instance: &Instance, imds: &Imds) -> Ran {
    run(instance.script("boot").env("SEATBOX_IMDS", &imds.url))
}

#[test]
fn each_instance_of_a_launch_lets_in_its_own_seats_key_and_no_other() {
    let all = seats();
    for (index, (seat, key)) in all.iter().enumerate() {
        let (instance, imds) = (Instance::new(), Imds::start());
        imds.say("ami-launch-index", &index.to_string());
        boot(&instance, &imds).exits(0);
        assert_eq!(instance.read(KEYS), format!("{key} lab-{seat}\n"));
        assert_eq!(
            instance.read("etc/seatbox/seat"),
            format!("{}\n", seat.get())
        );
        assert_eq!(instance.read("etc/hostname"), format!("lab-{seat}\n"));
        assert_eq!(
            instance.read("etc/hosts"),
            format!("127.0.1.1 lab-{seat}\n")
        );
        let calls = instance.calls();
        assert!(calls.contains(&format!("hostname lab-{seat}\n")), "{calls}");
        assert!(
            calls.contains("useradd --create-home --shell /bin/bash seat"),
            "{calls}"
        );
        let mode = |path| instance.at(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(KEYS), 0o600);
        assert_eq!(mode("home/seat/.ssh"), 0o700);
        assert_eq!(mode("etc/sudoers.d/90-seatbox"), 0o440);
    }
}

#[test]
fn an_instance_that_is_no_seat_lets_nobody_in() {
    for index in ["3", "-1", "1; id", ""] {
        let (instance, imds) = (Instance::new(), Imds::start());
        imds.say("ami-launch-index", index);
        boot(&instance, &imds).exits(1);
        assert!(!instance.at(KEYS).exists(), "{index}");
    }
}

#[test]
fn a_metadata_service_that_is_late_is_waited_for() {
    let (instance, imds) = (Instance::new(), Imds::start());
    imds.say("ami-launch-index", "1");
    imds.fail(3);
    boot(&instance, &imds).exits(0);
    assert_eq!(instance.read("etc/seatbox/seat"), "4\n");
    assert_eq!(instance.calls().matches("sleep 2").count(), 3);

    let never = Instance::new();
    run(never.script("boot").env("SEATBOX_ATTEMPTS", "3")).exits(1);
    assert!(!never.at(KEYS).exists());
}

#[test]
fn another_boot_keeps_what_a_participant_added_and_the_end_as_it_is_known() {
    let (instance, imds) = (Instance::new(), Imds::start());
    imds.say("ami-launch-index", "0");
    boot(&instance, &imds).exits(0);
    assert_eq!(
        instance.read("var/lib/seatbox/expires"),
        format!("{EXPIRES}\n")
    );

    let own = format!("{}ssh-ed25519 AAAA of-a-participant\n", instance.read(KEYS));
    std::fs::write(instance.at(KEYS), &own).unwrap();
    instance
        .desk
        .write("root/var/lib/seatbox/expires", "2099-01-01T00:00:00Z\n");
    boot(&instance, &imds).exits(0);
    assert_eq!(instance.read(KEYS), own);
    assert_eq!(instance.read("etc/hosts").lines().count(), 1);
    assert_eq!(
        instance.read("var/lib/seatbox/expires"),
        "2099-01-01T00:00:00Z\n"
    );

    // An image that was made of a seat boots as another seat.
    imds.say("ami-launch-index", "2");
    boot(&instance, &imds).exits(0);
    assert_eq!(instance.read(KEYS), format!("{} lab-12\n", seats()[2].1));
}
