//! The shipped stack.

use super::fixture::Setup;
use crate::model::environment::ProviderKind;
use crate::model::stack::Condition;

const TEXT: &str = include_str!("../../../templates/stacks/go-redis-postgres.yaml");

#[test]
fn the_shipped_stack_is_what_the_event_needs() {
    let stack = match Setup::default().text(TEXT) {
        Ok(stack) => stack,
        Err(problems) => panic!("{}", problems.render(false, 100)),
    };
    let names: Vec<_> = stack.services.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["workspace", "redis", "postgres"]);
    assert_eq!(stack.workspace_volume(), Some("workspace"));
    let workspace = &stack.services[0];
    assert!(
        workspace
            .depends_on
            .values()
            .all(|d| d.condition == Condition::ServiceHealthy)
    );
    assert_eq!(
        workspace.environment["DATABASE_URL"].to_compose(),
        "postgres://gopher:${SEATBOX_SECRET_POSTGRES}@postgres:5432/workshop?sslmode=disable"
    );
    assert!(
        stack
            .services
            .values()
            .all(|s| s.healthcheck.is_some() && s.ports.len() == 1)
    );
    // Nothing has to be copied into a container before it starts.
    assert!(stack.services.values().all(|s| s.files.is_empty()));
    let redis = &stack.services[1];
    assert_eq!(
        redis.environment["REDISCLI_AUTH"].to_compose(),
        "${SEATBOX_SECRET_REDIS}"
    );
    let postgres = &stack.services[2];
    assert_eq!(
        postgres.snapshot_volumes().collect::<Vec<_>>(),
        [("postgres", "/var/lib/postgresql/data")]
    );
    assert!(postgres.seatbox.snapshot.is_some());
}

#[test]
fn the_seats_of_the_event_fit_a_laptop_of_16_gibibytes() {
    let stack = Setup::default().text(TEXT).expect("it is right");
    let seat: u64 = stack
        .services
        .values()
        .filter_map(|s| s.resources.memory)
        .sum();
    assert!(seat * 23 < 16 << 30, "{seat}");
}

#[test]
fn no_secret_is_an_argument_of_a_process() {
    let stack = Setup::default().text(TEXT).expect("it is right");
    for service in stack.services.values() {
        let test = service.healthcheck.iter().flat_map(|check| &check.test);
        for text in service.command.iter().flatten().chain(test) {
            assert!(text.as_literal().is_some(), "{text:?}");
        }
    }
}

/// Else `up` would make every seat's containers anew after an upgrade.
#[test]
fn with_its_hosts_as_variables_the_stack_is_what_it_was_with_their_names() {
    let with_names = TEXT
        .replace("${SEATBOX_HOST_POSTGRES}", "postgres")
        .replace("${SEATBOX_HOST_REDIS}", "redis");
    assert_ne!(with_names, TEXT);
    for provider in [ProviderKind::Docker, ProviderKind::Ec2] {
        let setup = Setup {
            provider,
            ..Setup::default()
        };
        assert_eq!(
            setup.text(TEXT).expect("it is right"),
            setup.text(&with_names).expect("it is right")
        );
    }
}

#[test]
fn where_a_seat_shares_one_network_its_services_are_reached_at_localhost() {
    let setup = Setup {
        provider: ProviderKind::Ecs,
        ..Setup::default()
    };
    let stack = setup.text(TEXT).expect("it is right");
    let variables = &stack.services[0].environment;
    for (name, expected) in [
        (
            "DATABASE_URL",
            "postgres://gopher:${SEATBOX_SECRET_POSTGRES}@localhost:5432/workshop?sslmode=disable",
        ),
        ("PGHOST", "localhost"),
        (
            "REDIS_URL",
            "redis://default:${SEATBOX_SECRET_REDIS}@localhost:6379/0",
        ),
        ("REDIS_HOST", "localhost"),
        ("REDIS_ADDR", "localhost:6379"),
    ] {
        assert_eq!(variables[name].to_compose(), expected, "{name}");
    }
}
