use std::sync::Arc;

use super::super::{Node, Source, Value, path_text};
use super::parse;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source::new("f.yaml", text))
}

fn shown(text: &str) -> Vec<String> {
    parse(&source(text))
        .unwrap()
        .leaves()
        .iter()
        .map(|(path, Node { value, place })| {
            let value = match value {
                Value::Null => "null".to_owned(),
                Value::Bool(value) => format!("bool {value}"),
                Value::Number(raw) => format!("number {raw}"),
                Value::String(text) => format!("text {text}"),
                Value::Sequence(_) => "[]".to_owned(),
                Value::Mapping(_) => "{}".to_owned(),
            };
            format!("{} = {value} @ {place}", path_text(path))
        })
        .collect()
}

fn codes(text: &str) -> Vec<&'static str> {
    parse(&source(text))
        .inspect_err(|problems| eprintln!("{problems}"))
        .unwrap_err()
        .iter()
        .map(|problem| problem.code)
        .collect()
}

#[test]
fn numbers_keep_the_text_they_were_written_with() {
    assert_eq!(
        shown("a: 1.10\nb: 08\nc: 1_000\nd: -7\ne: 0x1F\nf: +3\ng: 1e3\nh: '1'\ni: .5\n"),
        [
            "a = number 1.10 @ f.yaml:1:4",
            "b = text 08 @ f.yaml:2:4",
            "c = text 1_000 @ f.yaml:3:4",
            "d = number -7 @ f.yaml:4:4",
            "e = number 0x1F @ f.yaml:5:4",
            "f = number +3 @ f.yaml:6:4",
            "g = number 1e3 @ f.yaml:7:4",
            "h = text 1 @ f.yaml:8:4",
            "i = number .5 @ f.yaml:9:4",
        ]
    );
}

#[test]
fn only_true_and_false_are_booleans() {
    assert_eq!(
        shown("[true, False, yes, no, on, NULL, ~]"),
        [
            "[0] = bool true @ f.yaml:1:2",
            "[1] = bool false @ f.yaml:1:8",
            "[2] = text yes @ f.yaml:1:15",
            "[3] = text no @ f.yaml:1:20",
            "[4] = text on @ f.yaml:1:24",
            "[5] = null @ f.yaml:1:28",
            "[6] = null @ f.yaml:1:34",
        ]
    );
}

#[test]
fn anchors_and_merge_keys_are_expanded_and_keep_the_place_of_the_definition() {
    let text =
        "base: &base\n  image: go\n  user: 1.10\nweb:\n  <<: *base\n  user: me\nall: *base\n";
    assert_eq!(
        shown(text),
        [
            "base.image = text go @ f.yaml:2:10",
            "base.user = number 1.10 @ f.yaml:3:9",
            "web.user = text me @ f.yaml:6:9",
            "web.image = text go @ f.yaml:2:10",
            "all.image = text go @ f.yaml:2:10",
            "all.user = number 1.10 @ f.yaml:3:9",
        ]
    );
}

#[test]
fn every_duplicate_key_is_reported_at_its_second_place() {
    let problems = parse(&source("a: 1\nb: {c: 1, d: 2, c: 3}\n广: 1\na: 2\n广: 2\n")).unwrap_err();
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "f.yaml:2:17: `c` is here twice (the first is on line 2)",
            "f.yaml:4:1: `a` is here twice (the first is on line 1)",
            "f.yaml:5:1: `广` is here twice (the first is on line 3)",
        ]
    );
}

#[test]
fn a_thousand_duplicate_keys_have_a_bounded_number_of_complaints() {
    let problems = parse(&source(&"a: 1\n".repeat(1000))).unwrap_err();
    assert_eq!(problems.len(), 100);
}

#[test]
fn an_empty_file_is_null() {
    for text in ["", "\n", "# nothing\n", "---\n", "---\n# nothing\n...\n"] {
        assert_eq!(parse(&source(text)).unwrap().value, Value::Null, "{text:?}");
    }
}

#[test]
fn broken_files_have_one_located_error() {
    for text in [
        "a: [1, 2",
        "a: b: c",
        "\"",
        "a:\n\t- b",
        "*missing",
        "a: !!python/object x",
        "a: *a",
        "{",
        "%",
        "a: &a\n  <<: *a\n",
    ] {
        let problems = parse(&source(text)).unwrap_err();
        assert_eq!(problems.len(), 1, "{text:?}: {problems}");
        assert!(
            problems
                .iter()
                .all(|problem| problem.place.position().is_some()),
            "{text:?}"
        );
    }
    assert_eq!(codes("a: 1\n---\nb: 2\n"), ["yaml::documents"]);
    assert_eq!(codes("[a]: 1\n{b: c}: 2\n"), ["yaml::key", "yaml::key"]);
}

#[test]
fn laughs_and_abysses_end_at_a_limit() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let last = format!("*a{},", level - 1).repeat(9);
        laughs.push_str(&format!("a{level}: &a{level} [{last}]\n"));
    }
    assert_eq!(codes(&laughs), ["yaml::limit"]);
    // The quadratic one: a long anchored list, used many times.
    let wide = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(20_000),
        "*a,".repeat(20_000)
    );
    assert_eq!(codes(&wide), ["yaml::limit"]);
    let merges = format!("a: &a {{x: 1}}\nb: {{<<: [{}]}}\n", "*a,".repeat(100_000));
    assert!(parse(&source(&merges)).is_err());
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
    ] {
        assert_eq!(parse(&source(&deep)).unwrap_err().len(), 1);
    }
}

#[test]
fn a_megabyte_of_flat_entries_is_read_or_refused_without_harm() {
    let flat: String = (0..60_000).map(|n| format!("key{n}: value{n}\n")).collect();
    assert!(flat.len() > 1_000_000);
    assert_eq!(parse(&source(&flat)).unwrap().leaves().len(), 60_000);
    let dense = format!("[{}]", "1,".repeat(500_000));
    assert_eq!(codes(&dense), ["yaml::limit"]);
    let long = format!("a: {}\n", "x".repeat(1_000_000));
    assert_eq!(shown(&long).len(), 1);
}
