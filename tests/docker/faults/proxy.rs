//! A socket in front of the engine's that lets calls go wrong, some of them, in every way that a
//! network and a busy engine know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::unix::{ReadHalf, WriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Nothing.
    Pass,
    /// The connection is closed, and the engine never hears of it.
    Refuse,
    /// It reaches the engine late.
    Delay,
    /// It works, and its answer breaks off in the middle.
    Cut,
    /// It works, and its answer is lost.
    Lose,
    /// It is answered with 500, and the engine never hears of it.
    ErrorBefore,
    /// It works, and is answered with 500.
    ErrorAfter,
}

/// All that is not as it should be.
pub const FAULTS: [Fate; 6] = [
    Fate::Refuse,
    Fate::Delay,
    Fate::Cut,
    Fate::Lose,
    Fate::ErrorBefore,
    Fate::ErrorAfter,
];

const DELAY: Duration = Duration::from_millis(800);
const ERROR: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n\
    Content-Length: 31\r\nConnection: close\r\n\r\n{\"message\":\"made up by a test\"}\n";

/// Who decides, in the order in which calls come: how many there are of each fate follows from the
/// seed, and which call gets which from how the calls fall.
struct Judge {
    random: StdRng,
    /// How many of a hundred calls go wrong.
    percent: u32,
    next: usize,
    counts: BTreeMap<Fate, usize>,
}

impl Judge {
    fn decide(&mut self) -> Fate {
        let fate = if self.random.random_range(0..100) < self.percent {
            // In turn, so that a handful of faults is one of each kind.
            self.next += 1;
            FAULTS[self.next % FAULTS.len()]
        } else {
            Fate::Pass
        };
        *self.counts.entry(fate).or_default() += 1;
        fate
    }
}

/// A proxy, gone when it is dropped.
pub struct FaultProxy {
    directory: TempDir,
    judge: Arc<Mutex<Judge>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl FaultProxy {
    /// A proxy in front of that socket, in which so many of a hundred calls go wrong.
    pub fn start(engine: &Path, seed: u64, percent: u32) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let judge = Arc::new(Mutex::new(Judge {
            next: random.random_range(0..FAULTS.len()),
            random,
            percent,
            counts: BTreeMap::new(),
        }));
        let directory = TempDir::with_prefix("sbt-").expect("a temporary directory can be made");
        let socket = directory.path().join("docker.sock");
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        // A thread of its own: tests wait for programs without letting anything else go on.
        let thread = std::thread::spawn({
            let (judge, engine) = (Arc::clone(&judge), engine.to_owned());
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime can be made");
                runtime.block_on(async {
                    let listener = UnixListener::bind(&socket).expect("the socket can be made");
                    ready.send(()).expect("somebody waits for it");
                    tokio::select! {
                        () = serve(listener, judge, engine) => {}
                        _ = stopped => {}
                    }
                });
            }
        });
        is_ready.recv().expect("the proxy starts");
        Self {
            directory,
            judge,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What `DOCKER_HOST` is to be.
    pub fn host(&self) -> String {
        let socket = self.directory.path().join("docker.sock");
        format!("unix://{}", socket.display())
    }

    /// How many calls there were of each fate.
    pub fn counts(&self) -> BTreeMap<Fate, usize> {
        self.judge.lock().expect("nobody panics").counts.clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: UnixListener, judge: Arc<Mutex<Judge>>, engine: PathBuf) {
    loop {
        let (client, _) = listener.accept().await.expect("the socket is there");
        let (judge, engine) = (Arc::clone(&judge), engine.clone());
        // Whoever hangs up on either side has ended the call.
        tokio::spawn(async move {
            let _ = call(client, &judge, &engine).await;
        });
    }
}

/// One call, from its head to the end of its connection.
async fn call(mut client: UnixStream, judge: &Mutex<Judge>, engine: &Path) -> std::io::Result<()> {
    let Some((head, rest)) = read_head(&mut client).await? else {
        return Ok(());
    };
    let fate = judge.lock().expect("nobody panics").decide();
    match fate {
        Fate::Refuse => return Ok(()),
        Fate::ErrorBefore => return client.write_all(ERROR).await,
        Fate::Delay => tokio::time::sleep(DELAY).await,
        Fate::Pass | Fate::Cut | Fate::Lose | Fate::ErrorAfter => {}
    }
    let mut engine = UnixStream::connect(engine).await?;
    if head.to_ascii_lowercase().contains("\r\nupgrade:") {
        engine.write_all(head.as_bytes()).await?;
        engine.write_all(&rest).await?;
        if matches!(fate, Fate::Pass | Fate::Delay) {
            copy_bidirectional(&mut client, &mut engine).await?;
        } else {
            // It has been taken on, and what it says does not arrive.
            let mut answer = [0; 64];
            let (from_client, _) = client.split();
            let (mut from_engine, to_engine) = engine.split();
            tokio::select! {
                read = from_engine.read(&mut answer) => { read?; }
                // Its body may come after its head.
                () = feed(from_client, to_engine) => {}
            }
        }
        return Ok(());
    }
    engine.write_all(one_call(&head).as_bytes()).await?;
    engine.write_all(&rest).await?;
    let mut answer = Vec::new();
    {
        let (from_client, mut to_client) = client.split();
        let (mut from_engine, to_engine) = engine.split();
        let answered = async {
            if matches!(fate, Fate::Pass | Fate::Delay) {
                tokio::io::copy(&mut from_engine, &mut to_client).await
            } else {
                from_engine.read_to_end(&mut answer).await.map(|_| 0)
            }
        };
        tokio::select! {
            result = answered => { result?; }
            () = feed(from_client, to_engine) => {}
        }
    }
    match fate {
        Fate::Cut => client.write_all(&answer[..answer.len() / 2]).await,
        Fate::ErrorAfter => client.write_all(ERROR).await,
        _ => Ok(()),
    }
}

/// Passes on what there still is of a request. Its end is no end of the call: the answer's is.
async fn feed(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) {
    let _ = tokio::io::copy(&mut from, &mut to).await;
    std::future::pending().await
}

/// The head of a request, and what came with it of the body.
async fn read_head(client: &mut UnixStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(end + 4);
            let head = String::from_utf8(read).expect("a request's head is text");
            return Ok(Some((head, rest)));
        }
        if client.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    }
}

/// The same request, after whose answer the engine closes the connection, so that every call is a
/// connection and has a fate of its own.
fn one_call(head: &str) -> String {
    let lines = head.trim_end().lines();
    let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let kept: Vec<&str> = kept.collect();
    format!("{}\r\nConnection: close\r\n\r\n", kept.join("\r\n"))
}
