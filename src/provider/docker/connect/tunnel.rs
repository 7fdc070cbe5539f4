//! An engine's socket on another machine, forwarded here by the user's own ssh: their keys, agent,
//! known hosts and settings are ssh's business, and stay it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::error::Reason;
use super::host::SshTarget;
use crate::provider::ssh::{one_line, private_directory, unattended};

/// How often is looked whether ssh has made the socket yet.
const POLL: Duration = Duration::from_millis(20);

/// How much of what ssh says is kept, in bytes.
const LONGEST_COMPLAINT: usize = 4096;

/// A socket here that leads to an engine elsewhere, for as long as this value lives.
#[derive(Debug)]
pub struct Tunnel {
    /// Killed when this is dropped.
    _ssh: Child,
    directory: TempDir,
    complaints: Arc<Mutex<Vec<u8>>>,
}

impl Tunnel {
    /// Starts `ssh` and waits until its socket is there, `patience` at most.
    ///
    /// # Errors
    /// What ssh says, where it ends or nothing comes of it.
    pub async fn open(
        mut ssh: Command,
        target: &SshTarget,
        patience: Duration,
    ) -> Result<Self, (Reason, String)> {
        // Whoever reaches an engine's socket is root over there.
        let directory = private_directory(&std::env::temp_dir())
            .map_err(|error| (Reason::Other, format!("no temporary directory: {error}")))?;
        arguments(&mut ssh, &socket(&directory), target, patience);
        let mut ssh = ssh
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is for Seatbox, which ends its work before the connection.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| (Reason::Ssh, format!("ssh can't be started: {error}")))?;

        let complaints = Arc::new(Mutex::new(Vec::new()));
        let mut listening = ssh
            .stderr
            .take()
            .map(|stderr| tokio::spawn(listen(stderr, complaints.clone())));
        let deadline = Instant::now() + patience;
        loop {
            let ended = ssh.try_wait().ok().flatten();
            if ended.is_none() && socket(&directory).exists() {
                return Ok(Self {
                    _ssh: ssh,
                    directory,
                    complaints,
                });
            }
            if let Some(status) = ended {
                // All that it said is there once its end of the pipe is closed; a process that it
                // left behind may keep it open.
                if let Some(listening) = listening.take() {
                    let _ = tokio::time::timeout(Duration::from_secs(1), listening).await;
                }
                let said = text(&complaints);
                let said = if said.is_empty() {
                    format!("ssh ended with {status}")
                } else {
                    format!("ssh says: {said}")
                };
                return Err((Reason::Ssh, said));
            }
            if Instant::now() >= deadline {
                let said = format!("ssh made no connection in {patience:?}");
                return Err((Reason::Timeout, said));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The socket on this side.
    pub fn socket(&self) -> PathBuf {
        socket(&self.directory)
    }

    /// What ssh has said so far.
    pub fn complaints(&self) -> String {
        text(&self.complaints)
    }
}

fn socket(directory: &TempDir) -> PathBuf {
    directory.path().join("engine.sock")
}

fn arguments(ssh: &mut Command, local: &Path, target: &SshTarget, patience: Duration) {
    ssh.args(["-N", "-T", "-o", "ExitOnForwardFailure=yes"]);
    unattended(ssh, patience);
    ssh.arg("-L")
        .arg(format!("{}:{}", local.display(), target.socket));
    if let Some(port) = target.port {
        ssh.args(["-p", &port.to_string()]);
    }
    if let Some(user) = &target.user {
        ssh.args(["-l", user]);
    }
    ssh.args(["--", &target.host]);
}

/// Keeps the end of what is said until the pipe closes.
async fn listen(mut stderr: impl AsyncRead + Unpin, complaints: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut complaints = complaints
            .lock()
            .expect("nothing panics with this lock held");
        complaints.extend_from_slice(&buffer[..count]);
        let surplus = complaints.len().saturating_sub(LONGEST_COMPLAINT);
        complaints.drain(..surplus);
    }
}

/// What was said, on one line.
fn text(complaints: &Mutex<Vec<u8>>) -> String {
    let complaints = complaints
        .lock()
        .expect("nothing panics with this lock held");
    one_line(&complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn target() -> SshTarget {
        SshTarget {
            user: Some("lin".to_owned()),
            host: "venue".to_owned(),
            port: Some(2222),
            socket: "/var/run/docker.sock".to_owned(),
        }
    }

    /// A shell in ssh's place: `$0` is what `directory` is named, then come ssh's arguments.
    fn shell(script: &str, directory: &Path) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(directory);
        command
    }

    /// Makes the socket that `-L` names, as ssh does once it is connected, then stays.
    const CONNECTED: &str = r#"
        printf '%s\n' "$@" > "$0/arguments"
        echo $$ > "$0/pid"
        while [ "$1" != -L ]; do shift; done
        : > "${2%%:*}"
        exec sleep 60
    "#;

    #[tokio::test]
    async fn the_tunnel_lives_as_long_as_its_value() {
        let notes = tempfile::tempdir().unwrap();
        let tunnel = Tunnel::open(shell(CONNECTED, notes.path()), &target(), PATIENCE)
            .await
            .unwrap();
        let socket = tunnel.socket();
        assert!(socket.exists());
        let note = |name| std::fs::read_to_string(notes.path().join(name)).unwrap();
        let process = Path::new("/proc").join(note("pid").trim()).join("stat");
        assert!(process.exists());

        let arguments = note("arguments");
        let arguments: Vec<&str> = arguments.lines().collect();
        let forward = format!("{}:/var/run/docker.sock", socket.display());
        assert!(arguments.windows(2).any(|pair| pair == ["-L", &forward]));
        assert!(arguments.ends_with(&["-p", "2222", "-l", "lin", "--", "venue"]));
        assert!(arguments.contains(&"BatchMode=yes"));

        drop(tunnel);
        assert!(!socket.parent().unwrap().exists());
        // Dead, and perhaps not yet collected by the runtime.
        for _ in 0..200 {
            match std::fs::read_to_string(&process) {
                Err(_) => return,
                Ok(stat) if stat.contains(") Z") => return,
                Ok(_) => tokio::time::sleep(POLL).await,
            }
        }
        panic!("ssh is still there");
    }

    #[tokio::test]
    async fn what_ssh_says_is_passed_on() {
        let notes = tempfile::tempdir().unwrap();
        let script = "echo 'lin@venue: Permission denied (publickey).' >&2; exit 255";
        let (reason, text) = Tunnel::open(shell(script, notes.path()), &target(), PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(reason, Reason::Ssh);
        assert_eq!(text, "ssh says: lin@venue: Permission denied (publickey).");
    }

    #[tokio::test]
    async fn ssh_that_says_nothing_is_not_waited_for_without_end() {
        let notes = tempfile::tempdir().unwrap();
        let short = Duration::from_millis(100);
        let (reason, _) = Tunnel::open(shell("exec sleep 60", notes.path()), &target(), short)
            .await
            .unwrap_err();
        assert_eq!(reason, Reason::Timeout);
    }

    #[tokio::test]
    async fn a_missing_ssh_is_named() {
        let (reason, text) = Tunnel::open(Command::new("/nonexistent/ssh"), &target(), PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(reason, Reason::Ssh);
        assert!(text.contains("ssh can't be started"), "{text}");
    }
}
