//! What a provider can't do is told before anybody is asked.

use super::account::{VENUE, write};
use crate::support::desk::{Desk, run};

const STACK: &str = "
services:
  app: {image: golang:1.23-bookworm, volumes: ['./src:/src']}
  db: {image: postgres:15, volumes: ['./data:/data']}
";

/// Nothing answers, and nothing says where anything would.
fn desk() -> Desk {
    let desk = Desk::new();
    let [source, data] = ["src", "data"].map(|name| desk.path(name));
    for directory in [&source, &data] {
        std::fs::create_dir_all(directory).unwrap();
    }
    let mounts = format!(
        "isolation: {{bind_mounts: [{}, {}]}}\n",
        source.display(),
        data.display()
    );
    write(&desk, &format!("provider: ec2\n{VENUE}{mounts}"));
    desk.write("stack.yaml", STACK);
    desk
}

#[test]
fn all_of_it_is_told_with_the_service_and_a_hint_and_nothing_is_made() {
    let desk = desk();
    for verb in [&["up"][..], &["plan"], &["plan", "--offline"]] {
        desk.run(verb).exits(2).says(&[
            "service app",
            "service db",
            "stack.yaml",
            "workspace.files",
        ]);
    }
    assert!(!desk.path("state").exists(), "no key is made");
    let ran = desk.run(&["plan", "--provider", "ecs"]).exits(2);
    assert!(ran.stderr.contains("service app"), "{ran}");
}

#[test]
fn programs_are_told_all_of_it_too() {
    let desk = desk();
    let ran = desk.run(&["up", "--output", "json"]).exits(2);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["error"]["exit_code"], 2);
    let problems = error["error"]["diagnostics"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{ran}");
    assert_eq!(problems[0]["code"], "ec2::unsupported");
    assert_eq!(problems[0]["path"], "services.app");
    assert!(problems[0]["hint"].as_str().unwrap().contains("workspace"));
}

#[test]
fn whoever_only_asks_what_is_written_is_told() {
    desk()
        .run(&["config"])
        .exits(0)
        .says(&["provider", "ec2", "ec2.types"]);
}

#[test]
fn a_plan_without_aws_is_that_of_an_empty_account_and_says_so() {
    let desk = Desk::new();
    write(
        &desk,
        &format!("provider: ec2\n{VENUE}seats: {{count: 2}}\n"),
    );
    let ran = desk.run(&["plan", "--offline"]).exits(0).says(&[
        "shared   create   VPC",
        "seat 01  launch   instance",
        "seat 02  check    stack",
        "AWS was not asked",
        "2 × instance",
    ]);
    assert!(!desk.path("state").exists(), "{ran}");
    let mut command = desk.seatbox();
    command.args(["plan", "--offline", "--output", "json"]);
    let plan = run(&mut command).exits(0).json();
    assert_eq!(plan["seats"], serde_json::json!([1, 2]));
}
