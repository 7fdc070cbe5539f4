//! Why an engine could not be found or reached.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use super::version::{ApiVersion, OLDEST_API};

/// No engine can be worked with. The program ends with exit code 4 on any of these.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ConnectError {
    /// Nothing says where an engine is, and none is where one usually is.
    #[error("no Docker engine was found; looked for {}", paths(.tried))]
    #[diagnostic(help(
        "start one (`sudo systemctl start docker`), or say where it is with DOCKER_HOST or \
         `docker context use`"
    ))]
    NothingFound {
        /// Every socket that was looked for, in order.
        tried: Vec<PathBuf>,
    },
    /// An engine's address can't be read, or is of a kind that can't be reached from here.
    #[error("{found_by} is `{host}`, which is no engine's address: {problem}")]
    #[diagnostic(help("write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host"))]
    BadHost {
        /// Where the address stands: `DOCKER_HOST`, or a Docker context.
        found_by: String,
        /// The address, without what may be a password.
        host: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The Docker context in use does not exist or can't be read.
    #[error("Docker context `{name}` can't be used: {}: {problem}", .path.display())]
    #[diagnostic(help("`docker context ls` shows those that exist; `docker context use` chooses"))]
    BadContext {
        /// The context.
        name: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The `docker` command's settings can't be read, so that the context in use is not known.
    #[error("Docker's settings can't be read: {}: {problem}", .path.display())]
    #[diagnostic(help("mend the file, or set DOCKER_HOST to go without it"))]
    BadConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The engine does not answer.
    #[error("the Docker engine at {endpoint} ({found_by}) can't be used: {detail}")]
    #[diagnostic(help("{}", .reason.hint()))]
    Unreachable {
        /// The engine's address.
        endpoint: String,
        /// Where that address comes from.
        found_by: String,
        /// Which kind of trouble it is.
        reason: Reason,
        /// What the operating system, the engine or ssh says.
        detail: String,
    },
    /// The engine is older than Seatbox can work with.
    #[error(
        "the Docker engine at {endpoint} is too old: it is {engine} and speaks API {api}, and \
         Seatbox needs API {OLDEST_API} at least"
    )]
    #[diagnostic(help("upgrade the engine to Docker 20.10 or later"))]
    TooOld {
        /// The engine's address.
        endpoint: String,
        /// The engine's own version.
        engine: String,
        /// The newest API version that it speaks.
        api: ApiVersion,
    },
}

/// Kinds of trouble in reaching an engine, each with its own remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no socket at that place.
    NotFound,
    /// This user may not use the socket.
    Denied,
    /// Nothing listens there.
    Refused,
    /// No answer within the time.
    Timeout,
    /// TLS was not agreed on.
    Tls,
    /// ssh did not get there.
    Ssh,
    /// Anything else.
    Other,
}

impl Reason {
    /// What a user can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::NotFound | Self::Refused => {
                "the engine does not run there: start it (`sudo systemctl start docker`), or \
                 choose another with DOCKER_HOST or `docker context use`"
            }
            Self::Denied => {
                "use sudo, or join the socket's group (`sudo usermod -aG docker $USER`) and log \
                 in again"
            }
            Self::Timeout => {
                "check the address, and whether a firewall lets it through; a local engine that \
                 hangs needs a restart (`sudo systemctl restart docker`)"
            }
            Self::Tls => {
                "check DOCKER_TLS_VERIFY, and that ca.pem, cert.pem and key.pem in \
                 DOCKER_CERT_PATH (or in the Docker context) are this engine's"
            }
            Self::Ssh => {
                "check that `ssh HOST docker version` works without asking for anything: a key in \
                 the agent, a known host, a user in the group docker"
            }
            Self::Other => "check that `docker version` works with the same settings",
        }
    }

    /// The kind that an error of the operating system is of; `tls` says whether TLS was spoken.
    pub(super) fn of(error: &io::Error, tls: bool) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::Timeout,
            // The layer of TLS hands its own errors on as these.
            io::ErrorKind::InvalidData | io::ErrorKind::Other if tls => Self::Tls,
            _ => Self::Other,
        }
    }
}

/// What is at the bottom of an error of the client: its kind, and its words. The upper layers only
/// say that there was an error in the layer below.
pub(super) fn bottom(error: &bollard::errors::Error, tls: bool) -> (Reason, String) {
    use bollard::errors::Error;
    match error {
        Error::RequestTimeoutError => return (Reason::Timeout, "no answer".to_owned()),
        Error::DockerResponseServerError {
            status_code,
            message,
        } => {
            let message = message.trim();
            // What Go's server answers to plain HTTP on a TLS port.
            let reason = if message.contains("HTTP request to an HTTPS server") {
                Reason::Tls
            } else {
                Reason::Other
            };
            return (reason, format!("it answers {status_code}: {message}"));
        }
        Error::CertPathError { .. }
        | Error::CertMultipleKeys { .. }
        | Error::CertParseError { .. }
        | Error::NoNativeCertsError { .. }
        | Error::LoadNativeCertsErrors { .. } => return (Reason::Tls, error.to_string()),
        _ => {}
    }
    let mut reason = Reason::Other;
    let mut innermost: &dyn StdError = error;
    loop {
        if let Some(io) = innermost.downcast_ref::<io::Error>() {
            reason = Reason::of(io, tls);
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => return (reason, innermost.to_string()),
        }
    }
}

fn paths(paths: &[PathBuf]) -> String {
    let texts: Vec<_> = paths
        .iter()
        .map(|path| Path::display(path).to_string())
        .collect();
    texts.join(", ")
}
