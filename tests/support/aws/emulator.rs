//! A moto server, which answers as AWS does where it can: a fresh one for whoever starts it.

use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::client::{Client, Reply, exchange};
use super::listing;

/// Where the server is, if not where `./test` installs it.
const PROGRAM: &str = "SEATBOX_TEST_MOTO";

/// The images that it knows, as the one who publishes them describes them.
const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/emulator/images.json");

/// What starts it, with the Python that it is installed for; and what starts the one that needs no proxy
/// of ours to be used.
const START: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/emulator/serve.py");
const START_ALONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/emulator/aws.py");

/// On two busy cores Python takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// An emulator of AWS on a loopback port, gone when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    process: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Emulator {
    /// A fresh one that answers.
    pub fn start() -> Self {
        Self::started_by(START)
    }

    /// The one that `./quickstart` shows.
    pub fn alone() -> Self {
        Self::started_by(START_ALONE)
    }

    fn started_by(script: &str) -> Self {
        let directory = TempDir::with_prefix("sbt-moto-").expect("a temporary directory is made");
        let log = File::create(log(directory.path())).expect("a log can be written");
        // In the process group of the test, so that whatever ends a test that hangs ends it, too.
        let process = Command::new(python())
            .args([script, "-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "1")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "1")
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_AMIS_PATH", IMAGES)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be written"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be started: {error}", python().display()));
        // Whatever goes wrong from here on, it is ended.
        let mut emulator = Self {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            directory,
        };
        emulator.await_port();
        emulator.hold_tasks();
        emulator
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `AWS_ENDPOINT_URL` is to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One to call it with, past any proxy.
    pub fn client(&self) -> Client {
        Client::to(self.address)
    }

    /// Forgets all that was made.
    pub fn reset(&self) {
        self.post("/moto-api/reset", "");
        self.hold_tasks();
    }

    /// All that exists in the region that tests use, one thing a line, in an order that is always the
    /// same: equal before and after means that nothing is left and nothing else was touched.
    pub fn listing(&self) -> Vec<String> {
        listing::of(&self.client())
    }

    /// A task runs until somebody stops it; otherwise it would move on whenever somebody looks.
    fn hold_tasks(&self) {
        let held = json!({
            "model_name": "ecs::task",
            "transition": {"progression": "manual", "times": 1_000_000_000},
        });
        self.post("/moto-api/state-manager/set-transition", &held.to_string());
    }

    fn post(&self, path: &str, body: &str) -> Reply {
        let headers = [("Content-Type", "application/json")];
        let reply = exchange(self.address, path, &headers, body).expect("the emulator answers");
        assert!(reply.status < 300, "{path}: {reply:?}");
        reply
    }

    /// The port is one that was free, and only the log says which.
    fn await_port(&mut self) {
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            let mut said = String::new();
            File::open(log(self.directory.path()))
                .and_then(|mut file| file.read_to_string(&mut said))
                .expect("the log can be read");
            let port = said.split_once("Running on http://127.0.0.1:");
            let port = port.and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((port, _)) = port {
                let port = port.trim().parse().expect("a port is a number");
                self.address.set_port(port);
                return;
            }
            let ended = self.process.try_wait().expect("its state can be asked");
            assert!(ended.is_none(), "moto ended ({ended:?}): {said}");
            assert!(
                Instant::now() < deadline,
                "moto says no port within {STARTS_WITHIN:?}: {said}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log(directory: &Path) -> PathBuf {
    directory.join("moto.log")
}

/// The Python that it is installed for.
pub fn python() -> PathBuf {
    program().with_file_name("python3")
}

fn program() -> PathBuf {
    if let Some(path) = std::env::var_os(PROGRAM) {
        let path = PathBuf::from(path);
        assert!(
            path.is_file(),
            "{PROGRAM} names {}, which is no file",
            path.display()
        );
        return path;
    }
    // Tests lie in <target>/<profile>/deps.
    let test = std::env::current_exe().expect("a program knows where it is");
    let places = test
        .ancestors()
        .map(|above| above.join("tools/moto/bin/moto_server"));
    places
        .into_iter()
        .find(|place| place.is_file())
        .unwrap_or_else(|| {
            panic!(
                "moto is missing above {}: ./test installs it, or set {PROGRAM}",
                test.display()
            )
        })
}
