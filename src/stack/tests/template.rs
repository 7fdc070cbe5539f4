//! The shipped stack.

use super::fixture::Setup;
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
