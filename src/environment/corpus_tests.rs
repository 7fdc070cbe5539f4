//! The fuzzing corpus and random mutations, on the stable compiler.

use std::path::Path;

use proptest::prelude::*;

use super::{Overrides, load};

/// Loads `input` as a file's content; whatever it is, there is an answer, and problems can be
/// shown. Returns whether it was good.
fn loads(input: &[u8]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("environment.yaml");
    std::fs::write(&file, input).unwrap();
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    match load(&file, &Overrides::new([], now)) {
        Ok(loaded) => {
            assert!(!super::settings(&loaded.tree).is_empty());
            true
        }
        Err(problems) => {
            assert!((1..=150).contains(&problems.len()), "{}", problems.len());
            assert!(!problems.render(false, 80).contains('\u{1b}'));
            assert!(serde_json::to_string(&problems).is_ok());
            false
        }
    }
}

#[test]
fn the_whole_corpus_is_answered() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/load");
    let mut good = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        eprintln!("{name}");
        count += 1;
        if loads(&std::fs::read(&path).unwrap()) {
            good.push(name);
        }
    }
    good.sort();
    // Everything else in it is there because it is wrong.
    assert_eq!(
        good,
        [
            "bom",
            "cr",
            "crlf",
            "good",
            "marks",
            "small",
            "tag-directive"
        ]
    );
    assert!(count > 70, "{count}");
}

fn valid() -> Vec<u8> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/load/good");
    std::fs::read(corpus).unwrap()
}

#[derive(Debug, Clone)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, String),
    Remove(usize, usize),
    Repeat(usize, usize, usize),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |place: usize, bytes: &[u8]| place % (bytes.len() + 1);
        match self {
            Self::Replace(place, byte) => {
                let place = at(*place, bytes);
                if let Some(target) = bytes.get_mut(place) {
                    *target = *byte;
                }
            }
            Self::Insert(place, text) => {
                let place = at(*place, bytes);
                bytes.splice(place..place, text.bytes());
            }
            Self::Remove(place, length) => {
                let place = at(*place, bytes);
                let end = (place + length).min(bytes.len());
                bytes.drain(place..end);
            }
            Self::Repeat(place, length, times) => {
                let place = at(*place, bytes);
                let end = (place + length).min(bytes.len());
                let piece = bytes[place..end].repeat(*times);
                bytes.splice(place..place, piece);
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let yaml = prop::sample::select(vec![
        ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", "&a ", "*a", "<<: *a\n", "!!str ", "\"", "'",
        "#", "|\n", "~", "0", "-1", "1e999", "0x", ".nan", "广", "\u{feff}", "---\n", "? ", "%",
        ",",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (any::<usize>(), yaml).prop_map(|(at, text)| Mutation::Insert(at, text.to_owned())),
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<usize>(), 1..40_usize, 1..60_usize)
            .prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_file_is_answered(mutations in prop::collection::vec(mutation(), 1..8)) {
        let mut bytes = valid();
        for mutation in &mutations {
            mutation.apply(&mut bytes);
        }
        loads(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        loads(text.as_bytes());
    }
}
