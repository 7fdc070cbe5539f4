//! Plans that ask nobody.

use crate::support::desk::Desk;

const STACK: &str = "
services:
  app: {image: golang:1.23-bookworm, ports: ['8080'], depends_on: [db]}
  db: {image: postgres:15, volumes: [data:/var/lib/postgresql/data]}
volumes: {data: }
";

fn desk(settings: &str) -> Desk {
    let desk = Desk::new();
    desk.write("stack.yaml", STACK);
    desk.write(
        "seatbox.yaml",
        format!("version: 1\nname: go-lab\nstack: stack.yaml\n{settings}"),
    );
    desk
}

#[test]
fn a_plan_without_an_engine_is_that_of_an_empty_one_and_says_so() {
    let desk = desk("seats: {count: 2}\n");
    let ran = desk.run(&["plan", "--offline"]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let seat: Vec<String> = [
        "volume go-lab-01_data",
        "network go-lab-01_default",
        "container go-lab-01-db-1",
        "container go-lab-01-app-1",
    ]
    .iter()
    .map(|resource| format!("seat 01  create   {resource}  (missing)"))
    .collect();
    for line in &seat {
        assert!(lines.contains(&line.as_str()), "`{line}` is not in {ran}");
    }
    ran.says(&[
        "shared   pull     image golang:1.23-bookworm  (missing)",
        "no engine and no registry was asked",
        "14 changes to 2 seats: bring up 2 × image, bring up 2 × volume, bring up 2 × network, \
         bring up 4 × container",
    ]);
    assert!(!desk.path("state").exists(), "a plan makes no key");
}

#[test]
fn a_plan_without_an_engine_can_be_read_by_programs() {
    let desk = desk("seats: {count: 2}\nimages: {sources: [recipe]}\n");
    let plan = desk
        .run(&["plan", "--offline", "--seats", "2", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(plan["seats"], serde_json::json!([2]));
    assert_eq!(plan["actions"][0]["verb"], "build");
    assert!(plan["notices"][0].as_str().unwrap().contains("no engine"));
    assert_eq!(
        plan["notices"][1],
        "seatbox.local/golang:1.23 stands in for golang:1.23-bookworm"
    );
}

#[test]
fn what_no_engine_could_bring_up_is_blocked_without_one_too() {
    let desk = desk("seats: {count: 2}\nimages: {sources: [recipe]}\n");
    desk.write("stack.yaml", "services: {a: {image: busybox}}\n");
    desk.run(&["plan", "--offline"]).exits(3).says(&[
        "seat 02  blocked: image busybox is nowhere to be had: no recipe stands in for it",
        "nothing can be done for 2 seats",
    ]);
    desk.run(&["plan", "--offline", "--seats", "3"])
        .exits(2)
        .says(&["go-lab has no seat 3"]);
}
