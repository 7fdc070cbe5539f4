//! Text with a seat's values still open: what is left of `${…}` once the rest is interpolated.
//!
//! A stack is read once, not once a seat. Whatever differs from seat to seat stays a variable in
//! its [`Text`] until the call that needs it, so that a plan, a hash or a log line never holds a
//! secret: it holds the secret's name.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Marks the begin of a seat variable inside an ordinary string on its way through serde.
pub const VARIABLE_BEGIN: char = '\u{2}';
/// Marks the end of a seat variable inside an ordinary string on its way through serde.
pub const VARIABLE_END: char = '\u{3}';

/// A value that each seat has of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SeatVariable {
    /// `SEATBOX_SEAT`: the seat's number, `7`.
    Seat,
    /// `SEATBOX_SEAT_PADDED`: the seat's number with two digits at least, `07`.
    SeatPadded,
    /// `SEATBOX_GROUP`: the number of the seat's group, from 1.
    Group,
    /// `SEATBOX_SECRET_<NAME>`: a password derived for this seat; the purpose is the name in
    /// lower case.
    Secret(String),
}

impl SeatVariable {
    /// The variable of that name, where it is one of a seat's.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "SEATBOX_SEAT" => Some(Self::Seat),
            "SEATBOX_SEAT_PADDED" => Some(Self::SeatPadded),
            "SEATBOX_GROUP" => Some(Self::Group),
            _ => name
                .strip_prefix("SEATBOX_SECRET_")
                .filter(|purpose| !purpose.is_empty())
                .map(|purpose| Self::Secret(purpose.to_ascii_lowercase())),
        }
    }

    /// The name it has in a stack file.
    pub fn name(&self) -> String {
        match self {
            Self::Seat => "SEATBOX_SEAT".to_owned(),
            Self::SeatPadded => "SEATBOX_SEAT_PADDED".to_owned(),
            Self::Group => "SEATBOX_GROUP".to_owned(),
            Self::Secret(purpose) => format!("SEATBOX_SECRET_{}", purpose.to_ascii_uppercase()),
        }
    }
}

/// Gives the values of one seat's variables.
pub trait SeatValues {
    /// The value of `variable` for this seat. A secret's value must go nowhere but into the call
    /// that needs it.
    fn value(&self, variable: &SeatVariable) -> String;
}

/// A piece of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text that is the same for every seat.
    Literal(String),
    /// A value that differs from seat to seat.
    Variable(SeatVariable),
}

/// A string in which a seat's own values are still variables.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text(Vec<Segment>);

impl Text {
    /// Text without variables.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::default()
        } else {
            Self(vec![Segment::Literal(text)])
        }
    }

    /// Text that is one variable's value.
    pub fn variable(variable: SeatVariable) -> Self {
        Self(vec![Segment::Variable(variable)])
    }

    /// The pieces, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The text, where it has no variables.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with one seat's values in it.
    pub fn render(&self, values: &dyn SeatValues) -> String {
        self.0.iter().fold(String::new(), |mut out, segment| {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Variable(variable) => out.push_str(&values.value(variable)),
            }
            out
        })
    }

    /// Reads the form in which variables stand between [`VARIABLE_BEGIN`] and [`VARIABLE_END`].
    /// A name between the marks that is no seat variable is kept as it is.
    pub fn from_marked(marked: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = marked;
        let literal = |segments: &mut Vec<Segment>, text: &str| {
            if text.is_empty() {
                return;
            }
            if let Some(Segment::Literal(last)) = segments.last_mut() {
                last.push_str(text);
            } else {
                segments.push(Segment::Literal(text.to_owned()));
            }
        };
        while let Some((before, after)) = rest.split_once(VARIABLE_BEGIN) {
            literal(&mut segments, before);
            rest = after;
            if let Some((name, after)) = rest.split_once(VARIABLE_END)
                && let Some(variable) = SeatVariable::from_name(name)
            {
                segments.push(Segment::Variable(variable));
                rest = after;
            }
        }
        literal(&mut segments, rest);
        Self(segments)
    }

    /// The form that [`Text::from_marked`] reads.
    pub fn to_marked(&self) -> String {
        self.written(
            |out, variable| {
                let _ = write!(out, "{VARIABLE_BEGIN}{}{VARIABLE_END}", variable.name());
            },
            str::to_owned,
        )
    }

    /// The form of a Compose file: variables as `${NAME}`, a dollar sign doubled.
    pub fn to_compose(&self) -> String {
        self.written(
            |out, variable| {
                let _ = write!(out, "${{{}}}", variable.name());
            },
            |text| text.replace('$', "$$"),
        )
    }

    fn written(
        &self,
        variable: impl Fn(&mut String, &SeatVariable),
        literal: impl Fn(&str) -> String,
    ) -> String {
        let mut out = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Literal(text) => out.push_str(&literal(text)),
                Segment::Variable(v) => variable(&mut out, v),
            }
        }
        out
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({:?})", self.to_compose())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

/// Written as in a Compose file, so that what is hashed or shown names secrets and holds none.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_compose())
    }
}

/// Read from the marked form, which is what the interpolation of a stack file hands on.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|marked| Self::from_marked(&marked))
    }
}
