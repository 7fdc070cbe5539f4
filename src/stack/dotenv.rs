//! Env files: `KEY=value` a line, as Compose reads them for `env_file` and `.env`.

use indexmap::IndexMap;

use super::interpolate::{self, Problem, interpolate};
use super::variables::Variables;

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Quotes, comments, escapes and `${VAR}`, as Compose reads them.
    Compose,
    /// Everything behind the `=` as it stands (`format: raw`).
    Raw,
}

/// What is wrong with one line of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Reads an env file. `None` stands for a name alone, whose value is the lookup's.
///
/// Values may refer to `variables` and to what stands above them in the file. Double-quoted
/// values may span lines.
///
/// # Errors
///
/// Every line that can't be read.
pub fn parse(
    text: &str,
    format: Format,
    variables: &Variables<'_>,
) -> Result<IndexMap<String, Option<String>>, Vec<LineProblem>> {
    let mut entries = IndexMap::new();
    let mut above = variables.dotenv.clone();
    let mut problems = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let mut fail = |problem| {
            problems.push(LineProblem {
                line: index + 1,
                problem,
            });
        };
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value)),
            None => (line.trim_end(), None),
        };
        if let Err(problem) = check_name(name) {
            fail(problem);
            continue;
        }
        let Some(value) = value else {
            entries.insert(name.to_owned(), None);
            continue;
        };
        let raw = match format {
            Format::Raw => Ok(Value::AsIs(value.to_owned())),
            Format::Compose => quoted(value, &mut lines),
        };
        let here = Variables {
            dotenv: &above,
            ..*variables
        };
        let value = raw.and_then(|raw| match raw {
            Value::AsIs(text) => interpolate::refuse_marks(&text).map(|()| text),
            Value::Open(text) => interpolate(&text, &here),
        });
        match value {
            Ok(value) => {
                above.insert(name.to_owned(), value.clone());
                entries.insert(name.to_owned(), Some(value));
            }
            Err(problem) => fail(problem),
        }
    }
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(problems)
    }
}

/// An error where `name` can't be an environment variable's.
pub fn check_name(name: &str) -> Result<(), Problem> {
    if name.is_empty() {
        return Err(Problem::new("a variable has no name").hint("write KEY=value"));
    }
    if name
        .chars()
        .any(|c| c == '=' || c.is_control() || c.is_whitespace())
    {
        return Err(
            Problem::new("a variable's name can't hold spaces, control characters or `=`")
                .hint("write KEY=value"),
        );
    }
    Ok(())
}

enum Value {
    /// Single-quoted or raw.
    AsIs(String),
    /// To be interpolated.
    Open(String),
}

fn quoted<'t>(
    value: &'t str,
    lines: &mut impl Iterator<Item = (usize, &'t str)>,
) -> Result<Value, Problem> {
    let value = value.trim_start();
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = value.find(" #").unwrap_or(value.len());
        let value = if value.starts_with('#') {
            ""
        } else {
            &value[..end]
        };
        return Ok(Value::Open(value.trim_end().to_owned()));
    };
    let mut out = String::new();
    let mut rest = &value[1..];
    loop {
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                let after = rest[at + 1..].trim_start();
                if !after.is_empty() && !after.starts_with('#') {
                    return Err(Problem::new("there is text behind the closing quote"));
                }
                return Ok(if quote == '"' {
                    Value::Open(out)
                } else {
                    Value::AsIs(out)
                });
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match (quote, chars.next().map(|(_, next)| next)) {
                ('"', Some('n')) => out.push('\n'),
                ('"', Some('r')) => out.push('\r'),
                ('"', Some('t')) => out.push('\t'),
                ('"', Some('$')) => out.push_str("$$"),
                ('"', Some(next @ ('"' | '\\'))) | ('\'', Some(next @ '\'')) => out.push(next),
                (_, Some(next)) => out.extend(['\\', next]),
                (_, None) => out.push('\\'),
            }
        }
        out.push('\n');
        let Some((_, next)) = lines.next() else {
            return Err(Problem::new("a quote is not closed"));
        };
        rest = next;
    }
}

/// One line of an env file that gives `value` back exactly.
pub fn write_line(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+=".contains(c);
    if value.chars().all(plain) {
        return format!("{name}={value}\n");
    }
    let mut quoted = String::new();
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    format!("{name}=\"{quoted}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::variables::fixture::{self, Values};
    use proptest::prelude::*;

    fn read(text: &str, format: Format) -> Result<Vec<(String, Option<String>)>, Vec<LineProblem>> {
        let values = Values::new(&[("A", "a")]);
        fixture::with(&values, |v| parse(text, format, v)).map(|map| map.into_iter().collect())
    }

    #[test]
    fn lines_are_read_as_compose_reads_them() {
        for (text, expected) in [
            ("K=v", Some("v")),
            ("K = v ", Some("v")),
            ("export K=v", Some("v")),
            ("K=", Some("")),
            ("K", None),
            ("K=v # comment", Some("v")),
            ("K=v#w", Some("v#w")),
            ("K=\"v # w\" # comment", Some("v # w")),
            ("K='$A \"'", Some("$A \"")),
            ("K=\"x ${A}\"", Some("x a")),
            ("K=$A", Some("a")),
            ("K=\"\\$A \\n\\\"\"", Some("$A \n\"")),
            ("K=\"one\ntwo\"", Some("one\ntwo")),
            ("# comment\n\nK=v\r\n", Some("v")),
            ("\u{feff}K=v", Some("v")),
        ] {
            let expected = vec![("K".to_owned(), expected.map(str::to_owned))];
            assert_eq!(read(text, Format::Compose), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_value_can_refer_to_one_above_it() {
        let entries = read("X=1\nY=$X$A", Format::Compose).expect("both are set");
        assert_eq!(entries[1].1.as_deref(), Some("1a"));
    }

    #[test]
    fn raw_values_stay_as_they_are() {
        let entries = read("K=\"$A\" # x", Format::Raw).expect("nothing is read in it");
        assert_eq!(entries[0].1.as_deref(), Some("\"$A\" # x"));
    }

    #[test]
    fn every_bad_line_is_named() {
        let problems = read("=x\nA B=1\nK=\"x\" y\nK=$NO\nL='open", Format::Compose);
        let lines: Vec<_> = problems
            .expect_err("all are bad")
            .iter()
            .map(|problem| problem.line)
            .collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in any::<String>(), likely in "[K=\"'$\\\\\n# ]{0,40}") {
            let _ = read(&text, Format::Compose);
            let _ = read(&likely, Format::Compose);
        }

        #[test]
        fn a_written_line_gives_its_value_back(value in "[^\u{2}\u{3}]*") {
            let entries = read(&write_line("K", &value), Format::Compose);
            prop_assert_eq!(entries, Ok(vec![("K".to_owned(), Some(value))]));
        }
    }
}
