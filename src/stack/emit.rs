//! Writing YAML that every reader reads the same.

use std::fmt::Write as _;

/// A value to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// Written as it is: a number, a boolean.
    Raw(String),
    /// A string; quoted wherever it might be taken for something else.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// Pairs in their order.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Whether it is a list or map without anything in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(pairs) => pairs.is_empty(),
            _ => false,
        }
    }

    /// The document, in block style.
    pub fn document(&self) -> String {
        let mut out = String::new();
        self.block(&mut out, 0);
        out
    }

    /// Writes what stands behind `key:` or `-`, its line end included.
    fn value(&self, out: &mut String, indent: usize) {
        match self {
            Self::Raw(text) => {
                let _ = writeln!(out, " {text}");
            }
            Self::Text(text) if literal(text) => {
                out.push_str(" |\n");
                for line in text.lines() {
                    if !line.is_empty() {
                        let _ = write!(out, "{:indent$}{line}", "");
                    }
                    out.push('\n');
                }
            }
            Self::Text(text) => {
                let _ = writeln!(out, " {}", scalar(text));
            }
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(pairs) if pairs.is_empty() => out.push_str(" {}\n"),
            Self::List(_) | Self::Map(_) => {
                out.push('\n');
                self.block(out, indent);
            }
        }
    }

    fn block(&self, out: &mut String, indent: usize) {
        match self {
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    let _ = write!(out, "{:indent$}{}:", "", scalar(key));
                    value.value(out, indent + 2);
                }
            }
            Self::List(items) => {
                for item in items {
                    let _ = write!(out, "{:indent$}-", "");
                    if matches!(item, Self::Map(pairs) if !pairs.is_empty()) {
                        // The first pair stands on the dash's line.
                        let mut map = String::new();
                        item.block(&mut map, indent + 2);
                        let _ = write!(out, " {}", map.trim_start());
                    } else {
                        item.value(out, indent + 2);
                    }
                }
            }
            _ => self.value(out, indent),
        }
    }
}

/// Whether a text can stand as a literal block: several lines, the last ended, none with anything
/// that a block would change.
fn literal(text: &str) -> bool {
    let fine = |c: char| c == '\n' || (!c.is_control() && !special(c));
    text.len() > 1
        && text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(fine)
        && !text
            .lines()
            .any(|line| line.trim().is_empty() && !line.is_empty())
}

/// Characters that are line ends or are not printable in YAML, though no control characters.
fn special(c: char) -> bool {
    matches!(
        c,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// A string on one line.
fn scalar(text: &str) -> String {
    let begin = |c: char| c.is_ascii_alphabetic() || c == '/' || c == '_';
    let plain = |c: char| c.is_ascii_alphanumeric() || "_/.-".contains(c);
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if text.starts_with(begin) && text.chars().all(plain) && !word {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || special(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Source, Value, parse};
    use proptest::prelude::*;

    fn read(yaml: &Yaml) -> Value {
        let source = Source::new("test", &yaml.document());
        parse(&source.into())
            .expect("what is written can be read")
            .value
    }

    #[test]
    fn nested_values_are_written_in_blocks() {
        let text = |text: &str| Yaml::Text(text.to_owned());
        let yaml = Yaml::Map(vec![
            (
                "a".into(),
                Yaml::List(vec![text("x"), text("true"), Yaml::Raw("1".into())]),
            ),
            (
                "b".into(),
                Yaml::Map(vec![("c d".into(), text("l1\n\n  l2\n"))]),
            ),
            ("e".into(), Yaml::List(vec![])),
            (
                "f".into(),
                Yaml::List(vec![Yaml::Map(vec![
                    ("g".into(), text("h")),
                    ("i".into(), text("j")),
                ])]),
            ),
        ]);
        assert_eq!(
            yaml.document(),
            "a:\n  - x\n  - \"true\"\n  - 1\nb:\n  \"c d\": |\n    l1\n\n      l2\ne: []\nf:\n  - g: h\n    i: j\n"
        );
    }

    proptest! {
        #[test]
        fn every_string_comes_back(
            text in prop_oneof![any::<String>(), "[ a:#\n\t'\"|>-]{0,20}", "[a-z0-9.~]{1,5}"],
        ) {
            let yaml = Yaml::Map(vec![
                (format!("k{text}"), Yaml::List(vec![Yaml::Text(text.clone())])),
            ]);
            let Value::Mapping(pairs) = read(&yaml) else { panic!("a mapping was written") };
            prop_assert_eq!(&pairs[0].0.name, &format!("k{text}"));
            let Value::Sequence(items) = &pairs[0].1.value else { panic!("a list was written") };
            prop_assert_eq!(&items[0].value, &Value::String(text));
        }
    }
}
