//! Properties of the reader and of the export.

use std::net::Ipv4Addr;
use std::path::Path;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::fixture::{Setup, with_attributes};
use crate::model::aws::*;
use crate::model::environment::*;
use crate::model::{Environment, SeatNumber, SeatValues, SeatVariable, Stack};
use crate::stack::export::{Export, PortAssignment, export};
use crate::stack::harden;

const TEMPLATE: &str = include_str!("../../../templates/stacks/go-redis-postgres.yaml");

/// For each attribute, some ways to write it. Any choice of them is a service.
const ATTRIBUTES: &[&[&str]] = &[
    &[
        "command: a 'b $$c' $SEATBOX_SEAT",
        "command: []",
        "command: ['yes', '#', \"l\\nm\"]",
    ],
    &["entrypoint: [/x, $SEATBOX_NAME]", "entrypoint: ''"],
    &["environment: {A: $SEATBOX_SECRET_X, B: 'a: b', C: \"x\\ny\\n\", D: '', no: '1_0'}"],
    &["ports: [80, 81/udp]", "ports: ['127.0.0.1::8080']"],
    &["expose: [1, 2/udp]"],
    &[
        "volumes: ['v:/v:ro', /anon, {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]",
        "volumes: [{type: volume, source: w, target: /w, volume: {nocopy: true}}]",
    ],
    &["tmpfs: ['/x:size=1m', /y]"],
    &[
        "healthcheck: {test: 'a $$b', interval: 1m30s, timeout: 1500ms, retries: 2}",
        "healthcheck: {disable: true}",
        "healthcheck: {start_period: 1h}",
    ],
    &[
        "depends_on: [other]",
        "depends_on: {other: {condition: service_healthy}}",
    ],
    &[
        "networks: [n, m]",
        "networks: {n: {aliases: [a, 'b-${SEATBOX_SEAT}']}}",
    ],
    &[
        "mem_limit: 100m\ncpus: 0.123",
        "mem_reservation: 64m\npids_limit: 7",
        "deploy: {resources: {reservations: {cpus: '0.2', memory: 2g}}}",
    ],
    &[
        "cap_add: [CHOWN]",
        "cap_drop: [KILL]",
        "cap_add: [KILL]\ncap_drop: [ALL]",
    ],
    &["security_opt: ['no-new-privileges:true']"],
    &["user: '1000'", "user: u$SEATBOX_SEAT_PADDED"],
    &["hostname: seat-$SEATBOX_SEAT", "working_dir: /a/$$b"],
    &[
        "init: true",
        "stop_signal: SIGINT",
        "stop_grace_period: 90s",
    ],
    &["ulimits: {nofile: {soft: 1, hard: 2}, core: -1}"],
    &[
        "sysctls: {net.core.somaxconn: 1}",
        "shm_size: 1m",
        "platform: linux/amd64",
    ],
    &[
        "restart: always",
        "restart: on-failure:3",
        "restart: unless-stopped",
    ],
    &["labels: {a: 'b $$ c', d: $SEATBOX_GROUP}"],
    &["configs: [c, {source: d, target: /e/f, uid: '7', mode: 0400}]\nsecrets: [k]"],
    &["extra_hosts: ['a=1.2.3.4', 'b=::1']"],
    &["x-seatbox: {shell: [bash, -l], ready_timeout: 30s}"],
];

struct Values;

impl SeatValues for Values {
    fn value(&self, variable: &SeatVariable) -> String {
        match variable {
            SeatVariable::Secret(purpose) => format!("s3cr$t'\"\\ {purpose}"),
            _ => "7".to_owned(),
        }
    }
}

fn environment(stack: Stack) -> Environment {
    Environment {
        name: "demo".parse().expect("a name"),
        event: Event {
            title: String::new(),
            starts: None,
            ends: None,
            time_zone: "UTC".to_owned(),
            locale: "en".to_owned(),
        },
        seats: Seats {
            count: 23,
            group_size: 12,
            spares: 0,
        },
        lifetime: Lifetime::After(SignedDuration::from_hours(1)),
        provider: ProviderKind::Docker,
        stack,
        images: ImagePolicy {
            sources: vec![],
            mirrors: vec![],
            recipes: None,
            bundled: vec![],
        },
        workspace: Workspace::default(),
        limits: Limits {
            memory: 256 << 20,
            nano_cpus: 1_000_000_000,
            pids: 512,
        },
        isolation: Isolation {
            internet: true,
            ..Isolation::default()
        },
        docker: DockerSettings {
            subnets: "10.0.0.0/16".parse().expect("a net"),
            subnet_prefix: 28,
            ports: PortPlan {
                address: Ipv4Addr::LOCALHOST.into(),
                first: 20_000,
                per_seat: 50,
            },
        },
        aws: AwsSettings {
            region: None,
            venue: vec![],
            network: "10.214.0.0/16".parse().expect("a net"),
            zones: 2,
        },
        ec2: Ec2Settings {
            image: MachineImage::Id("ami-1".to_owned()),
            types: vec![],
            market: Market::OnDemand,
            disk_gib: 16,
            instance_profile: None,
            ssh_config: None,
            mirrors: Ec2Mirrors::default(),
        },
        ecs: EcsSettings {
            capacity: Capacity::Fargate,
            cpu_units: None,
        },
    }
}

fn planned(stack: &Stack) -> Vec<PortAssignment> {
    let services = stack.services.values();
    services
        .flat_map(|s| s.ports.iter().map(|port| (s.name.clone(), port.target)))
        .zip(20_000..)
        .map(|((service, target), host)| PortAssignment {
            service,
            target,
            host,
        })
        .collect()
}

/// Writes an export to a directory and reads it again, as the one seat that it is for.
fn read_again(written: &Export, directory: &Path) -> Stack {
    let file = directory.join("compose.yaml");
    std::fs::write(&file, &written.compose).expect("written");
    for file in &written.files {
        let path = directory.join(&file.path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, &file.bytes).expect("written");
    }
    match Setup::one_seat().file(&file) {
        Ok(stack) => stack,
        Err(problems) => panic!("{}\n{}", problems.render(false, 100), written.compose),
    }
}

/// What reading the export of `stack` must give.
fn expected(environment: &Environment, directory: &Path, ports: &[PortAssignment]) -> Stack {
    let mut stack = harden::stack(
        &environment.stack,
        &environment.limits,
        &environment.isolation,
    );
    stack.file = directory.join("compose.yaml");
    let mut hosts = ports.iter();
    for port in stack.services.values_mut().flat_map(|s| &mut s.ports) {
        port.published = hosts.next().map(|port| port.host);
        port.host_ip = port.host_ip.or(Some(environment.docker.ports.address));
    }
    for service in stack.services.values_mut() {
        // Only the order in which a mapping can't say: `tmpfs` stands beside `volumes`.
        service.mounts.sort_by(|a, b| a.target.cmp(&b.target));
    }
    stack
}

fn round_trip(text: &str) -> Export {
    let directory = tempfile::tempdir().expect("a directory");
    let stack = match Setup::default().text(text) {
        Ok(stack) => stack,
        Err(problems) => panic!("{}\n{text}", problems.render(false, 100)),
    };
    let ports = planned(&stack);
    let environment = environment(stack);
    let seat = SeatNumber::new(7).expect("a seat");
    let written = export(&environment, seat, &ports, &Values);
    let mut again = read_again(&written, directory.path());
    for service in again.services.values_mut() {
        service.mounts.sort_by(|a, b| a.target.cmp(&b.target));
    }
    // Which files it is read from is no part of what it says.
    again.sources.clear();
    let expected = expected(&environment, directory.path(), &ports);
    assert_eq!(again, expected, "{}", written.compose);
    written
}

#[test]
fn an_exported_stack_is_read_again_as_the_hardened_stack() {
    let written = round_trip(TEMPLATE);
    assert!(
        written.compose.contains("\nname: demo-07\n"),
        "{}",
        written.compose
    );
    assert!(!written.compose.contains("s3cr"), "{}", written.compose);
    let lines: Vec<_> = written.environment.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "SEATBOX_SEAT_PADDED=7",
            "SEATBOX_SECRET_POSTGRES=\"s3cr\\$t'\\\"\\\\ postgres\"",
            "SEATBOX_SECRET_REDIS=\"s3cr\\$t'\\\"\\\\ redis\"",
        ]
    );
}

#[test]
fn both_forms_of_a_snapshots_command_survive_the_export() {
    for command in ["'a $$b | c'", "[a, $$b, \"c d\"]"] {
        round_trip(&with_attributes(&format!(
            "volumes: ['w:/d']\nhealthcheck: {{test: x}}\nx-seatbox: {{snapshot: {{personalize: {command}}}}}"
        )));
    }
}

#[test]
fn a_file_that_was_read_is_exported_beside_the_stack() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("stack.yaml");
    let text = "services: {s: {image: i, configs: [c]}}\nconfigs: {c: {file: c.bin}}\n";
    std::fs::write(&file, text).expect("written");
    std::fs::write(directory.path().join("c.bin"), [0, 255]).expect("written");
    let stack = Setup::default().file(&file).expect("right");
    let environment = environment(stack);
    let written = export(
        &environment,
        SeatNumber::new(1).expect("a seat"),
        &[],
        &Values,
    );
    assert_eq!(written.files[0].bytes, [0, 255]);
    let again = read_again(&written, directory.path());
    assert_eq!(
        again.services[0].files[0].content,
        environment.stack.services[0].files[0].content
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_choice_of_attributes_survives_the_export(
        choices in proptest::collection::vec(any::<proptest::sample::Index>(), ATTRIBUTES.len()),
        present in proptest::collection::vec(any::<bool>(), ATTRIBUTES.len()),
    ) {
        let lines: Vec<&str> = ATTRIBUTES
            .iter()
            .zip(choices.iter().zip(present))
            .filter(|(_, (_, present))| *present)
            .map(|(ways, (choice, _))| *choice.get(ways))
            .collect();
        round_trip(&with_attributes(&lines.join("\n")));
    }

    #[test]
    fn no_mutation_of_the_template_makes_the_reader_panic(
        edits in proptest::collection::vec(
            (any::<proptest::sample::Index>(), 0_usize..12, "[ -~\n]{0,6}|\\PC{0,3}|[$:{}\\[\\]&*<-]{1,4}"),
            1..6,
        ),
    ) {
        let mut text: Vec<char> = TEMPLATE.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = Setup::default().text(&text) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn no_value_of_an_attribute_makes_the_reader_panic(
        attribute in proptest::sample::select(vec![
            "ports", "volumes", "command", "environment", "healthcheck", "depends_on", "deploy",
            "networks", "configs", "tmpfs", "extra_hosts", "ulimits", "cpus", "mem_limit",
        ]),
        value in "[\\[{]?[a-z0-9:/$. ,'{}\\[\\]_~@-]{0,30}[\\]}]?",
    ) {
        let _ = Setup::default().text(&with_attributes(&format!("{attribute}: {value}")));
    }
}
