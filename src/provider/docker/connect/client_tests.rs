//! Connecting, against engines of a few lines.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

use super::*;
use crate::provider::docker::connect::host::SshTarget;

/// A socket that gives `answer` to every request, or none where there is none.
fn engine_that_answers(answer: Option<&'static str>) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(body) = answer else {
                silent.push(stream);
                continue;
            };
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    (directory, path)
}

fn endpoint(kind: EndpointKind) -> Endpoint {
    Endpoint {
        kind,
        found_by: "DOCKER_HOST".to_owned(),
    }
}

fn tcp(port: u16, tls: Option<TlsFiles>) -> Endpoint {
    endpoint(EndpointKind::Tcp {
        host: "127.0.0.1".to_owned(),
        port,
        tls,
    })
}

async fn attempt(endpoint: &Endpoint) -> Result<Engine, ConnectError> {
    connect_by(endpoint, Command::new("ssh"), Duration::from_secs(5)).await
}

async fn reason(endpoint: &Endpoint) -> (Reason, String) {
    match attempt(endpoint).await {
        Err(ConnectError::Unreachable {
            reason,
            detail,
            found_by,
            ..
        }) => {
            assert_eq!(found_by, "DOCKER_HOST");
            (reason, detail)
        }
        other => panic!("{other:?}"),
    }
}

const PODMAN: &str = r#"{"ApiVersion":"1.41","Version":"4.3.1","Os":"linux","Arch":"arm64",
    "KernelVersion":"not this one","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;

#[tokio::test]
async fn an_engine_tells_what_it_is() {
    let (_directory, path) = engine_that_answers(Some(PODMAN));
    let engine = attempt(&endpoint(EndpointKind::Unix(path.clone())))
        .await
        .unwrap();
    assert_eq!(engine.version, "4.3.1");
    assert_eq!(
        (engine.os.as_str(), engine.arch.as_str()),
        ("linux", "arm64")
    );
    assert!(engine.is_podman);
    assert!(!engine.is_local, "another kernel is another machine");
    assert!(engine.supports(ApiVersion::new(1, 41)));
    assert!(!engine.supports(ApiVersion::new(1, 42)));
    assert_eq!(engine.endpoint, format!("unix://{}", path.display()));
}

#[tokio::test]
async fn an_engine_that_is_too_old_is_refused_with_both_versions() {
    let old = r#"{"ApiVersion":"1.40","Version":"19.03.8"}"#;
    let (_directory, path) = engine_that_answers(Some(old));
    let error = attempt(&endpoint(EndpointKind::Unix(path)))
        .await
        .unwrap_err()
        .to_string();
    for part in ["19.03.8", "1.40", "1.41"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[tokio::test]
async fn what_answers_but_is_no_engine_is_an_error() {
    for answer in ["{}", r#"{"ApiVersion":"x"}"#, "<html>"] {
        let (_directory, path) = engine_that_answers(Some(answer));
        let (reason, _) = reason(&endpoint(EndpointKind::Unix(path))).await;
        assert_eq!(reason, Reason::Other, "{answer}");
    }
}

#[tokio::test]
async fn an_engine_that_hangs_is_given_up() {
    let (_directory, path) = engine_that_answers(None);
    let endpoint = endpoint(EndpointKind::Unix(path));
    let error = connect_by(&endpoint, Command::new("ssh"), Duration::from_millis(200))
        .await
        .unwrap_err();
    let ConnectError::Unreachable { reason, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(reason, Reason::Timeout);
}

#[tokio::test]
async fn a_missing_socket_a_dead_one_and_a_closed_port_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let missing = endpoint(EndpointKind::Unix(directory.path().join("none.sock")));
    assert_eq!(reason(&missing).await.0, Reason::NotFound);

    let dead = directory.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let dead = endpoint(EndpointKind::Unix(dead));
    assert_eq!(reason(&dead).await.0, Reason::Refused);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (kind, detail) = reason(&tcp(port, None)).await;
    assert_eq!(kind, Reason::Refused, "{detail}");
    assert!(detail.contains("refused"), "{detail}");
}

#[tokio::test]
async fn tls_with_what_does_not_speak_it_is_an_error_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let files = TlsFiles {
        ca: None,
        cert: None,
        key: None,
        verify: true,
    };
    let (kind, detail) = reason(&tcp(port, Some(files.clone()))).await;
    assert_eq!(kind, Reason::Tls, "{detail}");

    let missing = TlsFiles {
        ca: Some("/nonexistent/ca.pem".into()),
        ..files.clone()
    };
    let (kind, detail) = reason(&tcp(port, Some(missing))).await;
    assert_eq!(kind, Reason::Tls);
    assert!(detail.contains("/nonexistent/ca.pem"), "{detail}");

    let unverified = TlsFiles {
        verify: false,
        ..files
    };
    assert_eq!(reason(&tcp(port, Some(unverified))).await.0, Reason::Tls);
}

#[tokio::test]
async fn an_engine_is_reached_through_ssh() {
    let (_directory, path) = engine_that_answers(Some(PODMAN));
    let endpoint = endpoint(EndpointKind::Ssh(SshTarget {
        user: None,
        host: "venue".to_owned(),
        port: None,
        socket: path.to_str().unwrap().to_owned(),
    }));
    // In ssh's place: makes the forwarded socket a link to the other one.
    let script = r#"while [ "$1" != -L ]; do shift; done
        ln -s "${2#*:}" "${2%%:*}"; exec sleep 60"#;
    let mut ssh = Command::new("sh");
    ssh.args(["-c", script, "ssh"]);
    let engine = connect_by(&endpoint, ssh, Duration::from_secs(5))
        .await
        .unwrap();
    assert!(!engine.is_local);
    assert_eq!(engine.endpoint, format!("ssh://venue{}", path.display()));
    assert_eq!(
        engine.docker.version().await.unwrap().version.unwrap(),
        "4.3.1"
    );
}

#[tokio::test]
async fn a_tunnel_that_leads_nowhere_says_what_ssh_says() {
    let endpoint = endpoint(EndpointKind::Ssh(SshTarget {
        user: None,
        host: "venue".to_owned(),
        port: None,
        socket: "/nonexistent/docker.sock".to_owned(),
    }));
    let script = r#"echo "channel 1: open failed: connect failed" >&2
        while [ "$1" != -L ]; do shift; done
        sleep 0.2; : > "${2%%:*}"; exec sleep 60"#;
    let mut ssh = Command::new("sh");
    ssh.args(["-c", script, "ssh"]);
    let error = connect_by(&endpoint, ssh, Duration::from_secs(5))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("open failed"), "{error}");
}
