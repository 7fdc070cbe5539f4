//! Lines that services wrote, of many seats in one stream.

use std::io::{self, Write};

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use owo_colors::{AnsiColors, OwoColorize as _};

use super::{Logged, Logs};
use crate::model::{SeatNumber, ServiceName};

/// The longest line that is kept together, in bytes. A service that never ends its line must not
/// fill the memory.
const LONGEST_LINE: usize = 64 * 1024;

/// Colours that can be told apart on dark and on light ground; one a service.
const COLOURS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::BrightRed,
];

/// A line without its end, or why there are none.
pub type Line = Result<Vec<u8>, String>;

/// What a stream of several sources' lines is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line without its end, and the place of its source among all.
    Line(usize, Vec<u8>),
    /// Something that could not be read, in words.
    Failed(String),
}

/// Writes lines to `out`, each with its seat and service before it: one source after the other, or
/// in the order of arrival when following. Each source comes with the stream of its lines. The
/// prefixes are coloured: let `out` be an [`anstream`] one, which knows whether that is welcome.
///
/// Sources that can't be read are in the answer, and told at once when following; the others' lines
/// are written all the same. Where
/// nobody reads `out` any more, that is the end and no error.
pub async fn write<S>(
    sources: Vec<((SeatNumber, ServiceName), S)>,
    settings: &Logs,
    out: &mut impl Write,
) -> Logged
where
    S: Stream<Item = Line> + Send,
{
    let (names, streams): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
    let streams = streams.into_iter().enumerate().map(|(index, lines)| {
        let (seat, service) = &names[index];
        lines.map(move |line| match line {
            Ok(line) => Piece::Line(index, line),
            Err(words) => Piece::Failed(format!("{seat} {service}: {words}")),
        })
    });
    let pieces: BoxStream<'_, Piece> = if settings.follow {
        stream::select_all(streams.map(StreamExt::boxed)).boxed()
    } else {
        stream::iter(streams).flatten().boxed()
    };
    write_pieces(&names, pieces, settings, out).await
}

/// The same of one stream that has the lines of all sources.
pub async fn write_pieces(
    names: &[(SeatNumber, ServiceName)],
    mut pieces: impl Stream<Item = Piece> + Unpin,
    settings: &Logs,
    out: &mut impl Write,
) -> Logged {
    let prefixes = prefixes(names);
    let mut logged = Logged {
        sources: names.len(),
        ..Logged::default()
    };
    let mut written = Ok(());
    while written.is_ok()
        && let Some(piece) = pieces.next().await
    {
        match piece {
            Piece::Line(index, line) => {
                written = write_line(out, &prefixes[index], &line, settings.follow);
            }
            Piece::Failed(words) => {
                // Who follows ends it at some moment, and hears of nothing after that.
                if settings.follow {
                    anstream::eprintln!("{words}");
                }
                logged.failures.push(words);
            }
        }
    }
    logged.unwritten = written
        .and_then(|()| out.flush())
        .err()
        .filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    logged
}

fn write_line(out: &mut impl Write, prefix: &str, line: &[u8], flush: bool) -> io::Result<()> {
    out.write_all(prefix.as_bytes())?;
    out.write_all(line)?;
    out.write_all(b"\n")?;
    if flush { out.flush() } else { Ok(()) }
}

/// `07 postgres | ` for each source, all of one width. A service's name and a seat's number are
/// ASCII, so that characters are columns; the lines that follow may be in any script.
fn prefixes(sources: &[(SeatNumber, ServiceName)]) -> Vec<String> {
    let names: Vec<String> = sources
        .iter()
        .map(|(seat, service)| format!("{seat} {service}"))
        .collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut services: Vec<&ServiceName> = Vec::new();
    sources
        .iter()
        .zip(names)
        .map(|((_, service), name)| {
            // A service has the same colour in every seat.
            let known = services.iter().position(|known| *known == service);
            let index = known.unwrap_or_else(|| {
                services.push(service);
                services.len() - 1
            });
            let text = format!("{name:width$} | ");
            text.color(COLOURS[index % COLOURS.len()]).to_string()
        })
        .collect()
}

/// Lines in the making, of one stream that comes in pieces.
#[derive(Debug, Default)]
pub struct Assembly(Vec<u8>);

impl Assembly {
    /// The lines that end with this piece, and the beginnings of one that is too long.
    pub fn take(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        let pending = &mut self.0;
        let mut complete = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(part);
            if pending.last() == Some(&b'\n') {
                pending.pop();
                if pending.last() == Some(&b'\r') {
                    pending.pop();
                }
                complete.push(std::mem::take(pending));
            }
            while pending.len() > LONGEST_LINE {
                let rest = pending.split_off(character_start(pending, LONGEST_LINE));
                complete.push(std::mem::replace(pending, rest));
            }
        }
        complete
    }

    /// What never got an end.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.0)).filter(|line| !line.is_empty())
    }
}

/// The last place up to `at` where no UTF-8 character is cut.
fn character_start(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|place| bytes[*place] & 0b1100_0000 != 0b1000_0000)
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(seat: u32, service: &str) -> (SeatNumber, ServiceName) {
        (SeatNumber::new(seat).unwrap(), service.parse().unwrap())
    }

    #[test]
    fn prefixes_are_of_one_width_and_a_services_colour_is_the_same_in_every_seat() {
        let prefixes = prefixes(&[source(7, "postgres"), source(7, "go"), source(123, "go")]);
        let plain: Vec<String> = prefixes
            .iter()
            .map(|prefix| anstream::adapter::strip_str(prefix).to_string())
            .collect();
        assert_eq!(
            plain,
            ["07 postgres | ", "07 go       | ", "123 go      | "]
        );
        let colour = |prefix: &str| prefix.split('m').next().unwrap().to_owned();
        assert_ne!(colour(&prefixes[0]), colour(&prefixes[1]));
        assert_eq!(colour(&prefixes[1]), colour(&prefixes[2]));
    }

    #[test]
    fn lines_that_come_in_pieces_are_put_together() {
        let mut assembly = Assembly::default();
        assert!(assembly.take("数据".as_bytes()).is_empty());
        assert_eq!(
            assembly.take("库\r\n\nsecond\nrest".as_bytes()),
            ["数据库".as_bytes(), b"", b"second"]
        );
        assert_eq!(assembly.finish().unwrap(), b"rest");
        assert_eq!(assembly.finish(), None);
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let mut assembly = Assembly::default();
        let text = "库".repeat(LONGEST_LINE);
        let mut lines = assembly.take(text.as_bytes());
        lines.extend(assembly.finish());
        assert!(lines.len() >= 3);
        for line in &lines {
            assert!(line.len() <= LONGEST_LINE);
            std::str::from_utf8(line).unwrap();
        }
        assert_eq!(lines.concat(), text.as_bytes());
    }

    #[test]
    fn bytes_that_are_no_text_are_cut_too() {
        let mut assembly = Assembly::default();
        let lines = assembly.take(&vec![0x80; LONGEST_LINE + 1]);
        assert_eq!(lines.len(), 1);
        assert_eq!(assembly.finish().unwrap(), [0x80]);
    }
}
