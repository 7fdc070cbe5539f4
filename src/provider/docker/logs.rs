//! What the services of several seats write, in one stream of lines.

use std::io::Write;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use super::errors::message;
use super::observe::{Observed, OurContainer};
use crate::model::{EnvironmentName, SeatNumber, ServiceName};
use crate::provider::lines::{self, Assembly};
use crate::provider::{Logged, Logs};

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

/// Writes the lines of `sources` to `out`, as [`lines::write`] says.
pub async fn write_logs(
    docker: &Docker,
    sources: &[LogSource],
    settings: &Logs,
    out: &mut impl Write,
) -> Logged {
    let sources = sources.iter().map(|source| {
        let lines = lines_of(docker, source, settings).map_err(|error| message(&error));
        ((source.seat, source.service.clone()), lines)
    });
    lines::write(sources.collect(), settings, out).await
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
fn lines_of<'a>(
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
    // The engine cuts long lines, and mixes the two streams in between.
    let (mut output, mut error) = (Assembly::default(), Assembly::default());
    pieces
        .map_ok(move |piece| {
            let lines = match piece {
                Some(LogOutput::StdErr { message }) => error.take(&message),
                Some(piece) => output.take(piece.as_ref()),
                None => output.finish().into_iter().chain(error.finish()).collect(),
            };
            stream::iter(lines.into_iter().map(Ok))
        })
        .try_flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

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
