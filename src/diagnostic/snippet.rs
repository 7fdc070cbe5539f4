//! A diagnostic with the one line of its file that matters, cropped to the terminal.

use std::fmt;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::Diagnostic;
use crate::yaml::Place;

/// What miette renders for a [`Diagnostic`].
#[derive(Debug)]
pub(super) struct Report<'a> {
    problem: &'a Diagnostic,
    message: String,
    window: Option<Window>,
}

impl<'a> Report<'a> {
    pub(super) fn new(problem: &'a Diagnostic, width: usize) -> Self {
        let window = Window::new(&problem.place, width.saturating_sub(20).max(20));
        // A place that has no line is named in words.
        let message = match (&window, &problem.place) {
            (None, place) if !place.is_default() => format!("{place}: {}", problem.message),
            _ => problem.message.clone(),
        };
        Self {
            problem,
            message,
            window,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let hint = self.problem.hint.as_ref()?;
        Some(Box::new(hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.window.as_ref().map(|window| window as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let window = self.window.as_ref()?;
        let label = LabeledSpan::new_primary_with_span(None, window.span);
        Some(Box::new(std::iter::once(label)))
    }
}

/// One line of a file around a problem. It is the whole source code as far as miette knows, so
/// that neither a long line nor a long file is walked through.
#[derive(Debug)]
struct Window {
    name: String,
    text: String,
    span: SourceSpan,
    line: usize,
    column: usize,
}

impl Window {
    fn new(place: &Place, width: usize) -> Option<Self> {
        let Place::Text { source, start, end } = place else {
            return None;
        };
        let position = place.position()?;
        let (start, end) = (*start as usize, *end as usize);
        let line_start = source.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source.text[start..]
            .find('\n')
            .map_or(source.text.len(), |at| start + at);
        let marked_end = end.clamp(start, line_end);

        // Two thirds of the window for what comes with and after the problem.
        let before = &source.text[line_start..start];
        let skipped = before.chars().count().saturating_sub(width / 3);
        let mut text = String::new();
        if skipped > 0 {
            text.push('…');
        }
        text.extend(before.chars().skip(skipped).map(printable));
        let offset = text.len();
        let mut room = width.saturating_sub(text.chars().count());
        let mut length = 0;
        for (at, c) in source.text[start..line_end].char_indices() {
            if room == 0 {
                text.push('…');
                break;
            }
            room -= 1;
            let c = printable(c);
            text.push(c);
            if start + at < marked_end {
                length += c.len_utf8();
            }
        }
        // At a line's end there is nothing to underline but the place behind it.
        if offset == text.len() {
            text.push(' ');
        }
        let length = length.max(1).min(text.len() - offset);
        Some(Self {
            name: source.name.to_string(),
            span: (offset, length).into(),
            text,
            line: position.line,
            column: position.column,
        })
    }
}

/// A terminal must not obey what stands in a file; a tab would spoil the underline's place.
fn printable(c: char) -> char {
    match c {
        '\t' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            (0, self.text.len()).into(),
            self.line - 1,
            self.column - 1,
            1,
        )))
    }
}
