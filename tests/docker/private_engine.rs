//! A Docker engine of one test's own, which may be restarted, killed and starved as no shared one
//! may: it has processes, a network without a way out, mounts, data and control groups apart.
//!
//! `private_engine.sh` beside this file keeps it. Its life hangs on a pipe: when the test is over,
//! be it by a kill, the pipe is closed, and all of the engine goes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use bollard::query_parameters::ImportImageOptions;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::support::engine;
use crate::support::desk::repository;

/// How long an engine may take to answer after its start.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine, gone with all that it holds when this is dropped.
pub struct PrivateEngine {
    directory: PathBuf,
    keeper: Child,
    answers: BufReader<ChildStdout>,
}

impl PrivateEngine {
    /// An engine that answers, and has no image, no network and no container of anybody's.
    pub async fn start() -> Self {
        // The keeper removes it, so that it goes when this process is killed, too. Short: a socket's
        // path has at most 108 bytes.
        let directory = tempfile::Builder::new()
            .prefix("sbt-")
            .tempdir()
            .expect("a temporary directory can be made")
            .keep();
        let group = rustix::process::getgid().as_raw().to_string();
        let script = repository("tests/docker/private_engine.sh");
        let mut command = if rustix::process::geteuid().is_root() {
            Command::new(&script)
        } else {
            let mut sudo = Command::new("sudo");
            sudo.arg("--non-interactive").arg(&script);
            sudo
        };
        let mut keeper = command
            .arg(&directory)
            .arg(group)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What ends the test by a signal to its group leaves this to end by itself.
            .process_group(0)
            .spawn()
            .expect("bash is there");
        let answers = BufReader::new(keeper.stdout.take().expect("it is piped"));
        let mut engine = Self {
            directory,
            keeper,
            answers,
        };
        engine.start_again().await;
        engine
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("docker.sock")
    }

    /// What `DOCKER_HOST` is to be, for a program that shall use it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A connection to it.
    pub fn docker(&self) -> Docker {
        let socket = self.socket();
        let socket = socket.to_str().expect("the path is UTF-8");
        Docker::connect_with_unix(socket, 120, API_DEFAULT_VERSION).expect("the path is a socket's")
    }

    /// Ends it in order, its containers with it, as when its host's services are stopped.
    pub fn stop(&mut self) {
        self.command("stop");
    }

    /// Ends it at once, as a crash does. Its containers go on without it.
    pub fn kill(&mut self) {
        self.command("kill");
    }

    /// Starts it after [`Self::stop`] or [`Self::kill`], and waits until it answers. One that ends by
    /// itself meanwhile is started again, as a service manager would: Docker 20.10.24 may panic on
    /// what it finds after a kill. One that panics at every start is an error: its last words.
    pub async fn try_to_start_again(&mut self) -> Result<(), String> {
        self.command("start");
        let begun = Instant::now();
        while !self.socket().exists() || self.docker().ping().await.is_err() {
            if begun.elapsed() > PATIENCE {
                let log = self.log();
                assert!(log.contains("\nmain.main()\n"), "{log}");
                return Err(log);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.command("revive");
        }
        Ok(())
    }

    /// The same, where it starts.
    pub async fn start_again(&mut self) {
        let started = self.try_to_start_again().await;
        started.unwrap_or_else(|log| panic!("{log}"));
    }

    /// Ends it in order and starts it again.
    pub async fn restart(&mut self) {
        self.stop();
        self.start_again().await;
    }

    /// Gives it an image that the machine's own engine has, under the same name.
    pub async fn load(&self, image: &str) {
        let machine = engine().await.docker;
        let image = image.to_owned();
        // What is sent on must own what it comes from.
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        tokio::spawn(async move {
            let mut archive = std::pin::pin!(machine.export_image(&image));
            while let Some(part) = archive.next().await {
                if sender.send(part).await.is_err() {
                    break;
                }
            }
        });
        let archive = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|part| (part, receiver))
        });
        let options = ImportImageOptions::default();
        self.docker()
            .import_image_stream(options, Box::pin(archive), None)
            .try_collect::<Vec<_>>()
            .await
            .expect("the image is loaded");
    }

    fn command(&mut self, command: &str) {
        let keeper = self.keeper.stdin.as_mut().expect("it is piped");
        writeln!(keeper, "{command}").expect("the keeper lives");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it is UTF-8");
        assert_eq!(answer, "ok\n", "{command}: {}", self.log());
    }

    /// The last that it wrote, for a person who asks why.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        // The end of its input is what ends it.
        drop(self.keeper.stdin.take());
        let ended = self.keeper.wait();
        if !std::thread::panicking() {
            let ended = ended.expect("it can be waited for");
            assert!(ended.success(), "the private engine ended with {ended}");
            assert!(!self.directory.exists(), "{}", self.directory.display());
        }
    }
}
