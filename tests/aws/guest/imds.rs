//! A metadata service as an instance has it: a token first, and then what is asked for.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Long enough that nobody guesses it.
const TOKEN: &str = "AQAEAFz-token-of-the-fake-metadata-service==";

#[derive(Default)]
struct State {
    values: HashMap<String, String>,
    failures: u32,
}

/// The service, on a port of its own for as long as the test lives.
pub struct Imds {
    state: Arc<Mutex<State>>,
    /// What stands before the path.
    pub url: String,
}

impl Imds {
    /// A service that knows nothing.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let _ = answer(client, &shared);
            }
        });
        Self { state, url }
    }

    /// What it says from here on at a path below `/latest/meta-data/`.
    pub fn say(&self, path: &str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.values.insert(path.to_owned(), value.to_owned());
    }

    /// Makes it fail so many times.
    pub fn fail(&self, times: u32) {
        self.state.lock().unwrap().failures = times;
    }
}

fn answer(mut client: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let mut line = head.split_whitespace();
    let (method, path) = (line.next().unwrap_or(""), line.next().unwrap_or(""));
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_start_matches(':').trim())
    };
    let mut state = state.lock().unwrap();
    let (status, body) = if state.failures > 0 {
        state.failures -= 1;
        (503, String::new())
    } else if method == "put" && path == "/latest/api/token" {
        match header("x-aws-ec2-metadata-token-ttl-seconds") {
            Some(_) => (200, TOKEN.to_owned()),
            None => (400, String::new()),
        }
    } else if header("x-aws-ec2-metadata-token") != Some(&TOKEN.to_lowercase()) {
        (401, String::new())
    } else {
        let value = path
            .strip_prefix("/latest/meta-data/")
            .and_then(|path| state.values.get(path));
        value.map_or((404, String::new()), |value| (200, value.clone()))
    };
    write!(
        client,
        "HTTP/1.1 {status} So\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
