//! The policy of docs/aws.md, which is what an organizer gives Seatbox.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::desk::repository;

/// The services that a call names by itself, and what they are called in policies.
const SERVICES: [(&str, &str); 8] = [
    ("ec2(", "ec2"),
    ("ecs(", "ecs"),
    ("iam(", "iam"),
    ("logs(", "logs"),
    ("ssm(", "ssm"),
    ("new(Service::Ecs,", "ecs"),
    ("new(Service::ServiceQuotas,", "servicequotas"),
    ("new(Service::Tagging,", "tag"),
];

#[test]
fn the_policy_of_the_documentation_allows_every_call_that_is_made() {
    let mut called = BTreeSet::new();
    read(&repository("src/provider/aws"), &mut called);
    assert!(called.len() > 50, "{called:?}");
    let allowed = allowed();
    let missing: Vec<&String> = called.difference(&allowed).collect();
    assert!(missing.is_empty(), "docs/aws.md lacks {missing:?}");
}

/// What the documentation's policy allows.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository("docs/aws.md")).unwrap();
    let (_, policy) = text.split_once("```json\n").expect("there is a policy");
    let (policy, _) = policy.split_once("```").expect("it ends");
    let policy: Value = serde_json::from_str(policy).expect("it is JSON");
    let statements = policy["Statement"].as_array().expect("it has statements");
    let actions = statements.iter().flat_map(|statement| {
        let actions = &statement["Action"];
        let one = actions.as_str().into_iter();
        let many = actions.as_array().into_iter().flatten();
        one.chain(many.filter_map(Value::as_str))
    });
    actions.map(str::to_owned).collect()
}

/// The calls in the sources below a directory, but for the table of what AWS publishes of all calls.
fn read(directory: &Path, called: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("limits") {
            read(&path, called);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            called.extend(text.split("Action::").skip(1).filter_map(action));
        }
    }
}

/// The action that the code behind `Action::` names.
fn action(code: &str) -> Option<String> {
    SERVICES.iter().find_map(|(before, service)| {
        let name = code.strip_prefix(before)?.trim_start();
        let (name, _) = name.strip_prefix('"')?.split_once('"')?;
        Some(format!("{service}:{name}"))
    })
}
