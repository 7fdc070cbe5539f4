//! The schemas, and the files that they are for.

use serde_json::Value;

use crate::support::desk::{Desk, repository};
use crate::support::schema::{problems, schema};

fn printed(of: &str) -> Value {
    Desk::new().run(&["schema", of]).exits(0).json()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn what_is_printed_is_what_is_in_the_repository_and_a_schema() {
    for (of, file) in [
        ("environment", "environment.schema.json"),
        ("output", "output-v1.schema.json"),
    ] {
        let printed = printed(of);
        assert_eq!(
            printed,
            schema(file),
            "write schemas/{file} anew with `seatbox schema {of}`"
        );
        assert!(jsonschema::draft202012::meta::is_valid(&printed));
    }
    assert_eq!(
        Desk::new().run(&["schema"]).exits(0).json(),
        printed("environment")
    );
}

#[test]
fn every_shipped_environment_is_valid_and_names_the_schema_for_editors() {
    let schema = printed("environment");
    let desk = Desk::new();
    let mut count = 0;
    for entry in std::fs::read_dir(repository("environments")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        count += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let named = first
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap_or_else(|| panic!("{path:?} names no schema"));
        assert!(path.parent().unwrap().join(named).is_file(), "{named}");
        assert_eq!(problems(&schema, &yaml(&text)), [""; 0], "{path:?}");
        desk.run(&["config", path.to_str().unwrap()]).exits(0);
    }
    assert!(count >= 2, "{count}");
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = printed("environment");
    let good = "version: 1\nname: go-lab\nstack: stack.yaml\n";
    assert_eq!(problems(&schema, &yaml(good)), [""; 0]);
    for bad in [
        "version: 2\nname: go-lab\nstack: stack.yaml\n",
        "version: 1\nname: Go Lab\nstack: stack.yaml\n",
        "version: 1\nname: go-lab\n",
        "version: 1\nname: go-lab\nstack: stack.yaml\nseats: {cuont: 1}\n",
        "version: 1\nname: go-lab\nstack: stack.yaml\nseats: {count: 0}\n",
        "version: 1\nname: go-lab\nstack: stack.yaml\nseats: {count: 100000}\n",
        "version: 1\nname: go-lab\nstack: stack.yaml\nprovider: dokcer\n",
    ] {
        assert_ne!(problems(&schema, &yaml(bad)), [""; 0], "{bad}");
        let desk = Desk::new();
        desk.write("stack.yaml", "services: {a: {image: busybox}}\n");
        desk.write("seatbox.yaml", bad);
        desk.run(&["config"]).exits(2);
    }
}
