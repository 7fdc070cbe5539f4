//! What a `Deserialize` implementation complains about, on its way to becoming a diagnostic.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::{PathPart, Place};
use crate::diagnostic::Diagnostic;

/// An error of [`decode`](super::decode()), which collects its place and path while it rises.
#[derive(Debug)]
pub struct Fault(Box<Detail>);

#[derive(Debug)]
struct Detail {
    kind: Kind,
    message: String,
    hint: Option<String>,
    place: Option<Place>,
    /// From the innermost part outwards.
    path: Vec<PathPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Value,
    UnknownField,
    MissingField(&'static str),
}

impl Fault {
    fn new(kind: Kind, message: String, hint: Option<String>) -> Self {
        Self(Box::new(Detail {
            kind,
            message,
            hint,
            place: None,
            path: Vec::new(),
        }))
    }

    /// With a place, unless something further inside gave it one.
    pub(super) fn at(mut self, place: &Place) -> Self {
        self.0.place.get_or_insert_with(|| place.clone());
        self
    }

    /// As one of the value at `part` of what is read.
    pub(super) fn within(mut self, part: PathPart) -> Self {
        self.0.path.push(part);
        self
    }

    /// The path, outermost part first.
    pub(super) fn path(&self) -> Vec<PathPart> {
        self.0.path.iter().rev().cloned().collect()
    }

    /// The field that is missing at the path, where that is the complaint.
    pub(super) fn missing_field(&self) -> Option<&'static str> {
        match self.0.kind {
            Kind::MissingField(field) => Some(field),
            _ => None,
        }
    }

    pub(super) fn into_diagnostic(self) -> Diagnostic {
        let path = self.path();
        let code = match self.0.kind {
            Kind::Type => "value::type",
            Kind::Value => "value::invalid",
            Kind::UnknownField => "value::unknown-field",
            Kind::MissingField(_) => "value::missing-field",
        };
        let place = self.0.place.unwrap_or(Place::Default);
        let diagnostic = Diagnostic::new(code, self.0.message, place).with_path(path);
        match self.0.hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Value, message.to_string(), None)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let message = format!(
            "expected {}, found {}",
            wanted(expected),
            found(&unexpected)
        );
        Self::new(Kind::Type, message, None)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let message = format!(
            "expected {}, found {}",
            wanted(expected),
            found(&unexpected)
        );
        Self::new(Kind::Value, message, None)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let message = format!("expected {}, found {length} items", wanted(expected));
        Self::new(Kind::Value, message, None)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("`{}` is not a value that is known here", short(variant));
        Self::new(Kind::Value, message, choice(variant, expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("there is no field `{}` here", short(field));
        Self::new(Kind::UnknownField, message, choice(field, expected))
    }

    fn missing_field(field: &'static str) -> Self {
        let message = format!("the field `{field}` is missing");
        Self::new(Kind::MissingField(field), message, None)
    }
}

/// What serde calls a type, in words that somebody who writes YAML knows.
fn wanted(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    let words = match expected.as_str() {
        "a string" | "string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "unit" => "nothing",
        "a character" => "one character",
        "f32" | "f64" => "a number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        other if other.starts_with("struct ") => "a mapping",
        other if other.starts_with("enum ") => "one of the known values",
        other => other,
    };
    words.to_owned()
}

/// What was found. Text is not quoted: it may be long, and it may be a secret.
fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Char(_) | Unexpected::Str(_) => "text".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::StructVariant => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    text.chars().take(60).chain(['…']).collect()
}

/// The one that was probably meant, or else all that there are.
fn choice(given: &str, expected: &[&str]) -> Option<String> {
    did_you_mean(given, expected.iter().copied()).or_else(|| match expected {
        [] => None,
        [only] => Some(format!("the only one is `{only}`")),
        several => Some(format!("there are: {}", several.join(", "))),
    })
}

/// The hint ``did you mean `count`?``, where one of `known` is similar to `given`.
pub fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // A long text is no typing error, and comparing it takes time.
    if given.len() > 80 {
        return None;
    }
    let given = given.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&given, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
