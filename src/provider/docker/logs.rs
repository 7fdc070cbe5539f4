//! What the services of several seats write, in one stream of lines.

use std::io::{self, Write};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt as _};
use owo_colors::{AnsiColors, OwoColorize as _};

use super::errors::message;
use super::observe::{Observed, OurContainer};
use crate::model::{EnvironmentName, SeatNumber, ServiceName};
use crate::provider::Logs;

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

/// A container whose lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// Its seat.
    pub seat: SeatNumber,
    /// Its service.
    pub service: ServiceName,
    /// Its id, or its name.
    pub container: String,
}

/// The containers of an environment whose lines are wanted, by seat and service.
pub fn sources(
    environment: &EnvironmentName,
    observed: &Observed,
    wanted: &Logs,
) -> Vec<LogSource> {
    let meant = |container: &OurContainer| {
        let ownership = &container.ownership;
        let seat = ownership.owner.seat()?;
        let service: ServiceName = ownership.service.as_deref()?.parse().ok()?;
        let meant = ownership.environment == *environment
            && wanted.seats.contains(&seat)
            && wanted
                .service
                .as_ref()
                .is_none_or(|wanted| *wanted == service);
        meant.then(|| LogSource {
            seat,
            service,
            container: container.id.clone(),
        })
    };
    let mut sources: Vec<LogSource> = observed.containers.iter().filter_map(meant).collect();
    sources.sort_by(|a, b| (a.seat, &a.service).cmp(&(b.seat, &b.service)));
    sources
}

/// Writes the lines of `sources` to `out`, each with its seat and service before it: one source
/// after the other, or in the order of arrival when following. The prefixes are coloured: let `out`
/// be an [`anstream`] one, which knows whether that is welcome.
///
/// Containers that can't be read are in the answer; the others' lines are written all the same.
/// Where nobody reads `out` any more, that is the end and no error.
///
/// # Errors
/// What the operating system says of `out`.
pub async fn write_logs(
    docker: &Docker,
    sources: &[LogSource],
    settings: &Logs,
    out: &mut impl Write,
) -> io::Result<Vec<String>> {
    let prefixes = prefixes(sources);
    let streams: Vec<_> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| lines(docker, source, settings).map(move |line| (index, line)))
        .collect();
    let mut lines: BoxStream<'_, (usize, Result<Vec<u8>, Error>)> = if settings.follow {
        stream::select_all(streams.into_iter().map(StreamExt::boxed)).boxed()
    } else {
        stream::iter(streams).flatten().boxed()
    };
    let mut failures = Vec::new();
    while let Some((index, line)) = lines.next().await {
        let written = match line {
            Ok(line) => write_line(out, &prefixes[index], &line, settings.follow),
            Err(error) => {
                let LogSource { seat, service, .. } = &sources[index];
                failures.push(format!("{seat} {service}: {}", message(&error)));
                Ok(())
            }
        };
        if let Err(error) = written {
            return ended(error, failures);
        }
    }
    match out.flush() {
        Ok(()) => Ok(failures),
        Err(error) => ended(error, failures),
    }
}

fn ended(error: io::Error, failures: Vec<String>) -> io::Result<Vec<String>> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(failures)
    } else {
        Err(error)
    }
}

fn write_line(out: &mut impl Write, prefix: &str, line: &[u8], flush: bool) -> io::Result<()> {
    out.write_all(prefix.as_bytes())?;
    out.write_all(line)?;
    out.write_all(b"\n")?;
    if flush { out.flush() } else { Ok(()) }
}

/// `07 postgres | ` for each source, all of one width. A service's name and a seat's number are
/// ASCII, so that characters are columns; the lines that follow may be in any script.
fn prefixes(sources: &[LogSource]) -> Vec<String> {
    let names: Vec<String> = sources
        .iter()
        .map(|source| format!("{} {}", source.seat, source.service))
        .collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut services: Vec<&ServiceName> = Vec::new();
    sources
        .iter()
        .zip(names)
        .map(|(source, name)| {
            // A service has the same colour in every seat.
            let known = services
                .iter()
                .position(|service| **service == source.service);
            let index = known.unwrap_or_else(|| {
                services.push(&source.service);
                services.len() - 1
            });
            let text = format!("{name:width$} | ");
            text.color(COLOURS[index % COLOURS.len()]).to_string()
        })
        .collect()
}

fn request(settings: &Logs) -> LogsOptions {
    // The engine's parameter is a number of seconds that this client keeps in 32 bits.
    let since = settings.since.map_or(0, |moment| {
        i32::try_from(moment.as_second().max(0)).unwrap_or(i32::MAX)
    });
    LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .follow(settings.follow)
        .since(since)
        .timestamps(settings.timestamps)
        .tail(
            &settings
                .tail
                .map_or("all".to_owned(), |lines| lines.to_string()),
        )
        .build()
}

/// The lines of one container, without their ends; the last may have had none.
fn lines<'a>(
    docker: &'a Docker,
    source: &'a LogSource,
    settings: &'a Logs,
) -> impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'a {
    // Asked for when it is the source's turn, so that one after the other is just that.
    let pieces =
        stream::once(async move { docker.logs(&source.container, Some(request(settings))) })
            .flatten()
            .map_ok(Some)
            .chain(stream::once(async { Ok(None) }));
    let mut assembly = Assembly::default();
    pieces
        .map_ok(move |piece| {
            let lines = match piece {
                Some(piece) => assembly.take(&piece),
                None => assembly.finish(),
            };
            stream::iter(lines.into_iter().map(Ok))
        })
        .try_flatten()
}

/// Lines in the making: the engine cuts long ones, and mixes the two streams in between.
#[derive(Default)]
struct Assembly {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Assembly {
    /// The lines that end with this piece.
    fn take(&mut self, piece: &LogOutput) -> Vec<Vec<u8>> {
        let pending = match piece {
            LogOutput::StdErr { .. } => &mut self.stderr,
            _ => &mut self.stdout,
        };
        let mut complete = Vec::new();
        for part in piece.as_ref().split_inclusive(|byte| *byte == b'\n') {
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
    fn finish(&mut self) -> Vec<Vec<u8>> {
        [&mut self.stdout, &mut self.stderr]
            .into_iter()
            .map(std::mem::take)
            .filter(|line| !line.is_empty())
            .collect()
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

    fn source(seat: u32, service: &str) -> LogSource {
        LogSource {
            seat: SeatNumber::new(seat).unwrap(),
            service: service.parse().unwrap(),
            container: String::new(),
        }
    }

    fn out(text: impl Into<Vec<u8>>) -> LogOutput {
        LogOutput::StdOut {
            message: text.into().into(),
        }
    }

    fn err(text: &str) -> LogOutput {
        LogOutput::StdErr {
            message: text.as_bytes().to_vec().into(),
        }
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
    fn lines_that_come_in_pieces_are_put_together_by_stream() {
        let mut assembly = Assembly::default();
        assert!(assembly.take(&out("数据")).is_empty());
        assert_eq!(assembly.take(&err("oops\r\n")), [b"oops"]);
        assert_eq!(
            assembly.take(&out("库\n\nsecond\nrest")),
            ["数据库".as_bytes(), b"", b"second"]
        );
        assert_eq!(assembly.finish(), [b"rest"]);
        assert!(assembly.finish().is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let mut assembly = Assembly::default();
        let text = "库".repeat(LONGEST_LINE);
        let mut lines = assembly.take(&out(text.as_bytes()));
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
        let lines = assembly.take(&out(vec![0x80; LONGEST_LINE + 1]));
        assert_eq!(lines.len(), 1);
        assert_eq!(assembly.finish(), [[0x80]]);
    }

    #[test]
    fn a_request_has_all_lines_unless_told_otherwise() {
        let all = request(&Logs::default());
        assert_eq!(
            (all.tail.as_str(), all.since, all.follow),
            ("all", 0, false)
        );
        let few = request(&Logs {
            follow: true,
            tail: Some(5),
            since: Some("2024-10-19T06:00:00Z".parse().unwrap()),
            timestamps: true,
            ..Logs::default()
        });
        assert_eq!((few.tail.as_str(), few.since), ("5", 1_729_317_600));
        assert!(few.follow && few.timestamps && few.stdout && few.stderr);
    }
}
