//! `${VAR}` in a string, in all the forms that the Compose specification has.
//!
//! | form | value |
//! | --- | --- |
//! | `$VAR`, `${VAR}` | the variable's value; unset is an error (Compose only warns) |
//! | `${VAR:-default}`, `${VAR-default}` | the default where it is unset (or, with a colon, empty) |
//! | `${VAR:?message}`, `${VAR?message}` | an error where it is unset (or empty) |
//! | `${VAR:+other}`, `${VAR+other}` | `other` where it is set (and not empty), else nothing |
//! | `$$` | a dollar sign |
//!
//! Defaults, messages and replacements are interpolated themselves, and only where they are used.

use super::variables::{Found, Variables};
use crate::model::text::{VARIABLE_BEGIN, VARIABLE_END};

/// How deep defaults may be nested in each other, so that no input exhausts the call stack.
const DEEPEST: usize = 32;

/// The longest string that interpolation may make, in bytes, so that a file of many short
/// references to a long value stays bounded.
const LONGEST: usize = 1 << 20;

/// What is wrong with a string that can't be interpolated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// The same problem with what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// `text` with every variable replaced by its value; a seat's own stay open, between
/// [`VARIABLE_BEGIN`] and [`VARIABLE_END`].
///
/// # Errors
///
/// Where a variable is unset and has no default, where a reference can't be read, and where the
/// text holds the control characters that mark a seat's variables.
pub fn interpolate(text: &str, variables: &Variables<'_>) -> Result<String, Problem> {
    refuse_marks(text)?;
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    let mut parser = Parser { rest: text };
    let pieces = parser.pieces(0)?;
    let mut out = String::new();
    evaluate(&pieces, variables, &mut out)?;
    Ok(out)
}

/// An error where `text` has one of the control characters that mark a seat's variables.
pub fn refuse_marks(text: &str) -> Result<(), Problem> {
    if text.contains([VARIABLE_BEGIN, VARIABLE_END]) {
        return Err(Problem::new(
            "the control characters U+0002 and U+0003 can't stand in a stack's strings",
        ));
    }
    Ok(())
}

#[derive(Debug)]
enum Piece<'a> {
    Literal(&'a str),
    Variable {
        name: &'a str,
        otherwise: Option<Otherwise<'a>>,
    },
}

#[derive(Debug)]
struct Otherwise<'a> {
    kind: Kind,
    /// Whether an empty value counts as none (the colon).
    empty_is_unset: bool,
    pieces: Vec<Piece<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Default,
    Required,
    Replacement,
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Reads to the end of the text, or, inside braces, to the brace that closes them.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece<'a>>, Problem> {
        if depth > DEEPEST {
            return Err(Problem::new(format!(
                "defaults are nested deeper than {DEEPEST} levels"
            )));
        }
        let mut pieces = Vec::new();
        // Braces that belong to the text itself, as in `${A:-{"a": 1}}`.
        let mut braces = 0_usize;
        while !self.rest.is_empty() {
            let inside = depth > 0;
            let stop = |c| c == '$' || (inside && (c == '{' || c == '}'));
            let end = self.rest.find(stop).unwrap_or(self.rest.len());
            if end > 0 {
                pieces.push(Piece::Literal(self.take(end)));
            } else if self.rest.starts_with('$') {
                pieces.push(self.reference(depth)?);
            } else if self.rest.starts_with('{') {
                braces += 1;
                pieces.push(Piece::Literal(self.take(1)));
            } else if braces > 0 {
                braces -= 1;
                pieces.push(Piece::Literal(self.take(1)));
            } else {
                return Ok(pieces);
            }
        }
        Ok(pieces)
    }

    /// Reads one `$…`, which is what the rest begins with.
    fn reference(&mut self, depth: usize) -> Result<Piece<'a>, Problem> {
        self.take(1);
        if self.rest.starts_with('$') {
            return Ok(Piece::Literal(self.take(1)));
        }
        if !self.rest.starts_with('{') {
            let Some(name) = self.name() else {
                return Err(lone_dollar());
            };
            return Ok(Piece::Variable {
                name,
                otherwise: None,
            });
        }
        self.take(1);
        let Some(name) = self.name() else {
            return Err(Problem::new("`${` is not followed by a variable's name")
                .hint("a name has letters, digits and `_`; a dollar sign is written `$$`"));
        };
        let otherwise = self.otherwise(depth)?;
        if !self.rest.starts_with('}') {
            return Err(Problem::new(format!("`${{{name}` is not closed"))
                .hint("the forms are ${A}, ${A:-default}, ${A:?message} and ${A:+other}"));
        }
        self.take(1);
        Ok(Piece::Variable { name, otherwise })
    }

    fn otherwise(&mut self, depth: usize) -> Result<Option<Otherwise<'a>>, Problem> {
        let empty_is_unset = self.rest.starts_with(':');
        let operator = &self.rest[usize::from(empty_is_unset)..];
        let kind = match operator.as_bytes().first() {
            Some(b'-') => Kind::Default,
            Some(b'?') => Kind::Required,
            Some(b'+') => Kind::Replacement,
            _ => return Ok(None),
        };
        self.take(usize::from(empty_is_unset) + 1);
        Ok(Some(Otherwise {
            kind,
            empty_is_unset,
            pieces: self.pieces(depth + 1)?,
        }))
    }

    fn name(&mut self) -> Option<&'a str> {
        if !self
            .rest
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        {
            return None;
        }
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        Some(self.take(end))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

fn lone_dollar() -> Problem {
    Problem::new("`$` is not followed by a variable's name").hint("a dollar sign is written `$$`")
}

fn evaluate(
    pieces: &[Piece<'_>],
    variables: &Variables<'_>,
    out: &mut String,
) -> Result<(), Problem> {
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Variable { name, otherwise } => {
                expand(name, otherwise.as_ref(), variables, out)?;
            }
        }
        if out.len() > LONGEST {
            return Err(Problem::new(format!(
                "with its variables in it, this is longer than {LONGEST} bytes"
            )));
        }
    }
    Ok(())
}

fn expand(
    name: &str,
    otherwise: Option<&Otherwise<'_>>,
    variables: &Variables<'_>,
    out: &mut String,
) -> Result<(), Problem> {
    let value = match variables.find(name)? {
        Found::Seat(variable) => Some(format!("{VARIABLE_BEGIN}{}{VARIABLE_END}", variable.name())),
        Found::Value(value) => {
            refuse_marks(value).map_err(|_| {
                Problem::new(format!("the value of `{name}` has a control character"))
            })?;
            Some(value.to_owned())
        }
        Found::Marked(value) => Some(value.to_owned()),
        Found::Unset => None,
    };
    let Some(otherwise) = otherwise else {
        let value = value.ok_or_else(|| unset(name))?;
        out.push_str(&value);
        return Ok(());
    };
    let value = value.filter(|value| !(otherwise.empty_is_unset && value.is_empty()));
    match (otherwise.kind, value) {
        (Kind::Default | Kind::Required, Some(value)) => out.push_str(&value),
        (Kind::Default, None) | (Kind::Replacement, Some(_)) => {
            evaluate(&otherwise.pieces, variables, out)?;
        }
        (Kind::Replacement, None) => {}
        (Kind::Required, None) => {
            let mut message = String::new();
            evaluate(&otherwise.pieces, variables, &mut message)?;
            let what = if otherwise.empty_is_unset {
                "unset or empty"
            } else {
                "unset"
            };
            let problem = if message.is_empty() {
                format!("the required variable `{name}` is {what}")
            } else {
                format!("the required variable `{name}` is {what}: {message}")
            };
            return Err(Problem::new(problem).hint(how_to_set(name)));
        }
    }
    Ok(())
}

/// The problem of a variable that nothing sets.
pub fn unset(name: &str) -> Problem {
    Problem::new(format!("the variable `{name}` is not set")).hint(how_to_set(name))
}

fn how_to_set(name: &str) -> String {
    format!(
        "set it under `stack.variables` of the environment file, in the process environment, or \
         in a `.env` beside the stack file; or write a default: ${{{name}:-…}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::variables::fixture::{self, Values};
    use proptest::prelude::*;

    fn run(text: &str) -> Result<String, Problem> {
        let values = Values::new(&[("A", "a"), ("EMPTY", ""), ("DOLLAR", "$A")]);
        fixture::with(&values, |variables| interpolate(text, variables))
    }

    #[test]
    fn every_form_gives_what_the_compose_specification_says() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$A", "a"),
            ("${A}", "a"),
            ("$A-$A/$A", "a-a/a"),
            ("x${A}y", "xay"),
            ("$$A", "$A"),
            ("$$$A", "$a"),
            ("$${A}", "${A}"),
            ("${EMPTY}", ""),
            ("${A:-d}", "a"),
            ("${A-d}", "a"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NO:-d}", "d"),
            ("${NO-d}", "d"),
            ("${NO:-}", ""),
            ("${NO-}", ""),
            ("${A:?m}", "a"),
            ("${A?m}", "a"),
            ("${EMPTY?m}", ""),
            ("${A:+r}", "r"),
            ("${A+r}", "r"),
            ("${EMPTY:+r}", ""),
            ("${EMPTY+r}", "r"),
            ("${NO:+r}", ""),
            ("${NO+r}", ""),
            ("${NO:-${NEITHER:-x}}", "x"),
            ("${NO:-$A}", "a"),
            ("${NO:-$$A}", "$A"),
            ("${NO:-{\"a\": {}}}", "{\"a\": {}}"),
            ("${NO:-a:-b}", "a:-b"),
            ("${A:+${NO:-y}}", "y"),
            // What is not used is not looked up.
            ("${A:-${NO:?never}}", "a"),
            ("${NO:+$NEITHER}", ""),
            // A value is not interpolated again.
            ("$DOLLAR", "$A"),
            ("}{", "}{"),
            ("Grüße, 广州 ${A}", "Grüße, 广州 a"),
            ("${SEATBOX_NAME}", "demo"),
            ("${SEATBOX_SEAT}", "\u{2}SEATBOX_SEAT\u{3}"),
            ("${SEATBOX_SECRET_PG:?}", "\u{2}SEATBOX_SECRET_PG\u{3}"),
            ("${SEATBOX_SEAT:-1}", "\u{2}SEATBOX_SEAT\u{3}"),
            ("${SEATBOX_GROUP:+yes}", "yes"),
            (
                "${NO:-seat $SEATBOX_SEAT_PADDED}",
                "seat \u{2}SEATBOX_SEAT_PADDED\u{3}",
            ),
        ] {
            assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_interpolated_is_refused_with_the_reason() {
        for (text, expected) in [
            ("$NO", "`NO` is not set"),
            ("${NO}", "`NO` is not set"),
            ("${NO:-$NEITHER}", "`NEITHER` is not set"),
            ("${NO:?say $A}", "`NO` is unset or empty: say a"),
            ("${NO?}", "`NO` is unset"),
            ("${EMPTY:?no}", "`EMPTY` is unset or empty: no"),
            ("$", "not followed by a variable's name"),
            ("a $ b", "not followed by a variable's name"),
            ("$1", "not followed by a variable's name"),
            ("${}", "not followed by a variable's name"),
            ("${ A}", "not followed by a variable's name"),
            ("${A", "is not closed"),
            ("${A:-b", "is not closed"),
            ("${A!b}", "is not closed"),
            ("${A:b}", "is not closed"),
            ("${NO:-${A}", "is not closed"),
            ("${SEATBOX_SEET}", "SEATBOX_SEET"),
            ("\u{2}SEATBOX_SEAT\u{3}", "control characters"),
        ] {
            let problem = run(text).expect_err(text);
            assert!(problem.message.contains(expected), "{text}: {problem:?}");
        }
    }

    #[test]
    fn a_mistyped_seat_variable_is_answered_with_the_right_one() {
        let problem = run("${SEATBOX_SEET}").expect_err("there is no such variable");
        assert!(
            problem
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("`SEATBOX_SEAT`"))
        );
    }

    #[test]
    fn deep_nesting_and_long_results_are_refused() {
        let deep = format!("{}x{}", "${NO:-".repeat(100_000), "}".repeat(100_000));
        assert!(run(&deep).expect_err("too deep").message.contains("nested"));
        let values = Values::new(&[("LONG", &"x".repeat(100_000))]);
        let long = fixture::with(&values, |v| interpolate(&"$LONG".repeat(100_000), v));
        assert!(long.expect_err("too long").message.contains("longer"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), forms in "[$A:?+{}_SNO-]{0,40}") {
            let _ = run(&text);
            let _ = run(&forms);
        }

        #[test]
        fn a_text_with_its_dollars_doubled_comes_back(text in "[^\u{2}\u{3}]*") {
            prop_assert_eq!(run(&text.replace('$', "$$")), Ok(text));
        }
    }
}
