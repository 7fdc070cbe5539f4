//! What is wrong with a file: all of it in one go, each with its place and a hint.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::yaml::{PathPart, Place, path_text};

mod snippet;

use snippet::Report;

/// The longest message or hint, in characters. Longer ones hold somebody's data, not more sense.
const MAX_TEXT: usize = 400;

/// One problem of a file, an option or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem it is, for programs: `yaml::duplicate-key`. It stays the same when the
    /// message is worded anew.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where it is wrong.
    pub place: Place,
    /// What to do about it.
    pub hint: Option<String>,
    /// The value's path from the top of the file; empty where it is about no single value.
    pub path: Vec<PathPart>,
}

impl Diagnostic {
    /// A problem without a hint or a path.
    pub fn new(code: &'static str, message: impl Into<String>, place: Place) -> Self {
        Self {
            code,
            message: printable(&message.into()),
            place,
            hint: None,
            path: Vec::new(),
        }
    }

    /// The problem with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(printable(&hint.into()));
        self
    }

    /// The problem as one of the value at `path`.
    #[must_use]
    pub fn with_path(mut self, path: Vec<PathPart>) -> Self {
        self.path = path;
        self
    }
}

/// Without control characters, which a terminal would obey, and not without end.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == MAX_TEXT {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// For machines: the place in numbers, and no piece of the file, which could hold a secret.
impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let position = self.place.position();
        let mut fields = serializer.serialize_struct("Diagnostic", 8)?;
        fields.serialize_field("code", self.code)?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("hint", &self.hint)?;
        fields.serialize_field("path", &path_text(&self.path))?;
        fields.serialize_field("origin", &self.place.to_string())?;
        fields.serialize_field("file", &self.place.file())?;
        fields.serialize_field("line", &position.map(|position| position.line))?;
        fields.serialize_field("column", &position.map(|position| position.column))?;
        fields.end()
    }
}

/// Everything that is wrong, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// All of `problems`, sorted by file and position, without repetitions.
    pub fn new(mut problems: Vec<Diagnostic>) -> Self {
        // Stable: what has no position keeps its order.
        problems.sort_by_cached_key(|problem| {
            (
                problem.place.file().map(str::to_owned),
                problem.place.position(),
            )
        });
        let mut unique: Vec<Diagnostic> = Vec::with_capacity(problems.len());
        for problem in problems {
            if unique.last() != Some(&problem) {
                unique.push(problem);
            }
        }
        Self(unique)
    }

    /// `value` where there is no problem, or else the problems.
    ///
    /// # Errors
    /// The problems, where there are any.
    pub fn none_or<T>(problems: Vec<Diagnostic>, value: T) -> Result<T, Self> {
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(Self::new(problems))
        }
    }

    /// The problems.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many problems there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems for a person at a terminal `width` columns wide: each with the line it is in,
    /// underlined. It quotes the file, so it belongs on a screen and in no log.
    pub fn render(&self, colour: bool, width: usize) -> String {
        let theme = if colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_context_lines(0)
            .with_links(false);
        let mut out = String::new();
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                out.push('\n');
            }
            let report = Report::new(problem, width);
            if handler.render_report(&mut out, &report).is_err() {
                out.push_str(&format!("{problem}\n"));
            }
        }
        out
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(problem: Diagnostic) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl Serialize for Diagnostics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::yaml::Source;

    fn at(source: &Arc<Source>, piece: &str) -> Diagnostic {
        let start = source.text.find(piece).unwrap();
        Diagnostic::new(
            "test::problem",
            format!("{piece} is wrong"),
            Place::text(source, start, start + piece.len()),
        )
    }

    #[test]
    fn problems_come_in_the_order_of_the_file_and_each_once() {
        let source = Arc::new(Source::new("a.yaml", "one\ntwo\nthree\n"));
        let all = Diagnostics::new(vec![
            at(&source, "three"),
            at(&source, "one"),
            at(&source, "three"),
        ]);
        let messages: Vec<_> = all.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["one is wrong", "three is wrong"]);
    }

    #[test]
    fn json_has_the_position_and_nothing_of_the_file() {
        let source = Arc::new(Source::new("a.yaml", "password: hunter2\n"));
        let start = 10;
        let problem = Diagnostic::new("a::b", "no", Place::text(&source, start, 17))
            .with_path(vec!["password".into()]);
        let json = serde_json::to_value(Diagnostics::from(problem)).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{
                "code": "a::b", "message": "no", "hint": null, "path": "password",
                "origin": "a.yaml:1:11", "file": "a.yaml", "line": 1, "column": 11,
            }])
        );
    }

    #[test]
    fn control_characters_of_a_message_reach_no_terminal() {
        let problem = Diagnostic::new("a::b", "\u{1b}[31mred", Place::Default);
        assert_eq!(problem.message, "\\u{1b}[31mred");
    }

    #[test]
    fn the_underline_stands_below_its_text_also_behind_chinese() {
        let source = Arc::new(Source::new("a.yaml", "标题: 广州 wrong\n"));
        let text = Diagnostics::from(at(&source, "wrong")).render(false, 80);
        let lines: Vec<&str> = text.lines().collect();
        let row = lines.iter().position(|line| line.contains("广州")).unwrap();
        let columns = |text: &str| -> usize {
            text.chars()
                .map(|c| if c >= '\u{2e80}' { 2 } else { 1 })
                .sum()
        };
        let code = lines[row].split("wrong").next().unwrap();
        let mark = lines[row + 1].split(['─', '┬', '▲']).next().unwrap();
        assert_eq!(columns(code), columns(mark), "{text}");
        assert!(text.contains("a.yaml:1:8"), "{text}");
    }

    #[test]
    fn a_very_long_line_is_cropped_around_the_problem() {
        let text = format!("{}wrong{}", "前".repeat(50_000), "x".repeat(50_000));
        let source = Arc::new(Source::new("a.yaml", &text));
        let text = Diagnostics::from(at(&source, "wrong")).render(false, 80);
        assert!(text.len() < 1000, "{}", text.len());
        assert!(
            text.contains("wrong") && text.contains("a.yaml:1:50001"),
            "{text}"
        );
    }

    #[test]
    fn escape_sequences_of_a_file_reach_no_terminal() {
        let source = Arc::new(Source::new("a.yaml", "a: \u{1b}[2Jwrong\n"));
        let text = Diagnostics::from(at(&source, "wrong")).render(false, 80);
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
