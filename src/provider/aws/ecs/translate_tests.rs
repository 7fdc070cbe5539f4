//! From stacks to task definitions.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::definition::{Tag, TaskDefinition};
use super::fixture::{self, Scene, built_in, container, seat, variables};
use super::left_out::left_out;
use super::template::{self, DEADLINE, TemplateError};
use super::translate::{Sharing, TranslationError};
use crate::plan::Fingerprint;

#[test]
fn tasks_on_instances_are_checked_for_these() {
    let stack = "services: {work: {image: golang:1.23}}";
    for (capacity, expected) in [
        ("fargate", "FARGATE"),
        ("fargate-spot", "FARGATE"),
        ("ec2", "EC2"),
    ] {
        let lines = format!("stack: stack.yaml\necs: {{capacity: {capacity}}}");
        let definition = Scene::of(fixture::with(&lines, stack)).definition(1);
        assert_eq!(
            definition.requires_compatibilities,
            [expected],
            "{capacity}"
        );
    }
}

#[test]
fn the_built_in_stack_is_a_task_of_its_services_and_one_that_ends_it() {
    let scene = Scene::of(built_in());
    let translation = scene.translation();
    assert_eq!(translation.sharing(), Sharing::PerSeat);
    let tags = [Tag {
        key: "dev.seatbox.environment".to_owned(),
        value: "lab".to_owned(),
    }];
    let mut definition = translation.definition(seat(7), &tags).unwrap();
    // What they run is long, and is what the stack and templates/ecs/deadline.sh have.
    for container in &mut definition.container_definitions {
        let command = container.command.iter_mut().flatten();
        for word in command.filter(|word| word.contains('\n')) {
            *word = format!("{} …", word.lines().next().unwrap_or_default());
        }
    }
    insta::assert_json_snapshot!(definition);
}

#[test]
fn a_seat_of_the_built_in_stack_has_a_parameter_for_each_value_with_a_secret_in_it() {
    let translation = Scene::of(built_in()).translation();
    let all: Vec<(String, String)> = translation
        .parameters()
        .map(|one| {
            (
                translation.parameter_name(seat(7), &one),
                one.text.to_compose(),
            )
        })
        .collect();
    let expected = [
        (
            "workspace.DATABASE_URL",
            "postgres://gopher:${SEATBOX_SECRET_POSTGRES}@localhost:5432/workshop?sslmode=disable",
        ),
        ("postgres", "${SEATBOX_SECRET_POSTGRES}"),
        (
            "workspace.REDIS_URL",
            "redis://default:${SEATBOX_SECRET_REDIS}@localhost:6379/0",
        ),
        ("redis", "${SEATBOX_SECRET_REDIS}"),
    ];
    let expected =
        expected.map(|(purpose, text)| (format!("/seatbox/lab/07/{purpose}"), text.to_owned()));
    assert_eq!(all, expected);
}

#[test]
fn the_built_in_stack_loses_little_in_a_task_and_it_is_said() {
    let lines: Vec<String> = left_out(&built_in().stack)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "volume workspace goes with its task (a reset begins the workspace anew, too)",
            "volume redis goes with its task (a reset begins it anew)",
            "volume postgres goes with its task (a reset begins it anew)",
            "no service has a limit of processes (the memory of its container limits it)",
            "processes may gain privileges by setuid programs (within the container's capabilities)",
            "service workspace: its host name is not set (it is that of the task's address)",
            "service postgres: its stop signal is not set (it is the image's)",
        ]
    );
}

#[test]
fn a_stack_without_secrets_is_one_definition_for_all_seats() {
    let scene = Scene::stack(
        "
services:
  app:
    image: app
    environment: {NAME: 'seat $SEATBOX_SEAT_PADDED of group $SEATBOX_GROUP', MODE: x}
  db: {image: db, environment: {SEAT: $SEATBOX_SEAT}}
  plain: {image: plain, environment: {A: b}}
",
    );
    let translation = scene.translation();
    assert_eq!(translation.sharing(), Sharing::Overrides);
    assert_eq!(translation.family(seat(7)), "seatbox-lab");
    let definition = translation.definition(seat(7), &[]).unwrap();
    assert_eq!(definition, translation.definition(seat(23), &[]).unwrap());
    assert_eq!(
        variables(container(&definition, "app")),
        [("MODE", "x")].into()
    );
    assert_eq!(variables(container(&definition, "db")), [].into());
    assert_eq!(
        variables(container(&definition, "plain")),
        [("A", "b")].into()
    );

    let overrides = translation.overrides(seat(13), Timestamp::UNIX_EPOCH);
    let expected = serde_json::json!([
        {"name": "app", "environment": [{"name": "NAME", "value": "seat 13 of group 2"}]},
        {"name": "db", "environment": [{"name": "SEAT", "value": "13"}]},
        {
            "name": "seatbox-deadline",
            "environment": [{"name": "SEATBOX_EXPIRES", "value": "1970-01-01T00:00:00Z"}],
        },
    ]);
    assert_eq!(serde_json::to_value(&overrides).unwrap(), expected);
}

#[test]
fn a_stack_without_a_seats_own_values_is_started_alike_for_all() {
    let translation = Scene::stack("services: {app: {image: app}}").translation();
    assert_eq!(translation.sharing(), Sharing::Alike);
    let of = |number| translation.overrides(seat(number), Timestamp::UNIX_EPOCH);
    assert_eq!(of(1), of(23));
    assert_eq!(of(1).len(), 1);
    assert_eq!(translation.parameters().count(), 0);
}

#[test]
fn a_seats_own_value_elsewhere_than_in_a_variable_makes_its_own_definition() {
    for attribute in [
        "command: [serve, $SEATBOX_SEAT]",
        "entrypoint: [serve, $SEATBOX_SEAT]",
        "user: '$SEATBOX_SEAT'",
        "labels: {seat: $SEATBOX_SEAT}",
        "healthcheck: {test: check $SEATBOX_SEAT}",
        "environment: {PASSWORD: $SEATBOX_SECRET_X}",
    ] {
        let stack = format!(
            "services:\n  app:\n    image: app\n    {attribute}\n  b:\n    image: b\n    \
             environment: {{N: $SEATBOX_SEAT}}\n"
        );
        let translation = Scene::stack(&stack).translation();
        assert_eq!(translation.sharing(), Sharing::PerSeat, "{attribute}");
        assert_eq!(translation.family(seat(7)), "seatbox-lab_07");
        let definition = translation.definition(seat(7), &[]).unwrap();
        assert_eq!(definition.family, "seatbox-lab_07");
        // In the definition, and not once more where the task is started.
        assert_eq!(variables(container(&definition, "b")), [("N", "7")].into());
        assert_eq!(
            translation.overrides(seat(7), Timestamp::UNIX_EPOCH).len(),
            1
        );
    }
}

#[test]
fn overrides_that_are_too_long_for_a_call_go_into_the_definition() {
    let sharing = |length: usize| {
        let value = "x".repeat(length);
        Scene::stack(&format!(
            "services: {{app: {{image: app, environment: {{N: '{value} $SEATBOX_SEAT'}}}}}}"
        ))
        .translation()
        .sharing()
    };
    assert_eq!(sharing(7_500), Sharing::Overrides);
    assert_eq!(sharing(8_200), Sharing::PerSeat);
}

#[test]
fn no_secret_is_in_a_definition_or_an_override() {
    let scene = Scene::of(built_in());
    let translation = scene.translation();
    let definition = translation.definition(seat(7), &[]).unwrap();
    let workspace = container(&definition, "workspace");
    let secrets: BTreeMap<_, _> = workspace
        .secrets
        .iter()
        .map(|secret| (secret.name.as_str(), secret.value_from.as_str()))
        .collect();
    let arn = |purpose| {
        format!("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/seatbox/lab/07/{purpose}")
    };
    assert_eq!(secrets["PGPASSWORD"], arn("postgres"));
    assert_eq!(secrets["DATABASE_URL"], arn("workspace.DATABASE_URL"));
    // A variable is one or the other.
    let plain = variables(workspace);
    assert!(secrets.keys().all(|name| !plain.contains_key(name)));
    assert_eq!(plain["PGHOST"], "localhost");
    let everything = serde_json::to_string(&(
        &definition,
        translation.overrides(seat(7), Timestamp::UNIX_EPOCH),
        translation.specification(),
    ));
    // Not even its name, but for the texts of the parameters.
    let parameters: Vec<String> = translation
        .parameters()
        .map(|one| serde_json::to_string(&one.text.to_compose()).unwrap())
        .collect();
    let rest = parameters
        .iter()
        .fold(everything.unwrap(), |rest, text| rest.replace(text, ""));
    assert!(!rest.contains("SEATBOX_SECRET"), "{rest}");
}

#[test]
fn a_task_is_as_large_as_its_services_together_unless_its_cpu_is_given() {
    let mut scene = Scene::of(built_in());
    // 1 + ½ + 1 vCPU, 448 + 64 + 160 MiB and 32 more.
    let definition = scene.definition(1);
    assert_eq!((&*definition.cpu, &*definition.memory), ("4096", "8192"));
    scene.cpu = Some(512);
    let definition = scene.definition(1);
    assert_eq!((&*definition.cpu, &*definition.memory), ("512", "1024"));
    let shares: Vec<_> = definition
        .container_definitions
        .iter()
        .map(|container| container.cpu)
        .collect();
    assert_eq!(shares, [204, 102, 204, 0]);
    // What a service reserves is what it is given, and not its limit.
    let reserved = Scene::stack(
        "
services:
  a:
    image: a
    deploy: {resources: {limits: {cpus: '2', memory: 400m}, reservations: {cpus: '0.25'}}}
",
    );
    let definition = reserved.definition(1);
    assert_eq!((&*definition.cpu, &*definition.memory), ("256", "512"));
}

#[test]
fn what_is_more_than_a_task_can_have_is_an_error() {
    let scene = Scene::stack(
        "
services:
  a: {image: a, cpus: 10, mem_limit: 1g}
  b: {image: b, cpus: 10, mem_limit: 1g}
",
    );
    let error = scene.translate().expect_err("20 vCPU");
    let TranslationError::Unsupported(all) = error else {
        panic!("{error}")
    };
    assert_eq!(
        all[0].to_string(),
        "its services together ask for more than a task can have (16 vCPU and 120 GiB at most: \
         lower `cpus` and `mem_limit`)"
    );
    let long = "x".repeat(70_000);
    let scene = Scene::stack(&format!("services: {{a: {{image: a, command: [{long}]}}}}"));
    let error = scene.translate().expect_err("too long");
    assert!(matches!(error, TranslationError::Unsupported(all) if all[0].what.contains("65536")));
}

#[test]
fn all_that_is_unsupported_is_an_error_of_the_translation() {
    let scene = Scene::stack("services: {a: {image: seatbox.local/a, extra_hosts: ['x:1.2.3.4']}}");
    let error = scene.translate().expect_err("unsupported");
    assert!(matches!(error, TranslationError::Unsupported(all) if all.len() == 2));
}

#[test]
fn what_makes_a_task_another_one_is_in_its_fingerprint() {
    let of = |scene: &Scene| Fingerprint::of(scene.translation().specification());
    let stack = "services: {a: {image: a, environment: {X: $SEATBOX_SEAT, Y: $SEATBOX_SECRET_Y}}}";
    let first = of(&Scene::stack(stack));
    assert_eq!(first, of(&Scene::stack(stack)), "it is no chance");
    for (from, to) in [
        ("image: a", "image: b"),
        ("X: $SEATBOX_SEAT", "X: $SEATBOX_GROUP"),
        ("X: $SEATBOX_SEAT", "X: '$${SEATBOX_SEAT}'"),
        ("Y: $SEATBOX_SECRET_Y", "Y: $SEATBOX_SECRET_Z"),
        ("Y: $SEATBOX_SECRET_Y", "Y: 'a $SEATBOX_SECRET_Y'"),
    ] {
        assert_ne!(first, of(&Scene::stack(&stack.replace(from, to))), "{to}");
    }
    // Variables that are given at the start are in it as well.
    let shared = "services: {a: {image: a, environment: {X: $SEATBOX_SEAT}}}";
    let other = shared.replace("SEATBOX_SEAT", "SEATBOX_GROUP");
    assert_ne!(of(&Scene::stack(shared)), of(&Scene::stack(&other)));
}

#[test]
fn a_template_of_ones_own_is_taken_as_long_as_it_keeps_what_matters() {
    let mut scene = Scene::stack("services: {a: {image: a}}");
    let built_in = template::built_in();
    scene.template = built_in.replace(
        "\"networkMode\": \"awsvpc\",",
        "\"networkMode\": \"awsvpc\", \"ephemeralStorage\": {\"sizeInGiB\": 99},",
    );
    assert!(scene.translate().is_err(), "the same key twice");
    scene.template = built_in.replace("\"memory\": {{ deadline.memory }}", "\"memory\": 48");
    assert_eq!(container(&scene.definition(1), DEADLINE).memory, Some(48));

    for (from, to, message) in [
        (
            "{{ family | tojson }}",
            "{{ famly | tojson }}",
            "can't be rendered",
        ),
        (
            "{{ family | tojson }}",
            "\"mine\"",
            "must keep the family seatbox-lab",
        ),
        (
            "\"networkMode\"",
            "\"netMode\"",
            "no task definition: unknown field `netMode`",
        ),
        (
            "deadline.name",
            "family",
            "has no container seatbox-deadline",
        ),
        (
            "\"essential\": true",
            "\"essential\": false",
            "must have seatbox-deadline end",
        ),
        (
            "for container in containers",
            "for container in []",
            "has no container a",
        ),
        (
            "for container in containers",
            "for container in containers + containers",
            "has two containers a",
        ),
    ] {
        scene.template = built_in.replace(from, to);
        let error = scene.translate().expect_err(to);
        let TranslationError::Template(error) = error else {
            panic!("{error}")
        };
        assert!(error.to_string().contains(message), "{to}: {error}");
        assert!(
            matches!(error, TemplateError::Render(_)) == (message == "can't be rendered"),
            "{error:?}"
        );
    }
}

#[test]
fn a_definition_reads_back_as_it_was_written() {
    let definition = Scene::of(built_in()).definition(7);
    let json = serde_json::to_string(&definition).unwrap();
    assert_eq!(
        serde_json::from_str::<TaskDefinition>(&json).unwrap(),
        definition
    );
}
