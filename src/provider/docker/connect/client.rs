//! A connection to an engine that has answered, and what it said of itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backon::Retryable as _;
use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::net::UnixStream;
use tokio::process::Command;

use super::super::errors::failure;
use super::endpoint::{Endpoint, EndpointKind, TlsFiles};
use super::error::{self, ConnectError, Reason};
use super::host;
use super::tunnel::Tunnel;
use super::version::{ApiVersion, OLDEST_API};
use crate::engine::{FailureClass, retry};

/// How long an engine has to answer for the first time: a local one takes milliseconds, one behind
/// ssh some round trips around the world.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a call may take until the engine begins to answer: that of the Docker client for Go
/// and of bollard, and enough for an engine that starts two dozen containers at once.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// Where no file is given, bollard still wants one to read: nothing is in this one.
const NO_FILE: &str = "/dev/null";

/// An engine that has answered.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The client.
    pub docker: Docker,
    /// The newest API version that the engine speaks. The client sends none, so this is also the
    /// one that holds for every call.
    pub api: ApiVersion,
    /// The engine's own version, `20.10.24` for example.
    pub version: String,
    /// The operating system that containers see, `linux` as a rule.
    pub os: String,
    /// The processor that containers see, by its name in Go: `amd64`, `arm64`.
    pub arch: String,
    /// The kernel's release, where the engine tells.
    pub kernel: Option<String>,
    /// Whether it is Podman that answers as Docker.
    pub is_podman: bool,
    /// The engine's address.
    pub endpoint: String,
    /// Whether the engine's network is this host's, so that this host's routes and ports are those
    /// that containers could clash with: a socket of this machine, and the same kernel behind it
    /// (Docker Desktop and Colima have one of their own).
    pub is_local: bool,
    /// Held for as long as the client may be used.
    _tunnel: Option<Arc<Tunnel>>,
}

impl Engine {
    /// Whether the engine speaks `version` of the API.
    pub fn supports(&self, version: ApiVersion) -> bool {
        self.api >= version
    }
}

/// Connects to the engine at `endpoint` and asks for its version.
///
/// # Errors
/// [`ConnectError::Unreachable`] or [`ConnectError::TooOld`].
pub async fn connect(endpoint: &Endpoint) -> Result<Engine, ConnectError> {
    connect_by(endpoint, Command::new("ssh"), PATIENCE).await
}

async fn connect_by(
    endpoint: &Endpoint,
    ssh: Command,
    patience: Duration,
) -> Result<Engine, ConnectError> {
    let unreachable = |(reason, detail): (Reason, String)| ConnectError::Unreachable {
        endpoint: endpoint.kind.to_string(),
        found_by: endpoint.found_by.clone(),
        reason,
        detail,
    };
    let (docker, tunnel) = open(&endpoint.kind, ssh, patience)
        .await
        .map_err(unreachable)?;
    let tls = matches!(endpoint.kind, EndpointKind::Tcp { tls: Some(_), .. });
    // An engine that is not there is told of at once; one that stumbles is asked again.
    let version = (|| docker.version())
        .retry(retry::rhythm())
        .when(|error| failure("version", error).class == FailureClass::Connection);
    let answer = match tokio::time::timeout(patience, version).await {
        Ok(Ok(version)) => Ok(version),
        Ok(Err(error)) => Err(error::bottom(&error, tls)),
        Err(_) => Err((Reason::Timeout, format!("no answer within {patience:?}"))),
    };
    let version = answer
        .map_err(|trouble| with_complaints(trouble, tunnel.as_ref()))
        .map_err(unreachable)?;
    let api = version
        .api_version
        .as_deref()
        .unwrap_or_default()
        .parse::<ApiVersion>()
        .map_err(|error| unreachable((Reason::Other, error.to_string())))?;
    let engine = engine(endpoint, docker, api, version, tunnel);
    if engine.supports(OLDEST_API) {
        Ok(engine)
    } else {
        Err(ConnectError::TooOld {
            endpoint: engine.endpoint,
            engine: engine.version,
            api,
        })
    }
}

fn engine(
    endpoint: &Endpoint,
    docker: Docker,
    api: ApiVersion,
    version: SystemVersion,
    tunnel: Option<Tunnel>,
) -> Engine {
    let components = version.components.unwrap_or_default();
    let host_kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let same_kernel = match (version.kernel_version.as_deref(), host_kernel.as_deref()) {
        (Some(engines), Some(hosts)) => engines.trim() == hosts.trim(),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    Engine {
        docker,
        api,
        version: version.version.unwrap_or_default(),
        os: version.os.unwrap_or_default(),
        arch: version.arch.unwrap_or_default(),
        kernel: version.kernel_version,
        is_podman: components
            .iter()
            .any(|component| component.name.contains("Podman")),
        endpoint: endpoint.kind.to_string(),
        is_local: matches!(endpoint.kind, EndpointKind::Unix(_)) && same_kernel,
        _tunnel: tunnel.map(Arc::new),
    }
}

async fn open(
    kind: &EndpointKind,
    ssh: Command,
    patience: Duration,
) -> Result<(Docker, Option<Tunnel>), (Reason, String)> {
    match kind {
        EndpointKind::Unix(path) => {
            // The client would only say that there was an error; the operating system says which.
            tokio::time::timeout(patience, UnixStream::connect(path))
                .await
                .map_err(|_| (Reason::Timeout, format!("no answer within {patience:?}")))?
                .map_err(|error| (Reason::of(&error, false), error.to_string()))?;
            Ok((over_socket(path)?, None))
        }
        EndpointKind::Tcp { host, port, tls } => {
            let address = format!("{}:{port}", host::bracketed(host));
            let docker = match tls {
                None => {
                    let address = format!("http://{address}");
                    Docker::connect_with_http(&address, CALL_TIMEOUT.as_secs(), API_DEFAULT_VERSION)
                        .map_err(|error| error::bottom(&error, false))?
                }
                Some(files) => over_tls(&address, files)?,
            };
            Ok((docker, None))
        }
        EndpointKind::Ssh(target) => {
            let tunnel = Tunnel::open(ssh, target, patience).await?;
            Ok((over_socket(&tunnel.socket())?, Some(tunnel)))
        }
    }
}

fn over_socket(path: &Path) -> Result<Docker, (Reason, String)> {
    let path = path
        .to_str()
        .ok_or((Reason::Other, "its path is not UTF-8".to_owned()))?;
    Docker::connect_with_unix(path, CALL_TIMEOUT.as_secs(), API_DEFAULT_VERSION)
        .map_err(|error| error::bottom(&error, false))
}

fn over_tls(address: &str, files: &TlsFiles) -> Result<Docker, (Reason, String)> {
    if !files.verify {
        let problem = "Seatbox connects to no engine whose certificate is not to be checked";
        return Err((Reason::Tls, problem.to_owned()));
    }
    // The client reads these two when the engine asks who we are, and takes a file that can't be
    // read for none.
    for file in files.cert.iter().chain(&files.key) {
        std::fs::File::open(file)
            .map_err(|error| (Reason::Tls, format!("{}: {error}", file.display())))?;
    }
    let or_none = |file: &Option<std::path::PathBuf>| file.clone().unwrap_or(NO_FILE.into());
    Docker::connect_with_ssl(
        &format!("https://{address}"),
        &or_none(&files.key),
        &or_none(&files.cert),
        &or_none(&files.ca),
        CALL_TIMEOUT.as_secs(),
        API_DEFAULT_VERSION,
    )
    .map_err(|error| error::bottom(&error, true))
}

/// With what ssh says, which knows why the other end of a tunnel closed it.
fn with_complaints(trouble: (Reason, String), tunnel: Option<&Tunnel>) -> (Reason, String) {
    match tunnel
        .map(Tunnel::complaints)
        .filter(|said| !said.is_empty())
    {
        Some(said) => (Reason::Ssh, format!("{}; ssh says: {said}", trouble.1)),
        None => trouble,
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
