//! Counts the requests that an engine gets: a socket in front of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::Result;

/// A line of a request is not longer; what is, is no request line.
const LONGEST: usize = 16 * 1024;

/// A socket that passes everything on, and counts.
pub struct Counter {
    path: PathBuf,
    count: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Counter {
    /// Opens one at `path`.
    pub fn start(path: PathBuf) -> Result<Self> {
        let engine = engine_socket()?;
        let listener = UnixListener::bind(&path)?;
        let count = Arc::new(AtomicU64::new(0));
        let counting = Arc::clone(&count);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (engine, counting) = (engine.clone(), Arc::clone(&counting));
                // A connection that breaks off is the client's to tell of.
                tokio::spawn(async move { pass_on(client, &engine, &counting).await });
            }
        });
        Ok(Self { path, count, task })
    }

    /// What `DOCKER_HOST` has to be.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// How many requests there were since the last time that somebody asked.
    pub fn take(&self) -> u64 {
        self.count.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn engine_socket() -> Result<PathBuf> {
    match std::env::var("DOCKER_HOST") {
        Err(_) => Ok("/var/run/docker.sock".into()),
        Ok(host) => match host.strip_prefix("unix://") {
            Some(path) => Ok(path.into()),
            None => Err(format!("calls to {host} can't be counted: it is no socket").into()),
        },
    }
}

async fn pass_on(client: UnixStream, engine: &Path, count: &AtomicU64) -> std::io::Result<()> {
    let engine = UnixStream::connect(engine).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_engine, mut to_engine) = engine.into_split();
    let requests = async {
        let mut buffer = vec![0; 64 * 1024];
        let mut lines = Lines::default();
        loop {
            let length = from_client.read(&mut buffer).await?;
            if length == 0 {
                return to_engine.shutdown().await;
            }
            count.fetch_add(lines.requests(&buffer[..length]), Ordering::Relaxed);
            to_engine.write_all(&buffer[..length]).await?;
        }
    };
    let answers = async {
        tokio::io::copy(&mut from_engine, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(requests, answers).map(|_| ())
}

/// The lines of a stream, as far as they can be request lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// How many request lines end in these bytes. Bodies have none: they are JSON and archives.
    fn requests(&mut self, bytes: &[u8]) -> u64 {
        let mut found = 0;
        for byte in bytes {
            if *byte == b'\n' {
                found += u64::from(self.0.ends_with(b" HTTP/1.1\r"));
                self.0.clear();
            } else if self.0.len() < LONGEST {
                self.0.push(*byte);
            }
        }
        found
    }
}
