//! An engine whose clock is wrong: the real one behind a socket that answers for its time.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use seatbox::provider::docker::connect::{EndpointKind, resolve};

/// Relays to the engine from a socket at `path`, with its clock so far ahead. The thread ends with
/// the test's process.
pub fn with_clock_ahead(path: &Path, ahead: SignedDuration) {
    let listener = UnixListener::bind(path).expect("a socket can be made");
    let engine = engine_socket();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let engine = engine.clone();
            std::thread::spawn(move || serve(client, &engine, ahead));
        }
    });
}

fn engine_socket() -> PathBuf {
    let endpoint = resolve(|name| std::env::var(name).ok(), Path::new("/")).expect("an engine");
    match endpoint.kind {
        EndpointKind::Unix(path) => path,
        other => panic!("this test needs an engine on this machine, not {other}"),
    }
}

/// One request a connection.
fn serve(mut client: UnixStream, engine: &Path, ahead: SignedDuration) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let (line, rest) = head.split_once("\r\n").expect("a line");
    if line.starts_with("GET /info") {
        let body = format!("{{\"SystemTime\": \"{}\"}}", Timestamp::now() + ahead);
        let length = body.len();
        let _ = write!(
            client,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        return;
    }
    let mut engine = UnixStream::connect(engine).expect("the engine is there");
    write!(engine, "{line}\r\nConnection: close\r\n{rest}").expect("the engine listens");
    let (mut from, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
    });
    let _ = std::io::copy(&mut engine, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}
