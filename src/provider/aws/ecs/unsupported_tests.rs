//! Each thing that a task can't do is named.

use super::fixture::{built_in, environment, with};
use super::unsupported::{Images, unsupported};
use crate::model::environment::ImageSource;
use crate::model::stack::{Mount, MountSource};
use crate::model::{BundledImage, Environment};

fn lines(stack: &str) -> Vec<String> {
    let all = unsupported(&environment(stack), &Images::new());
    all.iter().map(ToString::to_string).collect()
}

/// What is found of a service with these attributes, without its name.
fn of(attributes: &str) -> Vec<String> {
    let indented: String = attributes
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    let networks = match attributes.contains("networks:") {
        true => ", networks: [n]",
        false => "",
    };
    let stack = format!(
        "services:\n  s:\n    image: i\n{indented}  other: {{image: o{networks}}}\n\
         networks: {{n: , m: }}\nconfigs: {{c: {{content: text}}}}\nvolumes: {{v: }}\n"
    );
    let all = lines(&stack).into_iter();
    all.map(|line| line.trim_start_matches("service s: ").to_owned())
        .collect()
}

#[test]
fn the_built_in_stack_runs_in_a_task() {
    assert_eq!(unsupported(&built_in(), &Images::new()), []);
}

#[test]
fn what_a_task_can_do_is_not_refused() {
    for attributes in [
        "ports: ['80', '53/udp']\nexpose: ['81']",
        "ports: [{target: 80, protocol: udp}, {target: 80, protocol: tcp}]",
        "cap_add: [SYS_PTRACE]",
        "cap_add: [NET_RAW]",
        "cap_drop: [ALL]",
        "security_opt: [no-new-privileges]",
        "sysctls: {net.core.somaxconn: 1024, kernel.msgmax: 65536}",
        "ulimits: {nofile: 1024}",
        "shm_size: 64m",
        "platform: linux/amd64",
        "platform: linux/arm64/v8",
        "volumes: ['v:/v', /anonymous]",
        "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 01777}}]",
        "healthcheck: {test: 'true', interval: 5m, timeout: 60s, retries: 10, start_period: 5m}",
        "healthcheck: {test: 'true', interval: 0s, timeout: 0s, retries: 0, start_period: 0s}",
        "healthcheck: {disable: true}",
        "stop_grace_period: 2m",
        "hostname: seat-$SEATBOX_SEAT",
        "networks: [n]",
        "environment: {OTHER: other, USER: other, URL: 'http://other.example.com'}",
        "labels: {seat: $SEATBOX_SEAT}",
    ] {
        assert_eq!(of(attributes), Vec::<String>::new(), "{attributes}");
    }
}

#[test]
fn each_thing_that_a_task_can_not_do_is_named_with_what_to_do_instead() {
    for (attributes, expected) in [
        (
            "tmpfs: /run",
            "the tmpfs /run has no size (write it under `volumes`: {type: tmpfs, target: /run, tmpfs: {size: 64m}})",
        ),
        (
            "tmpfs: '/run:size=1m'",
            "the tmpfs /run has options in the engine's words (write it under `volumes`: {type: tmpfs, target: /run, tmpfs: {size: 64m}})",
        ),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]",
            "the tmpfs /t has the mode 700 (leave `mode` out, and let the command change it)",
        ),
        (
            "cap_add: [SYS_NICE]",
            "capability SYS_NICE can't be added (Fargate adds SYS_PTRACE alone)",
        ),
        (
            "security_opt: ['seccomp=unconfined']",
            "security option `seccomp:unconfined` can't be set (Fargate takes none: leave it out)",
        ),
        (
            "extra_hosts: ['db:10.0.0.1']",
            "`extra_hosts` can't be set where a task has a network of its own (write addresses where the names stand)",
        ),
        (
            "configs: [c]",
            "there is no way to put the file /c into it (put it into the image, or pass what is in it by `environment`)",
        ),
        (
            "networks: {n: {aliases: [x]}}",
            "its aliases on network n lead nowhere (leave them out, and write ${SEATBOX_HOST_S} where it is reached)",
        ),
        (
            "networks: [n, m]",
            "the networks n, m would be one (the containers of a task share one network: leave `networks` out)",
        ),
        (
            "ulimits: {nofile: 1024, nproc: 50}",
            "ulimit nproc can't be set (Fargate sets `nofile` alone: leave it out, or have `ecs.capacity: ec2`)",
        ),
        (
            "shm_size: 65m",
            "`shm_size` can't be changed on Fargate (it is 64m there: leave it out, or mount a tmpfs on another path)",
        ),
        (
            "platform: linux/386",
            "a task can't be for linux/386 (there are linux/amd64 and linux/arm64)",
        ),
        (
            "stop_grace_period: 3m",
            "`stop_grace_period` is out of bounds (ECS allows 2s to 120s)",
        ),
        (
            "stop_grace_period: 1s",
            "`stop_grace_period` is out of bounds (ECS allows 2s to 120s)",
        ),
        (
            "healthcheck: {test: 'true', interval: 4s}",
            "its healthcheck's interval is 4s (ECS allows 5s to 300s)",
        ),
        (
            "healthcheck: {test: 'true', interval: 301s}",
            "its healthcheck's interval is 301s (ECS allows 5s to 300s)",
        ),
        (
            "healthcheck: {test: 'true', timeout: 1s}",
            "its healthcheck's timeout is 1s (ECS allows 2s to 60s)",
        ),
        (
            "healthcheck: {test: 'true', timeout: 61s}",
            "its healthcheck's timeout is 61s (ECS allows 2s to 60s)",
        ),
        (
            "healthcheck: {test: 'true', retries: 11}",
            "its healthcheck's retries is 11 (ECS allows 1 to 10)",
        ),
        (
            "healthcheck: {test: 'true', start_period: 301s}",
            "its healthcheck's start_period is 301s (ECS allows 0s to 300s)",
        ),
        (
            "healthcheck: {interval: 10s}",
            "its healthcheck is the image's own, which ECS does not look at (write its `test`, or leave the healthcheck out)",
        ),
        (
            "environment: {HOST: other}",
            "the variable HOST has `other` for a host, and a task has no such name (write ${SEATBOX_HOST_OTHER})",
        ),
        (
            "read_only: true",
            "nobody can get a shell in it: ECS Exec needs a file system that it can write to (leave `read_only` out)",
        ),
        (
            "depends_on: {other: {condition: service_started}}\nhealthcheck: {test: curl other:8080}",
            "its healthcheck has `other` for a host, and a task has no such name (write ${SEATBOX_HOST_OTHER})",
        ),
    ] {
        assert_eq!(of(attributes), [expected], "{attributes}");
    }
}

#[test]
fn limits_that_fargate_has_for_itself_can_be_set_on_instances_of_ones_own() {
    let stack = "services: {a: {image: a, ulimits: {nofile: 1024, nproc: 50, memlock: -1}}}";
    for (capacity, expected) in [("fargate", 2), ("fargate-spot", 2), ("ec2", 0)] {
        let lines = format!("stack: stack.yaml\necs: {{capacity: {capacity}}}");
        let found = unsupported(&with(&lines, stack), &Images::new());
        assert_eq!(found.len(), expected, "{capacity}: {found:#?}");
    }
}

#[test]
fn everything_is_named_at_once_and_not_the_first_alone() {
    let all =
        of("cap_add: [SYS_NICE]\nextra_hosts: ['db:10.0.0.1']\nshm_size: 1g\nread_only: true");
    assert_eq!(all.len(), 4, "{all:#?}");
}

#[test]
fn services_share_their_ports_and_kernel_and_run_on_one_processor() {
    assert_eq!(
        lines("
services:
  a: {image: a, ports: ['80'], expose: ['81', '82/udp'], sysctls: {net.core.somaxconn: 1}, platform: linux/amd64}
  b: {image: b, expose: ['80', '82'], sysctls: {net.core.somaxconn: 2}, platform: linux/arm64}
  c: {image: c, ports: ['81'], sysctls: {net.core.somaxconn: 1}, platform: linux/amd64}
"),
        [
            "service b: it listens on 80/tcp, as a does (the containers of a task share their ports: let one listen on another)",
            "service c: it listens on 81/tcp, as a does (the containers of a task share their ports: let one listen on another)",
            "service b: sysctl net.core.somaxconn is 2, and 1 in a (the containers of a task share their network: give both the same)",
            "service b: it is for linux/arm64, and a is not (the containers of a task run on one kind of processor)",
        ]
    );
}

#[test]
fn names_and_numbers_of_services_are_bounded() {
    let many: String = (0..10).map(|n| format!("  s{n}: {{image: i}}\n")).collect();
    assert_eq!(
        lines(&format!("services:\n{many}")),
        ["10 services are more than a task can have (9 at most)"]
    );
    assert_eq!(
        lines("services: {my.db: {image: i}, seatbox-deadline: {image: i}}"),
        [
            "service my.db: a container's name can have no full stop (call it my-db)",
            "service seatbox-deadline: this name is that of Seatbox's own container (give it another name)",
        ]
    );
}

#[test]
fn what_is_waited_for_can_come_true() {
    assert_eq!(
        lines(
            "
services:
  a: {image: a, x-seatbox: {workspace: /w}, volumes: ['w:/w']}
  b: {image: b, depends_on: {a: {condition: service_completed_successfully}}}
volumes: {w: }
"
        ),
        [
            "service b: it waits for the end of a, which participants work in (a seat ends with its workspace: depend on another service)"
        ]
    );
    // A check of the image's own is what an engine can wait for.
    assert_eq!(
        lines(
            "
services:
  a: {image: a, depends_on: {b: {condition: service_healthy}}}
  b: {image: b, healthcheck: {interval: 10s}}
"
        ),
        [
            "service b: its healthcheck is the image's own, which ECS does not look at (write its `test`, or leave the healthcheck out)"
        ]
    );
}

#[test]
fn a_secret_in_a_long_value_does_not_fit_a_parameter() {
    let value = "x".repeat(4_090);
    assert_eq!(
        of(&format!(
            "environment: {{CONFIG: '{value}$SEATBOX_SECRET_X'}}"
        )),
        [
            "the variable CONFIG has a secret in it and 4114 bytes (a parameter holds 4096 at most: take the secret out of the rest)"
        ]
    );
}

#[test]
fn ports_that_one_seat_fixes_are_the_containers() {
    let stack = "services: {a: {image: a, ports: ['8080:80', '81:81', '127.0.0.1:82:82', '0.0.0.0:83:83']}}";
    let environment = with("seats: {count: 1}\nstack: stack.yaml", stack);
    let all = unsupported(&environment, &Images::new());
    let whats: Vec<_> = all.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "port 80/tcp can't be published as 8080",
            "port 82/tcp can't be published on 127.0.0.1",
        ]
    );
}

#[test]
fn the_environments_own_wishes_are_named_too() {
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().display();
    let stack = "services: {a: {image: a, networks: [n]}}\nnetworks: {n: {internal: true}}";
    let mut environment = with(
        &format!("stack: stack.yaml\nworkspace: {{files: '{files}'}}"),
        stack,
    );
    environment.isolation.internet = false;
    environment.images.sources = vec![ImageSource::Recipe];
    let service = &mut environment.stack.services[0];
    service.image = "seatbox.local/a".to_owned();
    service.mounts.push(Mount {
        target: "/m".to_owned(),
        source: MountSource::Bind {
            path: "/srv/material".into(),
            create: false,
        },
        read_only: true,
    });
    let whats = |environment: &Environment, images: &Images| -> Vec<String> {
        let all = unsupported(environment, images).into_iter();
        all.map(|one| one.what).collect()
    };
    assert_eq!(
        whats(&environment, &Images::new()),
        [
            "`workspace.files` can't be copied into a task",
            "`isolation.internet: false` can't be kept: a task needs its network to pull images",
            "images come from recipes alone",
            "its image `seatbox.local/a` is a stand-in, which no registry has",
            "network n can't be internal",
            "it mounts /srv/material of this machine",
        ]
    );
    // Pushed to a registry, it is there.
    let pushed = Images::from([(
        "seatbox.local/a".to_owned(),
        "registry.example/a".to_owned(),
    )]);
    assert!(
        !whats(&environment, &pushed)
            .iter()
            .any(|what| what.contains("stand-in"))
    );
    environment.images.bundled = vec![BundledImage {
        wanted: "a".to_owned(),
        reference: "a".to_owned(),
        id: "sha256:1".to_owned(),
    }];
    assert!(whats(&environment, &pushed).contains(&"its images are in a bundle".to_owned()));
}
