//! JSON documents against the schemas of this repository.

use serde_json::{Value, json};

use super::desk::repository;

/// A schema of the repository.
pub fn schema(name: &str) -> Value {
    let path = repository("schemas").join(name);
    let text = std::fs::read_to_string(path).expect("the schema is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// What is wrong with `document`, as `schema` has it.
pub fn problems(schema: &Value, document: &Value) -> Vec<String> {
    jsonschema::draft202012::new(schema)
        .expect("the schema is one")
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// A failed test where `document` is not one of those that the output schema calls `definition`.
#[track_caller]
pub fn assert_output(document: &Value, definition: &str) {
    let mut schema = schema("output-v1.schema.json");
    let fields = schema.as_object_mut().expect("a schema is an object");
    fields.remove("anyOf");
    fields.insert("$ref".to_owned(), json!(format!("#/$defs/{definition}")));
    let problems = problems(&schema, document);
    assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
}
