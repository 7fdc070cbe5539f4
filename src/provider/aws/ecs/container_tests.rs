//! From services to containers.

use super::definition::Dependency;
use super::fixture::{Scene, container, with};
use super::template::DEADLINE;

#[test]
fn what_services_wait_for_and_whose_end_is_the_seats_carry_over() {
    let definition = Scene::stack(
        "
services:
  app:
    image: app
    restart: unless-stopped
    depends_on:
      db: {condition: service_healthy}
      seed: {condition: service_completed_successfully}
      log: {condition: service_started}
    x-seatbox: {workspace: /w}
    volumes: ['w:/w']
  db: {image: db, restart: always, healthcheck: {test: 'true'}}
  seed: {image: seed, restart: always}
  retry: {image: retry, restart: 'on-failure:3'}
  log: {image: log}
volumes: {w: }
",
    )
    .definition(1);
    let on = |name: &str, condition: &str| Dependency {
        container_name: name.to_owned(),
        condition: condition.to_owned(),
    };
    assert_eq!(
        container(&definition, "app").depends_on,
        [
            on("db", "HEALTHY"),
            on("seed", "SUCCESS"),
            on("log", "START")
        ]
    );
    let essential: Vec<_> = definition
        .container_definitions
        .iter()
        .filter(|container| container.essential)
        .map(|container| container.name.as_str())
        .collect();
    assert_eq!(essential, ["app", "db", "retry", "log", DEADLINE]);
    let restarts = |name: &str| {
        let policy = container(&definition, name).restart_policy.as_ref()?;
        assert!(policy.enabled);
        assert_eq!(policy.restart_attempt_period, Some(60));
        Some(policy.ignored_exit_codes.clone())
    };
    assert_eq!(restarts("app"), Some(vec![]));
    assert_eq!(restarts("db"), Some(vec![]));
    assert_eq!(restarts("seed"), None, "else it would never have ended");
    assert_eq!(restarts("retry"), Some(vec![0]));
    assert_eq!(restarts("log"), None);
    assert_eq!(restarts(DEADLINE), None);
}

#[test]
fn a_checks_missing_times_are_dockers_and_not_those_of_ecs() {
    let definition = Scene::stack(
        "
services:
  a: {image: a, healthcheck: {test: 'true'}}
  b:
    image: b
    healthcheck:
      {test: [CMD, ok], interval: 5s, timeout: 1500ms, retries: 10, start_period: 5m}
  c: {image: c, healthcheck: {disable: true}}
",
    )
    .definition(1);
    let check = |name: &str| {
        let check = container(&definition, name).health_check.clone();
        serde_json::to_value(check).unwrap()
    };
    assert_eq!(
        check("a"),
        serde_json::json!({
            "command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 30, "retries": 3,
        })
    );
    assert_eq!(
        check("b"),
        serde_json::json!({
            "command": ["CMD", "ok"], "interval": 5, "timeout": 2, "retries": 10,
            "startPeriod": 300,
        })
    );
    assert_eq!(check("c"), serde_json::Value::Null);
}

#[test]
fn what_a_container_may_do_is_what_it_may_on_an_engine() {
    let definition = Scene::stack(
        "
services:
  a: {image: a}
  b: {image: b, cap_drop: [ALL], cap_add: [SYS_PTRACE, NET_RAW]}
",
    )
    .definition(1);
    let capabilities = |name: &str| {
        let parameters = container(&definition, name).linux_parameters.clone();
        parameters.unwrap().capabilities.unwrap()
    };
    let baseline = capabilities("a");
    assert!(baseline.add.is_empty());
    assert_eq!(
        baseline.drop,
        [
            "AUDIT_WRITE",
            "FSETID",
            "MKNOD",
            "NET_RAW",
            "SETFCAP",
            "SETPCAP",
            "SYS_CHROOT"
        ]
    );
    let own = capabilities("b");
    assert_eq!(own.add, ["SYS_PTRACE"]);
    assert!(!own.drop.contains(&"NET_RAW".to_owned()));
    assert_eq!(own.drop.len(), 13);
}

#[test]
fn the_other_attributes_carry_over_one_by_one() {
    let scene = Scene {
        images: [("a:1".to_owned(), "mirror.example/a:1".to_owned())].into(),
        storage: Some(30),
        ..Scene::of(with(
            "stack: stack.yaml\necs: {capacity: ec2}",
            "
services:
  a:
    image: a:1
    platform: linux/arm64
    entrypoint: [run]
    command: [it, 'with spaces', '<&>', \"quote's\"]
    user: '1000:1000'
    working_dir: /w
    init: true
    read_only: true
    stop_grace_period: 90s
    labels: {of.mine: 'yes'}
    ulimits: {nofile: {soft: 100, hard: 200}, nproc: 50}
    sysctls: {net.core.somaxconn: 1024}
    shm_size: 64m
    ports: ['80', '53/udp']
    expose: ['9000']
    mem_limit: 100m
    mem_reservation: 50m
    volumes:
      - data:/data:ro
      - /scratch
      - {type: tmpfs, target: /run, tmpfs: {size: 10m}}
  shell: {image: b:1, x-seatbox: {workspace: /data}, volumes: ['data:/data', 'd.a-t_a:/more']}
volumes: {data: , d.a-t_a: }
",
        ))
    };
    let definition = scene.definition(1);
    let a = serde_json::to_value(container(&definition, "a")).unwrap();
    for (key, expected) in [
        ("image", serde_json::json!("mirror.example/a:1")),
        ("entryPoint", serde_json::json!(["run"])),
        (
            "command",
            serde_json::json!(["it", "with spaces", "<&>", "quote's"]),
        ),
        ("user", serde_json::json!("1000:1000")),
        ("workingDirectory", serde_json::json!("/w")),
        ("readonlyRootFilesystem", serde_json::json!(true)),
        ("stopTimeout", serde_json::json!(90)),
        ("dockerLabels", serde_json::json!({"of.mine": "yes"})),
        (
            "ulimits",
            serde_json::json!([
                {"name": "nofile", "softLimit": 100, "hardLimit": 200},
                {"name": "nproc", "softLimit": 50, "hardLimit": 50},
            ]),
        ),
        (
            "systemControls",
            serde_json::json!([{"namespace": "net.core.somaxconn", "value": "1024"}]),
        ),
        (
            "portMappings",
            serde_json::json!([
                {"containerPort": 80, "protocol": "tcp"},
                {"containerPort": 53, "protocol": "udp"},
            ]),
        ),
        ("memory", serde_json::json!(100)),
        ("memoryReservation", serde_json::json!(50)),
        (
            "mountPoints",
            serde_json::json!([
                {"sourceVolume": "data", "containerPath": "/data", "readOnly": true},
                {"sourceVolume": "a-anonymous", "containerPath": "/scratch", "readOnly": false},
            ]),
        ),
    ] {
        assert_eq!(a[key], expected, "{key}");
    }
    let linux = &a["linuxParameters"];
    assert_eq!(linux["initProcessEnabled"], true);
    assert_eq!(
        linux["tmpfs"],
        serde_json::json!([{"containerPath": "/run", "size": 10}])
    );
    let volumes: Vec<_> = definition
        .volumes
        .iter()
        .map(|volume| &volume.name)
        .collect();
    assert_eq!(volumes, ["data", "d_a-t_a", "a-anonymous"]);
    assert_eq!(definition.ephemeral_storage.unwrap().size_in_gib, 30);
    assert_eq!(
        definition.runtime_platform.unwrap().cpu_architecture,
        "ARM64"
    );
}
