//! The Docker contexts in the `docker` command's own files.
//!
//! Their layout is `cli/context/store` of <https://github.com/docker/cli>: a context's metadata
//! and its TLS files lie in directories named by the SHA-256 of the context's name.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::endpoint::TlsFiles;
use super::error::ConnectError;

/// The context that stands for no context: the environment's variables and the default sockets.
pub const DEFAULT_CONTEXT: &str = "default";

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEndpoint {
    #[serde(default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// What a context says of its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The engine's address.
    pub host: String,
    /// How to speak TLS with it, where that is to be done.
    pub tls: Option<TlsFiles>,
}

/// The context that `config.json` in `directory` chooses, unless that is the default one.
///
/// # Errors
/// [`ConnectError::BadConfig`]. A missing file chooses nothing and is no error.
pub fn current(directory: &Path) -> Result<Option<String>, ConnectError> {
    let path = directory.join("config.json");
    let bad = |problem: String| ConnectError::BadConfig {
        path: path.clone(),
        problem,
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad(error.to_string())),
    };
    // The file may hold credentials; serde_json's errors say where, and quote no strings here.
    let config: Config = serde_json::from_str(&text)
        .map_err(|error| bad(format!("line {}: not valid JSON", error.line())))?;
    Ok(Some(config.current_context).filter(|name| !name.is_empty() && name != DEFAULT_CONTEXT))
}

/// The context `name`, out of `directory`, which is `~/.docker` as a rule.
///
/// # Errors
/// [`ConnectError::BadContext`].
pub fn load(directory: &Path, name: &str) -> Result<Context, ConnectError> {
    let digest = crate::hex(&Sha256::digest(name));
    let contexts = directory.join("contexts");
    let path = contexts.join("meta").join(&digest).join("meta.json");
    let bad = |problem: &str| ConnectError::BadContext {
        name: name.to_owned(),
        path: path.clone(),
        problem: problem.to_owned(),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => bad("no such context"),
        _ => bad(&error.to_string()),
    })?;
    let meta: Meta = serde_json::from_str(&text).map_err(|error| bad(&error.to_string()))?;
    let endpoint = meta
        .endpoints
        .docker
        .filter(|endpoint| !endpoint.host.is_empty())
        .ok_or_else(|| bad("it names no Docker engine"))?;

    let tls = contexts.join("tls").join(&digest).join("docker");
    let files = TlsFiles::existing(&tls, !endpoint.skip_tls_verify);
    let given = files.ca.is_some() || files.cert.is_some() || files.key.is_some();
    Ok(Context {
        host: endpoint.host,
        tls: (given || endpoint.skip_tls_verify).then_some(files),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// SHA-256 of `colima`, as `sha256sum` gives it.
    const COLIMA: &str = "f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16";

    fn store(meta: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("contexts/meta").join(COLIMA);
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("meta.json"), meta).unwrap();
        directory
    }

    #[test]
    fn a_context_is_read_from_where_docker_keeps_it() {
        let store = store(
            r#"{"Name":"colima","Metadata":{"Description":"x"},
                "Endpoints":{"docker":{"Host":"unix:///c.sock","SkipTLSVerify":false}}}"#,
        );
        assert_eq!(
            load(store.path(), "colima").unwrap(),
            Context {
                host: "unix:///c.sock".to_owned(),
                tls: None,
            }
        );
    }

    #[test]
    fn a_contexts_tls_files_are_found() {
        let store = store(r#"{"Endpoints":{"docker":{"Host":"tcp://h:2376"}}}"#);
        let tls = store
            .path()
            .join("contexts/tls")
            .join(COLIMA)
            .join("docker");
        fs::create_dir_all(&tls).unwrap();
        fs::write(tls.join("ca.pem"), "").unwrap();
        let context = load(store.path(), "colima").unwrap();
        assert_eq!(
            context.tls,
            Some(TlsFiles {
                ca: Some(tls.join("ca.pem")),
                cert: None,
                key: None,
                verify: true,
            })
        );
    }

    #[test]
    fn a_context_that_does_not_verify_says_so() {
        let store =
            store(r#"{"Endpoints":{"docker":{"Host":"tcp://h:2376","SkipTLSVerify":true}}}"#);
        let tls = load(store.path(), "colima").unwrap().tls.unwrap();
        assert!(!tls.verify);
    }

    #[test]
    fn what_is_no_context_is_an_error_that_names_the_file() {
        for (meta, problem) in [
            (r#"{"Endpoints":{}}"#, "no Docker engine"),
            (
                r#"{"Endpoints":{"docker":{"Host":""}}}"#,
                "no Docker engine",
            ),
            ("{", "EOF"),
        ] {
            let store = store(meta);
            let message = load(store.path(), "colima").unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
            assert!(message.contains(COLIMA), "{message}");
        }
        let store = store("{}");
        let message = load(store.path(), "other").unwrap_err().to_string();
        assert!(message.contains("no such context"), "{message}");
    }

    #[test]
    fn the_current_context_is_that_of_the_settings() {
        let directory = tempfile::tempdir().unwrap();
        let chosen = |text: &str| {
            fs::write(directory.path().join("config.json"), text).unwrap();
            current(directory.path())
        };
        assert_eq!(
            chosen(r#"{"auths":{},"currentContext":"colima"}"#).unwrap(),
            Some("colima".to_owned())
        );
        assert_eq!(chosen(r#"{"currentContext":"default"}"#).unwrap(), None);
        assert_eq!(chosen("{}").unwrap(), None);
        assert!(matches!(
            chosen("{\n{"),
            Err(ConnectError::BadConfig { .. })
        ));
        fs::remove_file(directory.path().join("config.json")).unwrap();
        assert_eq!(current(directory.path()).unwrap(), None);
    }
}
