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
        .with_hint("free the port, or choose other ones with docker.ports.first")
    } else if message.contains("Pool overlaps") {
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

/// Whether the engine says that it is like that already (304), or that a name is taken or
/// something is in progress (409).
pub fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// Whether the engine says that there is nothing to do.
pub fn is_not_modified(error: &Error) -> bool {
    status(error) == Some(304)
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
    let mut layer: Option<&(dyn StdError + 'static)> = Some(error);
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
