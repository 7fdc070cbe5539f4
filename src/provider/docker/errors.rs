//! The engine's errors in our classes. This is the one place that looks at what they say.

use std::error::Error as StdError;

use bollard::errors::Error;

use crate::engine::{Failure, FailureClass};

/// A failed call to the engine, classified.
pub fn failure(call: &str, error: &Error) -> Failure {
    let message = message(error);
    // What an engine says that has lost its containerd, or is on its way out.
    let leaving = [
        "containerd.sock",
        "connection is closing",
        "transport is closing",
    ];
    let class = match classify(error) {
        FailureClass::Connection if leaving.iter().any(|words| message.contains(words)) => {
            FailureClass::Unreachable
        }
        class => class,
    };
    let failure = Failure::new(class, call, message.clone());
    // The engine has no code for these; its words are all there is.
    if message.contains("port is already allocated") || message.contains("address already in use") {
        Failure {
            class: FailureClass::Conflict,
            ..failure
        }
        .with_hint(
            "free the port, or choose other ones with docker.ports.first; one that no container \
             publishes is held by an engine that was ended in mid-call: restart it",
        )
    } else if message.contains("Pool overlaps") || message.contains("networks have overlapping") {
        Failure {
            class: FailureClass::Conflict,
            ..failure
        }
        .with_hint("something else took these addresses; choose others with docker.subnets")
    } else if message.contains("no space left on device") {
        Failure {
            class: FailureClass::Capacity,
            ..failure
        }
        .with_hint("free some disk space on the engine's host")
    } else {
        failure
    }
}

/// Whether the engine says that what the call was about does not exist.
pub fn is_not_found(error: &Error) -> bool {
    status(error) == Some(404)
}

/// Whether the engine says that a name is taken or something is in progress.
pub fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// Whether the engine says that there is nothing to do.
pub fn is_not_modified(error: &Error) -> bool {
    status(error) == Some(304)
}

/// Whether a container can't be started because containerd has it already and the engine does not
/// know: it was ended while it started it. It is never cured of that (moby/moby#36145, #39630,
/// #50040).
pub fn is_lost(error: &Error) -> bool {
    let message = message(error);
    let has = |words: &str| message.contains(words);
    has("already exists") && (message.starts_with("task ") || message.starts_with("container "))
        || has("container with id exists")
        || has("id already in use")
        || has("failed to start shim") && has("file exists")
}

/// Whether a container can't be connected to a network because it is on it already.
pub fn is_connected(error: &Error) -> bool {
    message(error).contains("already exists in network")
}

/// Whether a container can't go on because it is not paused.
pub fn is_not_paused(error: &Error) -> bool {
    message(error).contains("is not paused")
}

/// Whether a container can't have a new name because that is its name.
pub fn is_named_so(error: &Error) -> bool {
    message(error).contains("same name")
}

/// Whether somebody else is removing it at the moment.
pub fn is_being_removed(error: &Error) -> bool {
    is_conflict(error) && message(error).contains("is already in progress")
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

fn classify(error: &Error) -> FailureClass {
    match error {
        Error::DockerResponseServerError { status_code, .. } => match status_code {
            400 => FailureClass::Invalid,
            401 | 403 => FailureClass::Denied,
            404 => FailureClass::NotFound,
            408 | 504 => FailureClass::Timeout,
            409 => FailureClass::Conflict,
            429 => FailureClass::Throttle,
            500..=599 => FailureClass::Connection,
            _ => FailureClass::Invalid,
        },
        Error::RequestTimeoutError => FailureClass::Timeout,
        Error::DockerStreamError { .. } => FailureClass::Invalid,
        Error::SocketNotFoundError(_) => FailureClass::Unreachable,
        _ if was_never_made(error) => FailureClass::Unreachable,
        _ => FailureClass::Connection,
    }
}

/// Whether there was nobody to connect to, so that nothing can have come of the call.
fn was_never_made(error: &Error) -> bool {
    use std::io::{Error as IoError, ErrorKind};
    let mut layer: Option<&(dyn StdError + 'static)> = match error {
        // It hides what it holds from whoever follows the sources.
        Error::IOError { err } => Some(err),
        _ => Some(error),
    };
    while let Some(error) = layer {
        if let Some(error) = error.downcast_ref::<IoError>() {
            return matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::NotFound
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            );
        }
        layer = error.source();
    }
    false
}

/// What went wrong, down to the cause: the outer layers only say that there was an error.
pub fn message(error: &Error) -> String {
    if let Error::DockerResponseServerError { message, .. } = error {
        return message.trim().to_owned();
    }
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> Error {
        let message = message.to_owned();
        Error::DockerResponseServerError {
            status_code,
            message,
        }
    }

    fn class(error: &Error) -> FailureClass {
        failure("call", error).class
    }

    #[test]
    fn one_who_is_gone_is_told_from_one_who_errs() {
        use std::io::{Error as IoError, ErrorKind};
        let io = |kind| Error::IOError {
            err: IoError::from(kind),
        };
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::NotFound] {
            assert_eq!(class(&io(kind)), FailureClass::Unreachable);
        }
        // These may have worked.
        for kind in [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof] {
            assert_eq!(class(&io(kind)), FailureClass::Connection);
        }
        let lost =
            "connection error: desc = dial unix /run/containerd/containerd.sock: no such file";
        assert_eq!(class(&answer(500, lost)), FailureClass::Unreachable);
        assert_eq!(class(&answer(500, "try again")), FailureClass::Connection);
        assert_eq!(
            class(&answer(404, "no such container")),
            FailureClass::NotFound
        );
    }

    #[test]
    fn what_somebody_else_holds_is_a_conflict_whatever_its_status() {
        for (status, words) in [
            (
                500,
                "driver failed: Bind for 127.0.0.1:80 failed: port is already allocated",
            ),
            (403, "Pool overlaps with other one on this address space"),
            (
                403,
                "conflicts with network 1 (br-1): networks have overlapping IPv4",
            ),
        ] {
            assert_eq!(
                class(&answer(status, words)),
                FailureClass::Conflict,
                "{words}"
            );
        }
    }

    #[test]
    fn containers_that_an_engine_has_lost_are_known_by_its_words() {
        for words in [
            "task 96c4: already exists",
            "container \"120e\": already exists",
            "id already in use",
            "OCI runtime create failed: container with id exists: 4911: unknown",
            "failed to start shim: mkdir /run/containerd/moby/d47a: file exists",
        ] {
            assert!(is_lost(&answer(500, words)), "{words}");
        }
        for words in ["the network already exists", "no such file"] {
            assert!(!is_lost(&answer(500, words)), "{words}");
        }
    }

    #[test]
    fn what_is_so_already_is_known_by_the_engines_words() {
        type Predicate = fn(&Error) -> bool;
        let cases: [(Predicate, u16, &str); 4] = [
            (
                is_connected,
                403,
                "endpoint with name seat-01-work already exists in network seat-01",
            ),
            (is_not_paused, 500, "Container 5f1e is not paused"),
            (
                is_named_so,
                500,
                "Renaming a container with the same name as its current name",
            ),
            (
                is_being_removed,
                409,
                "removal of container 5f1e is already in progress",
            ),
        ];
        for (number, (is_so, ..)) in cases.iter().enumerate() {
            for (other, (_, status, words)) in cases.iter().enumerate() {
                assert_eq!(is_so(&answer(*status, words)), number == other, "{words}");
            }
        }
        let elsewhere = answer(500, "a build is already in progress");
        assert!(!is_being_removed(&elsewhere));
    }
}
