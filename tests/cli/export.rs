//! A seat as files for plain Docker Compose.

use crate::support::desk::Desk;

#[test]
fn an_exported_seat_reaches_its_services_by_name_wherever_its_seats_live() {
    for provider in ["docker", "ec2", "ecs"] {
        let desk = Desk::new();
        desk.write(
            "seatbox.yaml",
            format!(
                "version: 1\nname: go-lab\nprovider: {provider}\n\
                 stack: {{template: go-redis-postgres}}\n"
            ),
        );
        let export = ["export", "compose", "--seat", "1", "--directory", "out"];
        desk.run(&export).exits(0);
        let compose = std::fs::read_to_string(desk.path("out/compose.yaml")).unwrap();
        for line in ["PGHOST: postgres\n", "REDIS_ADDR: \"redis:6379\"\n"] {
            assert!(compose.contains(line), "{provider}: {compose}");
        }
        assert!(!compose.contains("localhost"), "{provider}: {compose}");
    }
}
