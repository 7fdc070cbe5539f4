//! What is refused, with which words and at which line.

use super::fixture::{Setup, with_attributes};

/// Checks that the service `s` with these attributes has one error at least, that one of them has
/// `expected` in its message or hint, and that all are placed in the file.
fn refused(cases: &[(&str, &str)]) {
    for (attributes, expected) in cases {
        check(&Setup::default(), &with_attributes(attributes), expected);
    }
}

fn check(setup: &Setup, text: &str, expected: &str) {
    let Err(problems) = setup.text(text) else {
        panic!("this is accepted:\n{text}");
    };
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        all.iter().any(|one| one.contains(expected)),
        "{expected}\n{text}\n{all:#?}"
    );
    assert!(
        all.iter().all(|one| one.starts_with("stack.yaml:")),
        "{text}\n{all:#?}"
    );
}

#[test]
fn attributes_that_are_not_supported_say_what_to_do_instead() {
    refused(&[
        ("build: .", "name an image"),
        ("privileged: true", "isolation.capabilities"),
        ("network_mode: host", "use `networks`"),
        ("pid: host", "namespace"),
        ("ipc: host", "namespace"),
        ("userns_mode: host", "namespace"),
        ("devices: [/dev/sda]", "no device"),
        ("extends: {service: x}", "anchor"),
        ("container_name: x", "named by environment"),
        ("scale: 2", "two services"),
        ("logging: {driver: none}", "log driver"),
        ("links: [other]", "by name"),
        ("deploy: {replicas: 2}", "two services"),
        ("deploy: {restart_policy: {}}", "use `restart`"),
        (
            "deploy: {resources: {reservations: {devices: []}}}",
            "no device",
        ),
        ("tty: true", "seatbox shell"),
        ("imagee: x", "did you mean `image`?"),
        ("enviroment: {}", "did you mean `environment`?"),
        ("x-seatbox: {workspce: /w}", "did you mean `workspace`?"),
        ("nonsense: 1", "has no `nonsense`"),
    ]);
}

#[test]
fn values_of_a_wrong_kind_are_refused() {
    refused(&[
        ("command: {a: b}", "must be a string"),
        ("command: [[a]]", "must be a string"),
        ("command: [true]", "put it in quotes"),
        ("command: \"a 'b\"", "a quote in command is not closed"),
        ("environment: text", "a mapping or a list"),
        ("environment: {A: [1]}", "must be a string"),
        ("environment: [UNSET]", "`UNSET` is not set"),
        ("environment: {UNSET: }", "`UNSET` is not set"),
        ("environment: ['=x']", "has no name"),
        ("environment: {A: $UNSET}", "`UNSET` is not set"),
        (
            "environment: {A: $SEATBOX_SAET}",
            "did you mean `SEATBOX_SEAT`?",
        ),
        ("ports: 80", "must be a list"),
        ("ports: ", "must be a list"),
        ("volumes: {v: /p}", "must be a list"),
        ("init: maybe", "true or false"),
        ("read_only: 1", "true or false"),
        ("image: ''", "is empty"),
        ("image: 'a b'", "not the name of an image"),
        ("image: Redis", "capital letters"),
        ("image: -x", "not the name of an image"),
        (
            "image: r:$SEATBOX_SEAT",
            "a value of a seat can't stand in image",
        ),
        ("working_dir: rel", "absolute"),
        ("hostname: a_b", "not a host name"),
        ("stop_signal: SIGNOPE", "not a signal"),
        ("stop_grace_period: 10", "must be a duration"),
        ("restart: sometimes", "not a way to restart"),
        ("restart: on-failure:x", "not a way to restart"),
        ("platform: 'a b'", "not a platform"),
        ("profiles: x", "must be a list"),
        ("x-seatbox: {workspace: w}", "absolute"),
        ("x-seatbox: {shell: []}", "must be a command"),
        ("shm_size: lots", "must be a size"),
    ]);
}

#[test]
fn ports_that_can_not_be_are_refused() {
    refused(&[
        ("ports: [0]", "is not a port"),
        ("ports: [65536]", "is not a port"),
        ("ports: [abc]", "is not a port"),
        ("ports: [80/sctp]", "no protocol"),
        (
            "ports: ['8080:80']",
            "write `80` alone and Seatbox plans one host port",
        ),
        ("ports: [{target: 80, published: 8080}]", "write `80` alone"),
        ("ports: ['1-2:80']", "not equally many"),
        ("ports: ['81-80']", "upwards"),
        ("ports: ['1-60000']", "more than 100"),
        ("ports: ['x:1:80']", "not an IP address"),
        ("ports: [80, 80]", "published twice"),
        ("ports: [{published: 80}]", "no `target`"),
        ("ports: [{target: 80, nme: x}]", "did you mean `name`?"),
        ("ports: [{target: 80, mode: x}]", "host or ingress"),
        ("expose: [x]", "is not a port"),
    ]);
    let two = "services:\n  a: {image: i, ports: ['80:80']}\n  b: {image: i, ports: ['80:81']}\n";
    check(&Setup::one_seat(), two, "published by `a` too");
}

#[test]
fn mounts_that_break_isolation_or_sense_are_refused() {
    refused(&[
        ("volumes: ['/var/run/docker.sock:/s']", "never mounted"),
        ("volumes: ['/:/host']", "never mounted"),
        ("volumes: ['/run:/s']", "never mounted"),
        ("volumes: ['/etc:/s']", "isolation.bind_mounts"),
        ("volumes: ['./x:/s']", "no directory"),
        ("volumes: ['~/x:/s']", "HOME"),
        (
            "volumes: [{type: bind, source: /etc, target: /s}]",
            "isolation.bind_mounts",
        ),
        ("volumes: [{type: bind, target: /s}]", "no `source`"),
        (
            "volumes: [{type: bind, source: /etc, target: /s, bind: {propagation: shared}}]",
            "propagation",
        ),
        (
            "volumes: [{type: volume, source: v, target: /s, volume: {subpath: x}}]",
            "subpath",
        ),
        (
            "volumes: [{type: volume, source: v, target: /s, tmpfs: {size: 1}}]",
            "has no `tmpfs`",
        ),
        (
            "volumes: [{type: npipe, source: x, target: /s}]",
            "no type of a mount",
        ),
        ("volumes: [{source: v, target: /s}]", "no `type`"),
        ("volumes: [{type: volume, source: v}]", "no `target`"),
        (
            "volumes: [{type: tmpfs, source: v, target: /s}]",
            "no source",
        ),
        (
            "volumes: [{type: tmpfs, target: /s, tmpfs: {mode: 700}}]",
            "behind a zero",
        ),
        ("volumes: ['nope:/s']", "declare it under `volumes`"),
        ("volumes: ['v:rel']", "absolute"),
        ("volumes: ['v:/s:rx']", "no option `rx`"),
        ("volumes: ['a:/b:ro:x']", "too many colons"),
        (
            "volumes: ['v:/s', 'w:/s/']",
            "two things are mounted at `/s`",
        ),
        ("volumes: ['v:/']", "root"),
        ("volumes: ['v$SEATBOX_SEAT:/s']", "a value of a seat"),
        ("tmpfs: /s\nvolumes: ['v:/s']", "two things"),
        ("tmpfs: ['/s:sise=1']", "did you mean `size`?"),
    ]);
}

#[test]
fn health_checks_and_dependencies_that_can_not_work_are_refused() {
    refused(&[
        ("healthcheck: {test: []}", "must be [CMD"),
        ("healthcheck: {test: [ls]}", "must be [CMD"),
        ("healthcheck: {test: [CMD]}", "must be [CMD"),
        ("healthcheck: {test: [NONE, x]}", "must be [CMD"),
        ("healthcheck: {interval: 10}", "must be a duration"),
        ("healthcheck: {interval: 10us}", "1ms at least"),
        ("healthcheck: {retries: -1}", "a number from 0"),
        ("healthcheck: {start_interval: 1s}", "engines before 25"),
        ("healthcheck: {intervall: 1s}", "did you mean `interval`?"),
        ("depends_on: [nope]", "there is no service `nope`"),
        ("depends_on: [othr]", "did you mean `other`?"),
        ("depends_on: [s]", "depends on itself"),
        ("depends_on: {other: {condition: ready}}", "no condition"),
        ("depends_on: {other: {required: false}}", "optional"),
        ("depends_on: {other: {restart: true}}", "not supported"),
    ]);
    let setup = Setup::default();
    let plain = |extra: &str| {
        format!("services:\n  a: {{image: i, depends_on: [b]}}\n  b: {{image: i{extra}}}\n")
    };
    check(&setup, &plain(", depends_on: [a]"), "a → b → a");
    check(&setup, &plain(", profiles: [p]"), "none of its profiles");
    let healthy = "services:\n  a: {image: i, depends_on: {b: {condition: service_healthy}}}\n  b: {image: i}\n";
    check(&setup, healthy, "has no healthcheck");
    let off = healthy.replace(
        "b: {image: i}",
        "b: {image: i, healthcheck: {disable: true}}",
    );
    check(&setup, &off, "has no healthcheck");
}

#[test]
fn limits_that_contradict_are_refused() {
    refused(&[
        (
            "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}",
            "given twice",
        ),
        (
            "cpus: 1\ndeploy: {resources: {limits: {cpus: '2'}}}",
            "given twice",
        ),
        ("mem_limit: 1k", "6m at least"),
        ("mem_limit: 0", "above 0"),
        ("mem_limit: -1", "must be a size"),
        ("cpus: 0", "above 0"),
        ("cpus: many", "number of CPUs"),
        ("pids_limit: -1", "number from 1"),
        ("pids_limit: 0", "above 0"),
        (
            "mem_limit: 64m\nmem_reservation: 128m",
            "more memory is reserved",
        ),
        ("memswap_limit: 1g", "swap included"),
        ("ulimits: {nofiles: 1}", "did you mean `nofile`?"),
        ("ulimits: {nofile: -2}", "-1 for no limit"),
        ("ulimits: {nofile: {soft: 2, hard: 1}}", "above the hard"),
        ("ulimits: {nofile: {soft: 2}}", "needs `soft` and `hard`"),
        ("sysctls: {kernel.pid_max: 1}", "of the host"),
        ("sysctls: {vm.swappiness: 1}", "of the host"),
        ("sysctls: [net.x]", "no value"),
    ]);
}

#[test]
fn isolation_is_not_loosened_by_a_stack() {
    refused(&[
        ("cap_add: [SYS_ADMIN]", "isolation.capabilities"),
        ("cap_add: [ALL]", "isolation.capabilities"),
        ("cap_add: [NET_RAW]", "isolation.capabilities"),
        ("cap_add: [SYS_PTRASE]", "did you mean `SYS_PTRACE`?"),
        (
            "security_opt: ['seccomp:unconfined']",
            "isolation.security_opt",
        ),
        (
            "security_opt: ['no-new-privileges:false']",
            "isolation.new_privileges",
        ),
        ("labels: {dev.seatbox.seat: 1}", "Seatbox's to set"),
        ("labels: [com.docker.compose.project=x]", "Seatbox's to set"),
        (
            "extra_hosts: ['host.docker.internal:host-gateway']",
            "lead out of the seat",
        ),
        ("extra_hosts: [x]", "no line of /etc/hosts"),
        ("extra_hosts: {x: y}", "no line of /etc/hosts"),
    ]);
}

#[test]
fn networks_configs_and_secrets_that_can_not_be_are_refused() {
    refused(&[
        ("networks: [nope]", "declare it under `networks`"),
        ("networks: {n: {ipv4_address: 1.2.3.4}}", "planned"),
        ("networks: {n: {alias: [x]}}", "did you mean `aliases`?"),
        ("configs: [nope]", "declare it under `configs`"),
        ("secrets: [c]", "not a secret"),
        ("configs: [{target: /x}]", "no `source`"),
        ("configs: [{source: c, target: x}]", "absolute"),
        ("configs: [{source: c, mode: 444}]", "behind a zero"),
        ("configs: [{source: c, uid: root}]", "a user's number"),
        ("configs: [c, c]", "two things are mounted at `/c`"),
        ("configs: [c]\nread_only: true", "read-only container"),
        ("secrets: [k]\ntmpfs: /run", "hidden by the tmpfs"),
        (
            "configs: [{source: c, target: /v/c}]\nvolumes: ['v:/v:ro']",
            "mounted read-only",
        ),
    ]);
}

#[test]
fn the_top_of_the_file_is_checked() {
    let service = "services: {s: {image: i}}\n";
    for (text, expected) in [
        ("", "is empty"),
        ("[]", "must be a mapping"),
        ("services: ", "has no service"),
        ("volumes: {v: }", "no `services`"),
        ("services: {s: }", "must be a mapping"),
        ("services: {s: {}}", "has no image"),
        ("services: {'-s': {image: i}}", "begin with a letter"),
        ("services: {s: {image: i, profiles: [p]}}", "not selected"),
        (
            "services: {a: {image: i, x-seatbox: {workspace: /w}}, b: {image: i, x-seatbox: {workspace: /w}}}",
            "has the workspace already",
        ),
        (&format!("{service}include: [x]"), "one file"),
        (
            &format!("{service}servces: {{}}"),
            "did you mean `services`?",
        ),
        (
            &format!("{service}networks: {{n: {{external: true}}}}"),
            "its own",
        ),
        (
            &format!("{service}networks: {{n: {{driver: host}}}}"),
            "bridge",
        ),
        (
            &format!("{service}networks: {{n: {{ipam: {{}}}}}}"),
            "planned",
        ),
        (
            &format!("{service}volumes: {{v: {{external: true}}}}"),
            "its own",
        ),
        (
            &format!("{service}volumes: {{v: {{driver_opts: {{}}}}}}"),
            "host",
        ),
        (
            &format!("{service}configs: {{c: {{external: true}}}}"),
            "`file`",
        ),
        (&format!("{service}configs: {{c: {{}}}}"), "needs one of"),
        (
            &format!("{service}configs: {{c: {{content: a, environment: SET}}}}"),
            "needs one of",
        ),
        (
            &format!("{service}secrets: {{c: {{environment: UNSET}}}}"),
            "`UNSET` is not set",
        ),
        (
            &format!("{service}configs: {{c: {{file: ./x}}}}"),
            "no directory",
        ),
    ] {
        check(&Setup::default(), text, expected);
    }
    let setup = Setup {
        profiles: vec!["extrra".to_owned()],
        ..Setup::default()
    };
    let text = "services: {a: {image: i}, b: {image: i, profiles: [extra]}}";
    check(&setup, text, "did you mean `extra`?");
}

#[test]
fn all_errors_are_reported_in_one_run_each_at_its_line() {
    let text = "services:\n  a:\n    image: i\n    ports: [0]\n    build: .\n    depends_on:\n      - x\n    \
                environment:\n      A: $UNSET\n  b:\n    imag: i\n";
    let problems = Setup::default().text(text).expect_err("it is wrong");
    let lines: Vec<usize> = problems
        .iter()
        .filter_map(|problem| problem.place.position())
        .map(|position| position.line)
        .collect();
    assert_eq!(lines, [4, 5, 6, 9, 10, 11]);
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("bad.env"), "A=1\n=x\n").expect("written");
    let file = dir.path().join("stack.yaml");
    for (attribute, expected) in [
        ("env_file: no.env", "no such file"),
        ("env_file: bad.env", "line 2 of `bad.env`"),
        ("env_file: [{format: raw}]", "no `path`"),
        ("env_file: [{path: bad.env, format: x}]", "only be `raw`"),
        ("env_file: .", "expected a file"),
        ("env_file: /dev/zero", "expected a file"),
    ] {
        std::fs::write(&file, with_attributes(attribute)).expect("written");
        let problems = Setup::default().file(&file).expect_err(attribute);
        assert!(
            problems.iter().any(|one| one.message.contains(expected)),
            "{attribute}: {problems:?}"
        );
    }
}

#[test]
fn a_workspace_that_a_reset_would_lose_is_refused() {
    let lost = "the workspace is on no named volume";
    refused(&[
        ("x-seatbox: {workspace: /work}", lost),
        (
            "volumes: ['v:/home', '/home/dev']\nx-seatbox: {workspace: /home/dev/work}",
            lost,
        ),
    ]);
    super::fixture::service(
        "volumes: ['/home', 'v:/home/dev']\nx-seatbox: {workspace: /home/dev/work}",
    );
}

#[test]
fn a_snapshot_that_can_not_be_the_same_for_every_seat_is_refused() {
    let check = "healthcheck: {test: 'true'}\nx-seatbox: {snapshot: {personalize: 'true'}}";
    let refuse = |attributes: &str, why| refused(&[(&format!("{attributes}\n{check}"), why)]);
    refuse("image: i", "no volume that a snapshot could fill");
    refuse(
        "volumes: ['v:/d:ro']",
        "no volume that a snapshot could fill",
    );
    refuse(
        "volumes: ['v:/d']\nenvironment: {A: $SEATBOX_SEAT}",
        "uses $SEATBOX_SEAT",
    );
    refuse("volumes: ['v:/d']\nconfigs: [c]", "uses $SEATBOX_SEAT");
    refused(&[
        (
            "volumes: ['v:/d']\nx-seatbox: {snapshot: {personalize: 'true'}}",
            "needs a healthcheck",
        ),
        ("x-seatbox: {snapshot: {}}", "has no `personalize`"),
        (
            "x-seatbox: {snapshot: {personalise: x}}",
            "did you mean `personalize`?",
        ),
        (
            "x-seatbox: {snapshot: {personalize: 'echo $SEATBOX_SECRET_A'}}",
            "a secret can't stand in",
        ),
    ]);
    refuse(
        "volumes: ['v:/d']\nhostname: h-$SEATBOX_SEAT",
        "uses $SEATBOX_SEAT",
    );
    refuse(
        "volumes: ['v:/d']\ndepends_on: [other]",
        "this one waits for `other`",
    );
    // A secret is replaced.
    super::fixture::service(&format!(
        "volumes: ['v:/d']\nenvironment: {{A: $SEATBOX_SECRET_A}}\n{check}"
    ));
}

#[test]
fn a_secret_stands_in_nothing_that_others_can_read() {
    let open = "a secret can't stand in";
    refused(&[
        ("labels: {a: $SEATBOX_SECRET_A}", open),
        ("hostname: h-$SEATBOX_SECRET_A", open),
        ("command: [run, $SEATBOX_SECRET_A]", open),
        ("entrypoint: run $SEATBOX_SECRET_A", open),
        ("healthcheck: {test: [CMD, ping, $SEATBOX_SECRET_A]}", open),
    ]);
}
