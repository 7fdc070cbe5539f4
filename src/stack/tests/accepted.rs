//! What is accepted, and what it means.

use std::time::Duration;

use super::fixture::{Setup, service, strings, with_attributes};
use crate::model::stack::*;
use crate::model::{Service, Text};

/// Checks that each text gives what `get` is to give of the service.
fn table<T: PartialEq + std::fmt::Debug>(get: impl Fn(Service) -> T, cases: Vec<(&str, T)>) {
    for (attributes, expected) in cases {
        assert_eq!(get(service(attributes)), expected, "{attributes}");
    }
}

fn words(words: &[&str]) -> Vec<Text> {
    words.iter().map(|word| Text::from(*word)).collect()
}

#[test]
fn commands_are_lists_or_split_as_a_shell_does() {
    table(
        |s| (s.command, s.entrypoint),
        vec![
            (
                "command: a 'b c' \"d\"",
                (Some(words(&["a", "b c", "d"])), None),
            ),
            (
                "command: [a, 1, 'b c']",
                (Some(words(&["a", "1", "b c"])), None),
            ),
            ("command: []", (Some(vec![]), None)),
            ("command: ", (None, None)),
            (
                "command: echo $$HOME $SET",
                (Some(words(&["echo", "$HOME", "set"])), None),
            ),
            ("entrypoint: [x]", (None, Some(words(&["x"])))),
            ("entrypoint: ''", (None, Some(vec![]))),
        ],
    );
    let seat = service("command: x ${SEATBOX_SEAT}y")
        .command
        .expect("given");
    assert_eq!(seat[1].to_compose(), "${SEATBOX_SEAT}y");
}

#[test]
fn environments_are_maps_or_lists_and_look_names_up() {
    let expected = [
        ("A", "1"),
        ("B", "true"),
        ("SET", "set"),
        ("FROM_PROCESS", "p"),
        ("E", ""),
    ];
    for text in [
        "environment: {A: 1, B: true, SET: , FROM_PROCESS: , E: ''}",
        "environment: [A=1, B=true, SET, FROM_PROCESS, E=]",
    ] {
        let environment = service(text).environment;
        let found: Vec<_> = environment
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_literal().expect("literal")))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
    let secret = service("environment: [P=a-$SEATBOX_SECRET_PG, SEATBOX_SEAT]").environment;
    assert_eq!(secret["P"].to_compose(), "a-${SEATBOX_SECRET_PG}");
    assert_eq!(secret["SEATBOX_SEAT"].to_compose(), "${SEATBOX_SEAT}");
}

#[test]
fn ports_have_a_short_and_a_long_form() {
    let port = |number, protocol| Port {
        target: ContainerPort { number, protocol },
        published: None,
        host_ip: None,
    };
    let tcp = |number| port(number, Protocol::Tcp);
    let local = |number| Port {
        host_ip: Some([127, 0, 0, 1].into()),
        ..tcp(number)
    };
    table(
        |s| s.ports,
        vec![
            ("ports: [5432]", vec![tcp(5432)]),
            ("ports: ['5432']", vec![tcp(5432)]),
            (
                "ports: [5432/udp, 5432/tcp]",
                vec![port(5432, Protocol::Udp), tcp(5432)],
            ),
            ("ports: ['80-81']", vec![tcp(80), tcp(81)]),
            ("ports: ['127.0.0.1::80']", vec![local(80)]),
            (
                "ports: [{target: 80, mode: host, name: web, app_protocol: http}]",
                vec![tcp(80)],
            ),
            (
                "ports: [{target: 80, protocol: udp}]",
                vec![port(80, Protocol::Udp)],
            ),
            (
                "ports: [{target: '80', host_ip: 127.0.0.1, published: ''}]",
                vec![local(80)],
            ),
        ],
    );
    for (text, published) in [
        ("'8080:80'", vec![(Some(8080), None)]),
        ("'127.0.0.1:8080:80'", vec![(Some(8080), Some("127.0.0.1"))]),
        ("'[::1]:8080:80'", vec![(Some(8080), Some("::1"))]),
        (
            "'8080-8081:80-81'",
            vec![(Some(8080), None), (Some(8081), None)],
        ),
        ("{target: 80, published: '8080'}", vec![(Some(8080), None)]),
    ] {
        let stack = Setup::one_seat()
            .text(&with_attributes(&format!("ports: [{text}]")))
            .expect(text);
        let found: Vec<_> = stack.services[0]
            .ports
            .iter()
            .map(|port| (port.published, port.host_ip))
            .collect();
        let published: Vec<_> = published
            .into_iter()
            .map(|(port, ip)| (port, ip.map(|ip| ip.parse().expect("an address"))))
            .collect();
        assert_eq!(found, published, "{text}");
    }
    let exposed = service("expose: [80, '81-82/udp']").expose;
    let shown: Vec<_> = exposed.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["80/tcp", "81/udp", "82/udp"]);
}

#[test]
fn mounts_have_a_short_and_a_long_form() {
    let mount = |target: &str, source, read_only| Mount {
        target: target.to_owned(),
        source,
        read_only,
    };
    let volume = |nocopy| MountSource::Volume {
        name: "v".to_owned(),
        nocopy,
    };
    let tmpfs = |size, mode, options: Option<&str>| MountSource::Tmpfs {
        size,
        mode,
        options: options.map(str::to_owned),
    };
    table(
        |s| s.mounts,
        vec![
            ("volumes: ['v:/p']", vec![mount("/p", volume(false), false)]),
            (
                "volumes: ['v:/p/./q/../:ro,nocopy']",
                vec![mount("/p", volume(true), true)],
            ),
            (
                "volumes: [/p]",
                vec![mount("/p", MountSource::Anonymous, false)],
            ),
            (
                "volumes: [{type: volume, source: v, target: /p, read_only: true}]",
                vec![mount("/p", volume(false), true)],
            ),
            (
                "volumes: [{type: volume, source: v, target: /p, volume: {nocopy: true}}]",
                vec![mount("/p", volume(true), false)],
            ),
            (
                "volumes: [{type: volume, target: /p}]",
                vec![mount("/p", MountSource::Anonymous, false)],
            ),
            (
                "volumes: [{type: tmpfs, target: /p, tmpfs: {size: 1m, mode: 01777}}]",
                vec![mount("/p", tmpfs(Some(1 << 20), Some(0o1777), None), false)],
            ),
            (
                "tmpfs: /p",
                vec![mount("/p", tmpfs(None, None, None), false)],
            ),
            (
                "tmpfs: ['/p:size=1m,mode=700', /q]",
                vec![
                    mount("/p", tmpfs(None, None, Some("size=1m,mode=700")), false),
                    mount("/q", tmpfs(None, None, None), false),
                ],
            ),
        ],
    );
}

#[test]
fn binds_are_accepted_below_an_open_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().canonicalize().expect("it exists");
    std::fs::create_dir(root.join("open")).expect("made");
    let mut setup = Setup::default();
    setup.isolation.bind_mounts = vec![root.join("open")];
    let file = root.join("stack.yaml");
    for (text, name, create) in [
        ("'./open/a:/p'", "a", true),
        ("'./open/../open:/p'", "", true),
        (
            "{type: bind, source: ./open/a, target: /p, bind: {create_host_path: false}}",
            "a",
            false,
        ),
    ] {
        let yaml = with_attributes(&format!("volumes: [{text}]"));
        std::fs::write(&file, yaml).expect("written");
        let stack = setup.file(&file).expect(text);
        let path = root.join("open").join(name);
        let path = path.components().collect();
        let source = MountSource::Bind { path, create };
        assert_eq!(stack.services[0].mounts[0].source, source, "{text}");
    }
}

#[test]
fn health_checks_are_shell_text_lists_or_none() {
    table(
        |s| s.healthcheck.expect("given").test,
        vec![
            ("healthcheck: {test: a b}", words(&["CMD-SHELL", "a b"])),
            (
                "healthcheck: {test: [CMD, a, b]}",
                words(&["CMD", "a", "b"]),
            ),
            (
                "healthcheck: {test: [CMD-SHELL, a b]}",
                words(&["CMD-SHELL", "a b"]),
            ),
            ("healthcheck: {test: [NONE]}", words(&["NONE"])),
            ("healthcheck: {disable: true, test: x}", words(&["NONE"])),
            ("healthcheck: {interval: 1m}", vec![]),
        ],
    );
    let text =
        "healthcheck: {test: x, interval: 1m30s, timeout: 500ms, retries: 3, start_period: 1h}";
    let check = service(text).healthcheck.expect("given");
    assert_eq!(check.interval, Some(Duration::from_secs(90)));
    assert_eq!(check.timeout, Some(Duration::from_millis(500)));
    assert_eq!(
        (check.retries, check.start_period),
        (Some(3), Some(Duration::from_secs(3600)))
    );
}

#[test]
fn limits_come_from_deploy_or_the_older_attributes() {
    let limits = Resources {
        memory: Some(512 << 20),
        nano_cpus: Some(500_000_000),
        pids: Some(100),
        ..Resources::default()
    };
    let reserved = Resources {
        memory_reservation: Some(64 << 20),
        ..Resources::default()
    };
    table(
        |s| s.resources,
        vec![
            (
                "deploy: {resources: {limits: {memory: 512m, cpus: '0.5', pids: 100}}}",
                limits,
            ),
            ("mem_limit: 512mb\ncpus: 0.5\npids_limit: 100", limits),
            (
                "mem_limit: 512m\ncpus: 0.5\npids_limit: 100\n\
                 deploy: {resources: {limits: {memory: 0.5g}}, replicas: 1}",
                limits,
            ),
            ("mem_reservation: 64m", reserved),
            (
                "deploy: {resources: {reservations: {memory: 64m}}}",
                reserved,
            ),
            (
                "deploy: {resources: {reservations: {cpus: '0.25'}}}",
                Resources {
                    nano_cpus_reservation: Some(250_000_000),
                    ..Resources::default()
                },
            ),
        ],
    );
}

#[test]
fn small_attributes_are_read() {
    table(
        |s| s.restart,
        vec![
            ("restart: no", Restart::No),
            ("restart: 'no'", Restart::No),
            ("restart: false", Restart::No),
            ("restart: always", Restart::Always),
            ("restart: on-failure", Restart::OnFailure { attempts: 0 }),
            ("restart: on-failure:3", Restart::OnFailure { attempts: 3 }),
            ("restart: unless-stopped", Restart::UnlessStopped),
        ],
    );
    table(
        |s| s.cap_add,
        vec![("cap_add: [CHOWN, cap_kill]", strings(&["CHOWN", "KILL"]))],
    );
    table(
        |s| s.cap_drop,
        vec![("cap_drop: [ALL, NET_RAW]", strings(&["ALL", "NET_RAW"]))],
    );
    let no_new = || strings(&["no-new-privileges:true"]);
    table(
        |s| s.security_opt,
        vec![
            ("security_opt: [no-new-privileges]", no_new()),
            ("security_opt: ['no-new-privileges=true']", no_new()),
            ("security_opt: ['no-new-privileges:true']", no_new()),
        ],
    );
    table(
        |s| (s.read_only, s.init),
        vec![
            ("read_only: true\ninit: false", (true, false)),
            ("init: ${NO:-true}", (false, true)),
        ],
    );
    table(
        |s| s.user.map(|user| user.to_compose()),
        vec![
            ("user: 1000:1000", Some("1000:1000".into())),
            ("user: 1000", Some("1000".into())),
            ("user: u$SEATBOX_SEAT", Some("u${SEATBOX_SEAT}".into())),
        ],
    );
    table(
        |s| s.working_dir,
        vec![("working_dir: /a//b/", Some("/a/b".into()))],
    );
    table(
        |s| s.shm_size,
        vec![("shm_size: 64m", Some(64 << 20)), ("shm_size: 5", Some(5))],
    );
    table(
        |s| s.stop_signal,
        vec![
            ("stop_signal: SIGINT", Some("SIGINT".into())),
            ("stop_signal: 9", Some("9".into())),
            ("stop_signal: SIGRTMIN+3", Some("SIGRTMIN+3".into())),
        ],
    );
    table(
        |s| s.stop_grace_period,
        vec![("stop_grace_period: 1m", Some(Duration::from_secs(60)))],
    );
    table(
        |s| s.platform,
        vec![("platform: linux/arm64/v8", Some("linux/arm64/v8".into()))],
    );
    table(
        |s| s.image,
        vec![
            (
                "image: ghcr.io/a/b:1@sha256:abcdef",
                "ghcr.io/a/b:1@sha256:abcdef".into(),
            ),
            ("image: localhost:5000/x", "localhost:5000/x".into()),
            ("image: redis", "redis".into()),
            ("image: r:${NO:-7}", "r:7".into()),
        ],
    );
    table(
        |s| s.extra_hosts,
        vec![
            (
                "extra_hosts: ['a:1.2.3.4', 'b=::1', 'c:::2', 'd:[::3]']",
                strings(&["a:1.2.3.4", "b:::1", "c:::2", "d:::3"]),
            ),
            ("extra_hosts: {a: 1.2.3.4}", strings(&["a:1.2.3.4"])),
        ],
    );
    table(
        |s| s.sysctls.into_iter().collect::<Vec<_>>(),
        vec![
            (
                "sysctls: {net.core.somaxconn: 1024}",
                vec![("net.core.somaxconn".into(), "1024".into())],
            ),
            (
                "sysctls: [kernel.sem=1 2 3 4]",
                vec![("kernel.sem".into(), "1 2 3 4".into())],
            ),
        ],
    );
    let limit = |soft, hard| vec![("nofile".to_owned(), Ulimit { hard, soft })];
    table(
        |s| s.ulimits.into_iter().collect::<Vec<_>>(),
        vec![
            ("ulimits: {nofile: 1024}", limit(1024, 1024)),
            ("ulimits: {nofile: {soft: 1, hard: 2}}", limit(1, 2)),
            ("ulimits: {nofile: {soft: 1, hard: -1}}", limit(1, -1)),
        ],
    );
    table(
        |s| s.labels["a.b"].to_compose(),
        vec![
            ("labels: {a.b: c}", "c".into()),
            ("labels: [a.b=$SEATBOX_SEAT]", "${SEATBOX_SEAT}".into()),
            ("labels: [a.b]", String::new()),
        ],
    );
    // Extensions are ignored anywhere, and what only says what holds anyway is no error.
    service("x-note: {whatever: [1, $UNSET]}\nprivileged: false\nhealthcheck: {test: a, x-y: 1}");
}

#[test]
fn networks_and_dependencies_are_lists_or_maps() {
    table(
        |s| s.networks.keys().cloned().collect::<Vec<_>>(),
        vec![
            ("init: true", strings(&["default"])),
            ("networks: [n, m]", strings(&["n", "m"])),
            ("networks: {m: , n: {aliases: [x]}}", strings(&["m", "n"])),
            ("networks: [default]", strings(&["default"])),
        ],
    );
    let aliases = service("networks: {n: {aliases: [x, y-$SEATBOX_SEAT]}}");
    assert_eq!(
        aliases.networks["n"].aliases[1].to_compose(),
        "y-${SEATBOX_SEAT}"
    );
    table(
        |s| {
            s.depends_on
                .values()
                .map(|d| d.condition)
                .collect::<Vec<_>>()
        },
        vec![
            ("depends_on: [other]", vec![Condition::ServiceStarted]),
            (
                "depends_on: {other: {condition: service_healthy, required: true}}",
                vec![Condition::ServiceHealthy],
            ),
            (
                "depends_on: {other: {condition: service_completed_successfully, restart: false}}",
                vec![Condition::ServiceCompletedSuccessfully],
            ),
        ],
    );
}

#[test]
fn configs_and_secrets_become_files() {
    table(
        |s| {
            s.files
                .into_iter()
                .map(|f| (f.target, f.uid, f.gid, f.mode))
                .collect::<Vec<_>>()
        },
        vec![
            ("configs: [c]", vec![("/c".into(), 0, 0, 0o444)]),
            ("secrets: [k]", vec![("/run/secrets/k".into(), 0, 0, 0o444)]),
            (
                "secrets: [{source: k, target: x}]",
                vec![("/run/secrets/x".into(), 0, 0, 0o444)],
            ),
            (
                "configs: [{source: c, target: /etc/c, uid: '999', gid: 998, mode: 0400}]",
                vec![("/etc/c".into(), 999, 998, 0o400)],
            ),
            (
                "configs: [{source: c, target: /v/c}]\nread_only: true\nvolumes: ['v:/v']",
                vec![("/v/c".into(), 0, 0, 0o444)],
            ),
        ],
    );
    let content = service("configs: [c, d]").files;
    let text = |text: &str| FileContent::Text(Text::from_marked(text));
    assert_eq!(content[0].content, text("seat \u{2}SEATBOX_SEAT\u{3}"));
    assert_eq!(content[1].content, text("set"));
}
