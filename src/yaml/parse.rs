//! From a YAML text to a tree of located values.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{MessageFormatter as _, Spanned, UserMessageFormatter};

use super::decode::MAX_PROBLEMS;
use super::{Key, Node, Place, Source, Value};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// How deep lists and mappings may be nested. A Compose file needs about eight levels; the limit
/// is what keeps a hostile file from exhausting the stack.
const MAX_DEPTH: usize = 48;
/// How many values a file may have once its aliases are expanded. It bounds memory: a value takes
/// about 300 bytes.
const MAX_VALUES: usize = 250_000;
/// How many parser events aliases may replay, which bounds "billion laughs".
const MAX_REPLAYED_EVENTS: usize = 20_000;

/// Parses the one YAML document of `source`. An empty document is [`Value::Null`].
///
/// Anchors, aliases and merge keys are expanded; unknown tags are refused; booleans are `true` and
/// `false` alone; `08` and `1_000` are texts.
///
/// # Errors
/// The syntax error or exceeded limit that ended the reading, or else every duplicate key, up to
/// a hundred of them.
pub fn parse(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    let builder = Builder {
        place: &|start, end| Place::text(source, start, end),
        text: &source.text,
    };
    builder.build()
}

/// Parses a value that was not written in a file (`3`, `[a, b]`, `{file: x}`); all of it has the
/// place `place`.
///
/// # Errors
/// As [`parse`].
pub fn parse_inline(text: &str, place: &Place) -> Result<Node, Diagnostics> {
    let builder = Builder {
        place: &|_, _| place.clone(),
        text,
    };
    builder.build()
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_VALUES,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: 2,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED_EVENTS,
        },
        // Forwarded, so that all of them are found and not only the first.
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_yaml::NonFiniteFloatPolicy::PassThrough,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

struct Builder<'a> {
    place: &'a dyn Fn(usize, usize) -> Place,
    text: &'a str,
}

impl Builder<'_> {
    fn build(&self) -> Result<Node, Diagnostics> {
        let parsed: Spanned<Parsed> = match serde_yaml::from_str_with_options(self.text, options())
        {
            Ok(parsed) => parsed,
            Err(serde_yaml::Error::Eof { .. }) if self.is_blank() => {
                return Ok(Node::new(Value::Null, (self.place)(0, 0)));
            }
            Err(error) => return Err(self.syntax_error(&error).into()),
        };
        let mut problems = Vec::new();
        let node = self.node(parsed, &mut problems);
        if problems.is_empty() {
            Ok(node)
        } else {
            problems.truncate(MAX_PROBLEMS);
            Err(Diagnostics::new(problems))
        }
    }

    /// Whether the document has nothing but blank lines and comments.
    fn is_blank(&self) -> bool {
        self.text
            .lines()
            .map(str::trim)
            .all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
    }

    fn syntax_error(&self, error: &serde_yaml::Error) -> Diagnostic {
        use serde_yaml::Error;
        let error = error.without_snippet();
        let place = error.location().map_or_else(
            || (self.place)(0, 0),
            |location| {
                let (start, end) = bytes(location);
                (self.place)(start, end)
            },
        );
        let cause = match error {
            Error::AliasError { error, .. } => error.without_snippet(),
            other => other,
        };
        match cause {
            Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. } => Diagnostic::new(
                "yaml::limit",
                "the file is nested too deeply, or has too many values or aliases",
                place,
            )
            .with_hint(format!(
                "at most {MAX_DEPTH} levels, {MAX_VALUES} values, and {MAX_REPLAYED_EVENTS} \
                 values through aliases"
            )),
            Error::MultipleDocuments { .. } => Diagnostic::new(
                "yaml::documents",
                "there is a second document in the file",
                place,
            )
            .with_hint("keep one document a file: take away what is from the second `---` on"),
            error => Diagnostic::new(
                "yaml::syntax",
                format!(
                    "it can't be read as YAML: {}",
                    UserMessageFormatter.format_message(error)
                ),
                place,
            ),
        }
    }

    fn node(&self, parsed: Spanned<Parsed>, problems: &mut Vec<Diagnostic>) -> Node {
        let (start, end) = bytes(parsed.defined);
        let place = (self.place)(start, end);
        let value = match parsed.value {
            Parsed::Null => Value::Null,
            Parsed::Bool(value) => Value::Bool(value),
            Parsed::Number(value) => Value::Number(self.raw_number(start, end, value)),
            Parsed::String(text) => Value::String(text),
            Parsed::Sequence(items) => Value::Sequence(
                items
                    .into_iter()
                    .map(|item| self.node(item, problems))
                    .collect(),
            ),
            Parsed::Mapping(entries) => Value::Mapping(self.entries(entries, problems)),
        };
        Node { value, place }
    }

    fn entries(
        &self,
        parsed: Vec<(Spanned<Parsed>, Spanned<Parsed>)>,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<(Key, Node)> {
        let mut entries: Vec<(Key, Node)> = Vec::with_capacity(parsed.len());
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(parsed.len());
        for (key, value) in parsed {
            let (start, end) = bytes(key.defined);
            let place = (self.place)(start, end);
            let name = match key.value {
                Parsed::String(name) => name,
                Parsed::Number(value) => self.raw_number(start, end, value),
                Parsed::Bool(value) => value.to_string(),
                Parsed::Null | Parsed::Sequence(_) | Parsed::Mapping(_) => {
                    problems.push(
                        Diagnostic::new("yaml::key", "a key must be text", place)
                            .with_hint("write it in quotes"),
                    );
                    continue;
                }
            };
            let node = self.node(value, problems);
            if let Some(first) = seen.get(&name) {
                let first = &entries[*first].0.place;
                let hint = match first.position() {
                    Some(position) => format!("the first is on line {}", position.line),
                    None => "give it once".to_owned(),
                };
                problems.push(
                    Diagnostic::new(
                        "yaml::duplicate-key",
                        format!("`{name}` is here twice"),
                        place,
                    )
                    .with_hint(hint),
                );
                continue;
            }
            seen.insert(name.clone(), entries.len());
            entries.push((Key { name, place }, node));
        }
        entries
    }

    /// A number as it was written. Where its place is not a plain number's (an alias, a tag in
    /// front), its value is written anew.
    fn raw_number(&self, start: usize, end: usize, value: Number) -> String {
        self.text
            .get(start..end)
            .map(str::trim)
            .filter(|raw| {
                raw.starts_with(|c: char| matches!(c, '0'..='9' | '+' | '-' | '.'))
                    && raw
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            })
            .map_or_else(|| value.to_string(), str::to_owned)
    }
}

fn bytes(location: serde_yaml::Location) -> (usize, usize) {
    let span = location.span();
    let offset = |number: Option<u64>| {
        number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(0)
    };
    let start = offset(span.byte_offset());
    (start, start + offset(span.byte_len()))
}

/// What the YAML crate hands over, before it is given places and checked for duplicates.
enum Parsed {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Sequence(Vec<Spanned<Parsed>>),
    Mapping(Vec<(Spanned<Parsed>, Spanned<Parsed>)>),
}

#[derive(Clone, Copy)]
enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_none<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Number(Number::Signed(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Number(Number::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
        Ok(Parsed::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Parsed, E> {
        Ok(Parsed::String(value))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Parsed, E> {
        Err(E::custom("binary values are not supported"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Parsed, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Parsed::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Parsed, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Parsed::Mapping(entries))
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
