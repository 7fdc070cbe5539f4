//! `SEATBOX_HOST_<SERVICE>`.

use super::fixture::Setup;
use crate::model::environment::ProviderKind;

const STACK: &str = "
services:
  app:
    image: app
    environment:
      URL: http://${SEATBOX_HOST_MY_DB_2}:5432/$SEATBOX_HOST_APP
    command: [wait-for, '${SEATBOX_HOST_MY_DB_2:-nobody}', '$$SEATBOX_HOST_APP']
  my.db-2: {image: db}
";

fn on(provider: ProviderKind) -> Setup {
    Setup {
        provider,
        ..Setup::default()
    }
}

#[test]
fn a_service_is_reached_by_its_name_or_at_localhost_where_the_network_is_shared() {
    for (provider, url, host) in [
        (ProviderKind::Docker, "http://my.db-2:5432/app", "my.db-2"),
        (ProviderKind::Ec2, "http://my.db-2:5432/app", "my.db-2"),
        (
            ProviderKind::Ecs,
            "http://localhost:5432/localhost",
            "localhost",
        ),
    ] {
        let stack = on(provider).text(STACK).expect("it is right");
        let app = &stack.services[0];
        assert_eq!(app.environment["URL"].as_literal(), Some(url), "{provider}");
        let command: Vec<_> = app.command.iter().flatten().collect();
        assert_eq!(command[1].as_literal(), Some(host), "{provider}");
        assert_eq!(command[2].as_literal(), Some("$SEATBOX_HOST_APP"));
    }
}

#[test]
fn a_service_that_is_not_there_is_named_with_the_one_that_was_meant() {
    for (variable, hint) in [
        ("SEATBOX_HOST_MY_DB", "did you mean `SEATBOX_HOST_MY_DB_2`?"),
        (
            "SEATBOX_HOST_queue",
            "there are: SEATBOX_HOST_APP, SEATBOX_HOST_MY_DB_2",
        ),
        (
            "SEATBOX_HOST_",
            "there are: SEATBOX_HOST_APP, SEATBOX_HOST_MY_DB_2",
        ),
    ] {
        let text = format!("{STACK}    labels: {{host: ${variable}}}\n")
            .replace("  my.db-2: {image: db}\n", "  my.db-2:\n    image: db\n");
        let problems = Setup::default().text(&text).expect_err(variable);
        let shown = problems.render(false, 200);
        assert!(shown.contains(&format!("`{variable}`")), "{shown}");
        assert!(shown.contains(hint), "{shown}");
    }
}

#[test]
fn two_services_of_one_variable_can_not_be_told_apart() {
    let text = "
services:
  a-b: {image: i}
  a_b: {image: i, hostname: $SEATBOX_HOST_A_B}
";
    let shown = on(ProviderKind::Ecs)
        .text(text)
        .expect_err("which one?")
        .render(false, 200);
    assert!(shown.contains("`a-b` as well as `a_b`"), "{shown}");
}
