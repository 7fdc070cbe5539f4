//! Where a value comes from: a file's line, or a layer above it.

use std::fmt;
use std::sync::Arc;

use super::Source;

/// One step from a mapping or a list down to a value in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPart {
    /// The entry of a mapping.
    Key(String),
    /// The item of a list, from 0.
    Index(usize),
}

impl From<&str> for PathPart {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for PathPart {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A path as people write it: `images.mirrors[0]`.
pub fn path_text(path: &[PathPart]) -> String {
    path.iter().fold(String::new(), |mut text, part| {
        match part {
            PathPart::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            PathPart::Index(index) => text.push_str(&format!("[{index}]")),
        }
        text
    })
}

/// Where a value was written.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file, from byte `start` to before byte `end` of its text. Files are at most
    /// [`MAX_FILE_BYTES`](super::MAX_FILE_BYTES) long, so 32 bits are enough.
    Text {
        /// The file.
        source: Arc<Source>,
        /// The first byte.
        start: u32,
        /// The byte after the last.
        end: u32,
    },
    /// A file as a whole: it can't be read, say.
    File(Arc<str>),
    /// Nowhere: it is built in.
    Default,
    /// The process environment's variable of that name.
    Variable(Arc<str>),
    /// An option of the command line, as it was given: `--set seats.count`, `--provider`.
    Option(Arc<str>),
}

/// A position for people: both numbers from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    /// A piece of `source`. Bytes beyond the text, or inside a character, are moved to the nearest
    /// boundary before.
    pub fn text(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let start = boundary(&source.text, start);
        let end = boundary(&source.text, end).max(start);
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self::Text {
            source: Arc::clone(source),
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// The file that the value is in.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Text { source, .. } => Some(&source.name),
            Self::File(name) => Some(name),
            _ => None,
        }
    }

    /// The line and column where the value begins.
    pub fn position(&self) -> Option<Position> {
        let Self::Text { source, start, .. } = self else {
            return None;
        };
        let before = source.text.get(..*start as usize)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }

    /// Whether the value is built in.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Default)
    }
}

fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len()))
        .rev()
        .find(|candidate| text.is_char_boundary(*candidate))
        .unwrap_or(0)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { source, .. } => match self.position() {
                Some(Position { line, column }) => write!(f, "{}:{line}:{column}", source.name),
                None => f.write_str(&source.name),
            },
            Self::File(name) | Self::Variable(name) | Self::Option(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters() {
        let source = Arc::new(Source::new("a.yaml", "title: 广州\n名字: 珠江\n"));
        let start = source.text.find("珠江").unwrap();
        let place = Place::text(&source, start, start + 6);
        assert_eq!(place.position(), Some(Position { line: 2, column: 5 }));
        assert_eq!(place.to_string(), "a.yaml:2:5");
    }

    #[test]
    fn offsets_outside_the_text_or_inside_a_character_are_moved() {
        let source = Arc::new(Source::new("a.yaml", "广"));
        assert_eq!(Place::text(&source, 1, 99).position().unwrap().column, 1);
        assert_eq!(Place::text(&source, 99, 0).position().unwrap().column, 2);
    }

    #[test]
    fn paths_are_written_with_dots_and_brackets() {
        let path = ["images".into(), "mirrors".into(), 0.into()];
        assert_eq!(path_text(&path), "images.mirrors[0]");
    }
}
