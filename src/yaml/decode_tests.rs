use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;

use super::super::{Node, Source, parse};
use super::decode;

fn tree(text: &str) -> Node {
    parse(&Arc::new(Source::new("f.yaml", text))).unwrap()
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Outer {
    name: Option<String>,
    seats: Option<Seats>,
    sources: Option<Vec<Kind>>,
    ports: IndexMap<String, u16>,
    inner: Vec<Inner>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Seats {
    count: Option<u32>,
    group_size: Option<u32>,
    share: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Registry,
    Recipe { path: String },
    Mirror(String),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    image: String,
    #[serde(default)]
    init: bool,
}

fn problems(text: &str) -> Vec<String> {
    let (_, problems) = decode::<Outer>(&tree(text));
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_right_tree_is_read_whole() {
    let (outer, problems) = decode::<Outer>(&tree(
        "name: 1.10\nseats: {count: 0x10, share: 1}\nsources: [registry, recipe: {path: x}, mirror: true]\n\
         ports: {80: 8080}\ninner: [{image: go}]\n",
    ));
    assert_eq!(problems, []);
    let outer = outer.unwrap();
    assert_eq!(outer.name.as_deref(), Some("1.10"));
    assert_eq!(
        outer.seats.unwrap(),
        Seats {
            count: Some(16),
            group_size: None,
            share: Some(1.0)
        }
    );
    assert_eq!(
        outer.sources.unwrap(),
        [
            Kind::Registry,
            Kind::Recipe {
                path: "x".to_owned()
            },
            Kind::Mirror("true".to_owned())
        ]
    );
    assert_eq!(outer.ports["80"], 8080);
}

#[test]
fn all_errors_are_found_in_one_run_and_the_rest_is_read() {
    let text = "nmae: x\nseats:\n  cout: 3\n  group_size: many\n  share: [1]\n\
                sources: [registry, regstry, {recipe: {path: [1]}}]\n\
                ports: {a: 65536, b: -1, c: 1.5}\ninner:\n- {init: 1}\n- {image: go, init: yes}\n- {image: {}}\n";
    assert_eq!(
        problems(text),
        [
            "f.yaml:1:1: there is no field `nmae` here (did you mean `name`?)",
            "f.yaml:3:3: there is no field `cout` here (did you mean `count`?)",
            "f.yaml:4:15: expected a whole number from 0 to 4294967295, found text",
            "f.yaml:5:3: expected a number, found a list",
            "f.yaml:6:21: `regstry` is not a value that is known here (did you mean `registry`?)",
            "f.yaml:6:40: expected text, found a list",
            "f.yaml:7:12: expected a whole number from 0 to 65535, found the number 65536",
            "f.yaml:7:22: expected a whole number from 0 to 65535, found the number -1",
            "f.yaml:7:29: expected a whole number from 0 to 65535, found the number 1.5",
            "f.yaml:9:10: expected true or false, found the number 1",
            "f.yaml:9:3: the field `image` is missing",
            "f.yaml:10:21: expected true or false, found text",
            "f.yaml:11:4: expected text, found a mapping",
        ]
    );
}

#[test]
fn what_could_be_read_comes_back_beside_the_errors() {
    let (outer, problems) = decode::<Outer>(&tree("name: a\nseats: {count: x, group_size: 2}\n"));
    assert_eq!(problems.len(), 1);
    assert_eq!(outer.unwrap().seats.unwrap().group_size, Some(2));
}

#[test]
fn paths_count_items_as_the_file_does() {
    let (_, problems) = decode::<Outer>(&tree("inner: [1, {image: a}, 2]\n"));
    let paths: Vec<_> = problems
        .iter()
        .map(|p| super::super::path_text(&p.path))
        .collect();
    assert_eq!(paths, ["inner[0]", "inner[2]"]);
}

#[test]
fn a_field_like_no_other_gets_the_list_of_fields() {
    assert_eq!(
        problems("zzz: 1\n"),
        [
            "f.yaml:1:1: there is no field `zzz` here (there are: name, seats, sources, ports, inner)"
        ]
    );
}

#[test]
fn text_is_not_quoted_in_an_error() {
    let text = format!("seats: {{count: {}}}\n", "hunter2".repeat(1000));
    assert!(!problems(&text)[0].contains("hunter2"));
}

#[test]
fn the_number_of_errors_is_bounded() {
    let text: String = (0..1000).map(|n| format!("x{n}: 1\n")).collect();
    assert_eq!(problems(&text).len(), 100);
}

#[test]
fn an_error_of_a_type_s_own_conversion_has_the_place_of_its_value() {
    #[derive(Debug, Deserialize)]
    struct Named {
        #[allow(dead_code)]
        name: crate::model::EnvironmentName,
    }
    let (_, problems) = decode::<Named>(&tree("name: Not A Label\n"));
    assert_eq!(problems[0].place.to_string(), "f.yaml:1:7");
}
