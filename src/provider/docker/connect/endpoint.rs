//! Which engine to use, decided as the `docker` command decides it: `DOCKER_HOST`, then
//! `DOCKER_CONTEXT`, then the context that its settings choose, then the usual sockets.
//!
//! Only names and files are looked at here; nothing is connected to. The first socket that exists
//! is taken even where it turns out not to answer: going on to another engine would find none of
//! the seats, and say that there are none.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::context;
use super::error::ConnectError;
use super::host::{self, ENGINE_SOCKET, Host, SshTarget};

/// The port of an engine without TLS, and with it, as IANA has them.
const PORTS: (u16, u16) = (2375, 2376);

/// Where an engine is, and what said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub kind: EndpointKind,
    /// What said so: `DOCKER_HOST`, `context colima`, `default socket`.
    pub found_by: String,
}

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointKind {
    /// Behind a socket of this machine.
    Unix(PathBuf),
    /// Behind a TCP port.
    Tcp {
        /// A name or an address, an IPv6 one without brackets.
        host: String,
        /// The port.
        port: u16,
        /// How to speak TLS with it, where that is to be done.
        tls: Option<TlsFiles>,
    },
    /// Behind a socket of another machine, reached by ssh.
    Ssh(SshTarget),
}

impl std::fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{}:{port}", host::bracketed(host)),
            Self::Ssh(target) => target.fmt(f),
        }
    }
}

/// The files that TLS with an engine takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Whom to believe that the engine is the engine; without it, whom the system believes.
    pub ca: Option<PathBuf>,
    /// Who we are.
    pub cert: Option<PathBuf>,
    /// The proof of that.
    pub key: Option<PathBuf>,
    /// Whether the engine's certificate is to be checked.
    pub verify: bool,
}

impl TlsFiles {
    /// Those of `ca.pem`, `cert.pem` and `key.pem` that `directory` has.
    pub(super) fn existing(directory: &Path, verify: bool) -> Self {
        let file = |name| Some(directory.join(name)).filter(|path| path.exists());
        Self {
            ca: file("ca.pem"),
            cert: file("cert.pem"),
            key: file("key.pem"),
            verify,
        }
    }
}

/// Finds the engine to use. `variable` gives the process's environment, `root` is `/`.
///
/// # Errors
/// Where what is set can't be read, or nothing is set and no usual socket exists.
pub fn resolve(
    variable: impl Fn(&str) -> Option<String>,
    root: &Path,
) -> Result<Endpoint, ConnectError> {
    let machine = Machine {
        variable: &|name| variable(name).filter(|value| !value.is_empty()),
        root,
    };
    if let Some(text) = (machine.variable)("DOCKER_HOST") {
        return from_host(&text, "DOCKER_HOST".to_owned(), |needed| {
            machine.tls_of_variables(needed)
        });
    }
    let chosen = match (machine.variable)("DOCKER_CONTEXT") {
        Some(name) => Some(name).filter(|name| name != context::DEFAULT_CONTEXT),
        None => match machine.settings() {
            Some(directory) => context::current(&directory)?,
            None => None,
        },
    };
    match chosen {
        Some(name) => machine.of_context(&name),
        None => machine.default_socket(),
    }
}

/// Reads an address; `tls` gives the files for TLS, and is told whether the address asks for it.
fn from_host(
    text: &str,
    found_by: String,
    tls: impl FnOnce(bool) -> Option<TlsFiles>,
) -> Result<Endpoint, ConnectError> {
    let kind = match host::parse(text) {
        Ok(Host::Unix(path)) => EndpointKind::Unix(path),
        Ok(Host::Ssh(target)) => EndpointKind::Ssh(target),
        Ok(Host::Tcp {
            host,
            port,
            tls: needed,
        }) => {
            let tls = tls(needed);
            let usual = if tls.is_some() { PORTS.1 } else { PORTS.0 };
            EndpointKind::Tcp {
                host,
                port: port.unwrap_or(usual),
                tls,
            }
        }
        Err(problem) => {
            return Err(ConnectError::BadHost {
                found_by,
                host: host::shown(text),
                problem,
            });
        }
    };
    Ok(Endpoint { kind, found_by })
}

struct Machine<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    root: &'a Path,
}

impl Machine<'_> {
    fn of_context(&self, name: &str) -> Result<Endpoint, ConnectError> {
        let directory = self.settings().ok_or_else(|| ConnectError::BadContext {
            name: name.to_owned(),
            path: "~/.docker".into(),
            problem: "neither DOCKER_CONFIG nor HOME says where contexts are".to_owned(),
        })?;
        let context = context::load(&directory, name)?;
        from_host(&context.host, format!("context {name}"), |_| context.tls)
    }

    /// The `docker` command's own directory.
    fn settings(&self) -> Option<PathBuf> {
        (self.variable)("DOCKER_CONFIG")
            .map(|path| self.at(&path))
            .or_else(|| self.home(".docker"))
    }

    fn tls_of_variables(&self, needed: bool) -> Option<TlsFiles> {
        let verify = (self.variable)("DOCKER_TLS_VERIFY").is_some() || needed;
        if !verify && (self.variable)("DOCKER_TLS").is_none() {
            return None;
        }
        let directory = (self.variable)("DOCKER_CERT_PATH").map(|path| self.at(&path));
        // A directory that was named must have the engine's authority in it: without this, the
        // system's would be believed instead, in silence.
        let named = directory.as_ref().map(|directory| directory.join("ca.pem"));
        let files = directory
            .or_else(|| self.settings())
            .map(|directory| TlsFiles::existing(&directory, verify));
        Some(TlsFiles {
            ca: files.as_ref().and_then(|files| files.ca.clone()).or(named),
            cert: files.as_ref().and_then(|files| files.cert.clone()),
            key: files.and_then(|files| files.key),
            verify,
        })
    }

    fn default_socket(&self) -> Result<Endpoint, ConnectError> {
        let runtime = |path: &str| {
            (self.variable)("XDG_RUNTIME_DIR").map(|directory| self.at(&directory).join(path))
        };
        let tried: Vec<PathBuf> = [
            Some(self.at(ENGINE_SOCKET)),
            // Docker without root.
            runtime("docker.sock"),
            // Docker Desktop on macOS, and on Linux.
            self.home(".docker/run/docker.sock"),
            self.home(".docker/desktop/docker.sock"),
            self.home(".colima/default/docker.sock"),
            self.home(".orbstack/run/docker.sock"),
            runtime("podman/podman.sock"),
            Some(self.at("/run/podman/podman.sock")),
        ]
        .into_iter()
        .flatten()
        .collect();
        let is_socket = |path: &&PathBuf| {
            path.metadata()
                .is_ok_and(|data| data.file_type().is_socket())
        };
        match tried.iter().find(is_socket) {
            Some(path) => Ok(Endpoint {
                kind: EndpointKind::Unix(path.clone()),
                found_by: "default socket".to_owned(),
            }),
            None => Err(ConnectError::NothingFound { tried }),
        }
    }

    fn home(&self, path: &str) -> Option<PathBuf> {
        (self.variable)("HOME").map(|home| self.at(&home).join(path))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;

    use super::*;

    struct Fixture {
        root: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            Self {
                root: tempfile::tempdir().unwrap(),
            }
        }

        fn path(&self, path: &str) -> PathBuf {
            self.root.path().join(path.trim_start_matches('/'))
        }

        fn file(&self, path: &str, content: &str) -> PathBuf {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        }

        fn socket(&self, path: &str) -> PathBuf {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            UnixListener::bind(&path).unwrap();
            path
        }

        fn context(&self, name: &str, host: &str) {
            use sha2::Digest as _;
            let digest = crate::hex(&sha2::Sha256::digest(name));
            self.file(
                &format!("home/lin/.docker/contexts/meta/{digest}/meta.json"),
                &format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#),
            );
        }

        /// With `HOME` and `XDG_RUNTIME_DIR` set, as in a login.
        fn resolve(&self, variables: &[(&str, &str)]) -> Result<Endpoint, ConnectError> {
            let login = [("HOME", "/home/lin"), ("XDG_RUNTIME_DIR", "/run/user/1000")];
            resolve(
                |name| {
                    variables
                        .iter()
                        .chain(&login)
                        .find(|(key, _)| *key == name)
                        .map(|(_, value)| (*value).to_owned())
                },
                self.root.path(),
            )
        }
    }

    fn shown(endpoint: &Endpoint) -> (String, &str) {
        (endpoint.kind.to_string(), &endpoint.found_by)
    }

    #[test]
    fn docker_host_goes_before_everything_else() {
        let fixture = Fixture::new();
        fixture.socket(ENGINE_SOCKET);
        fixture.context("colima", "unix:///colima.sock");
        let endpoint = fixture
            .resolve(&[
                ("DOCKER_HOST", "ssh://lin@venue:2222"),
                ("DOCKER_CONTEXT", "colima"),
            ])
            .unwrap();
        assert_eq!(
            shown(&endpoint),
            ("ssh://lin@venue:2222".to_owned(), "DOCKER_HOST")
        );
    }

    #[test]
    fn the_variable_for_the_context_goes_before_the_settings() {
        let fixture = Fixture::new();
        fixture.context("colima", "unix:///colima.sock");
        fixture.context("venue", "tcp://venue:2375");
        fixture.file(
            "home/lin/.docker/config.json",
            r#"{"currentContext":"venue"}"#,
        );
        let by_settings = fixture.resolve(&[("DOCKER_HOST", "")]).unwrap();
        assert_eq!(
            shown(&by_settings),
            ("tcp://venue:2375".to_owned(), "context venue")
        );
        let by_variable = fixture.resolve(&[("DOCKER_CONTEXT", "colima")]).unwrap();
        assert_eq!(
            shown(&by_variable),
            ("unix:///colima.sock".to_owned(), "context colima")
        );
        let socket = fixture.socket(ENGINE_SOCKET);
        let by_default = fixture.resolve(&[("DOCKER_CONTEXT", "default")]).unwrap();
        assert_eq!(by_default.kind, EndpointKind::Unix(socket));
    }

    #[test]
    fn docker_config_says_where_the_settings_are() {
        let fixture = Fixture::new();
        fixture.file("etc/docker-cli/config.json", r#"{"currentContext":"lost"}"#);
        let error = fixture
            .resolve(&[("DOCKER_CONFIG", "/etc/docker-cli")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`lost`") && error.contains("no such context"),
            "{error}"
        );
    }

    #[test]
    fn the_first_usual_socket_that_exists_is_taken() {
        let fixture = Fixture::new();
        let podman = fixture.socket("run/user/1000/podman/podman.sock");
        assert_eq!(
            fixture.resolve(&[]).unwrap().kind,
            EndpointKind::Unix(podman)
        );
        // A directory is what an engine leaves at a mounted path that did not exist.
        fs::create_dir_all(fixture.path(ENGINE_SOCKET)).unwrap();
        let rootless = fixture.socket("run/user/1000/docker.sock");
        let endpoint = fixture.resolve(&[]).unwrap();
        assert_eq!(endpoint.kind, EndpointKind::Unix(rootless));
        assert_eq!(endpoint.found_by, "default socket");
    }

    #[test]
    fn where_no_socket_exists_the_error_names_all_that_were_tried() {
        let fixture = Fixture::new();
        let message = fixture.resolve(&[]).unwrap_err().to_string();
        for path in [
            "/var/run/docker.sock",
            "/run/user/1000/docker.sock",
            "/home/lin/.docker/run/docker.sock",
            "/home/lin/.colima/default/docker.sock",
            "/run/user/1000/podman/podman.sock",
            "/run/podman/podman.sock",
        ] {
            assert!(message.contains(path), "{path} is not in {message}");
        }
        let none = resolve(|_| None, fixture.root.path()).unwrap_err();
        let ConnectError::NothingFound { tried } = none else {
            panic!("{none}");
        };
        assert_eq!(tried.len(), 2);
    }

    #[test]
    fn tls_follows_its_variables() {
        let fixture = Fixture::new();
        let ca = fixture.file("certs/ca.pem", "");
        let key = fixture.file("certs/key.pem", "");
        let tls = |variables: &[(&str, &str)]| {
            let host = [("DOCKER_HOST", "tcp://venue")];
            let all: Vec<_> = host.iter().chain(variables).copied().collect();
            match fixture.resolve(&all).unwrap().kind {
                EndpointKind::Tcp { port, tls, .. } => (port, tls),
                other => panic!("{other}"),
            }
        };
        assert_eq!(tls(&[]), (2375, None));
        let named = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")];
        let expected = TlsFiles {
            ca: Some(ca),
            cert: None,
            key: Some(key),
            verify: true,
        };
        assert_eq!(tls(&named), (2376, Some(expected)));
        let (_, unverified) = tls(&[("DOCKER_TLS", "1")]);
        assert!(!unverified.unwrap().verify);
        let (_, missing) = tls(&[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/none")]);
        assert_eq!(missing.unwrap().ca, Some(fixture.path("none/ca.pem")));
    }

    #[test]
    fn an_address_that_cannot_be_read_says_where_it_stands() {
        let fixture = Fixture::new();
        fixture.context("windows", "npipe:////./pipe/docker_engine");
        let error = fixture
            .resolve(&[("DOCKER_CONTEXT", "windows")])
            .unwrap_err();
        assert!(error.to_string().contains("context windows"), "{error}");
        let error = fixture
            .resolve(&[("DOCKER_HOST", "ssh://lin:secret@venue")])
            .unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
