//! A seat's instance, reached by the system's own `ssh` with the seat's own key.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::reading::Reading;
use super::ssh_said::{self, CALL};
use crate::engine::{Failure, FailureClass};
use crate::provider::signals::Signals;
use crate::provider::ssh::{one_line, private_directory, unattended};
use crate::secret::SshKey;

/// How long ssh waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How much of what a command writes is kept, in bytes of each stream.
const LONGEST_OUTPUT: usize = 1 << 20;

/// How far apart attempts are while an instance boots.
const PAUSE: Duration = Duration::from_secs(2);

/// For how long a key may be refused while an instance boots: one whose sshd is quicker than the
/// script that lets the key in.
const REFUSED: Duration = Duration::from_secs(60);

/// What ssh itself ends with when it fails.
const SSH_FAILED: i32 = 255;

/// How instances of one environment are reached.
#[derive(Debug, Clone)]
pub struct Ssh {
    /// The keys that instances showed when they were first reached; one file an environment.
    pub known_hosts: PathBuf,
    /// What ssh reads in place of the user's and the system's settings: for a bastion, say.
    pub config: Option<PathBuf>,
}

/// One instance.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its address, or a name that ssh's settings know.
    pub address: String,
    /// What its host key is known by: its instance id, for addresses are used again.
    pub id: String,
    /// Whom to log in as.
    pub user: String,
    /// The seat's key.
    pub key: SshKey,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; above 128 where a signal ended it.
    pub code: i32,
    /// The beginning of what it wrote to its output.
    pub stdout: Vec<u8>,
    /// The beginning of what it wrote to its error output.
    pub stderr: Vec<u8>,
}

impl Ssh {
    /// Where the host keys of an environment are kept: beside its event key.
    pub fn known_hosts(event_key: &Path) -> PathBuf {
        event_key.with_extension("known_hosts")
    }

    /// Forgets the host keys of an environment whose instances are gone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn forget(event_key: &Path) -> io::Result<()> {
        match std::fs::remove_file(Self::known_hosts(event_key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Runs a command on an instance, with `input` as its input, for `patience` at most.
    ///
    /// # Errors
    /// It was not reached, or not any more: then it may have run, or still does. A command that ends
    /// with another code than 0 is no error.
    pub async fn run(
        &self,
        host: &Host,
        argv: &[&str],
        input: &[Bytes],
        patience: Duration,
    ) -> Result<Output, Failure> {
        let session = Session::new(&host.key)?;
        let mut child = self.piped(host, &session, argv)?;
        let stdin = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let write = async {
            let Some(mut stdin) = stdin else { return };
            for piece in input {
                // A command may end before it has read everything.
                if stdin.write_all(piece).await.is_err() {
                    return;
                }
            }
            let _ = stdin.shutdown().await;
        };
        let all = async {
            let ((), stdout, stderr) = tokio::join!(write, keep(stdout), keep(stderr));
            (child.wait().await, stdout, stderr)
        };
        let (status, stdout, stderr) = tokio::time::timeout(patience, all).await.map_err(|_| {
            let message = format!("{} did not end within {patience:?}", argv.join(" "));
            Failure::new(FailureClass::Timeout, CALL, message)
        })?;
        let code = session.code(status)?;
        if code == SSH_FAILED
            && let Some(failure) = ssh_said::lost(&stderr)
        {
            return Err(failure);
        }
        Ok(Output {
            code,
            stdout,
            stderr,
        })
    }

    /// Runs a command on an instance with this process's input and output, and a terminal if `tty`;
    /// gives its exit code. A signal that ends this process ends ssh first, which puts the terminal
    /// right; the code is 128 and the signal's number then.
    ///
    /// # Errors
    /// As [`Ssh::run`].
    pub async fn attach(&self, host: &Host, argv: &[&str], tty: bool) -> Result<i32, Failure> {
        let io = |error: io::Error| Failure::new(FailureClass::Invalid, CALL, error.to_string());
        let mut signals = Signals::install().map_err(io)?;
        let session = Session::new(&host.key)?;
        let mut ssh = self.command(host, &session)?;
        ssh.arg(if tty { "-t" } else { "-T" });
        ssh.arg("--").arg(&host.address);
        ssh.arg(shell_words::join(argv));
        let mut child = ssh
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| ssh_said::not_started(&error))?;
        tokio::select! {
            status = child.wait() => session.code(status),
            number = signals.received() => {
                if let Some(id) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                    let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
                }
                let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
                Ok(128 + number)
            }
        }
    }

    /// Begins a command on an instance whose output is read as it comes. It ends with the value.
    ///
    /// # Errors
    /// ssh does not start.
    pub fn read(&self, host: &Host, argv: &[&str]) -> Result<Reading, Failure> {
        let session = Session::new(&host.key)?;
        let child = self.piped(host, &session, argv)?;
        Ok(Reading::new(child, session))
    }

    /// Waits until an instance that boots answers a command with one of `codes`, until `deadline` at
    /// most, and gives that answer. `noted` hears of what is in the way.
    ///
    /// # Errors
    /// What was in the way last, or what waiting does not mend: another host key, or a key that is
    /// refused for a while.
    pub async fn wait_until_reachable(
        &self,
        host: &Host,
        argv: &[&str],
        codes: &[i32],
        deadline: Instant,
        mut noted: impl FnMut(&Failure),
    ) -> Result<Output, Failure> {
        let mut refused = None;
        loop {
            let failure = match self.run(host, argv, &[], CONNECT * 2).await {
                Ok(output) if codes.contains(&output.code) => return Ok(output),
                Ok(output) => {
                    let words = one_line(&output.stderr);
                    let message = format!("{} ends with {}: {words}", argv.join(" "), output.code);
                    Failure::new(FailureClass::Unreachable, CALL, message)
                }
                Err(failure) => failure,
            };
            let waited = match failure.class {
                FailureClass::Denied => {
                    refused.get_or_insert_with(Instant::now).elapsed() < REFUSED
                }
                class => class.is_retryable(),
            };
            noted(&failure);
            if !waited || Instant::now() + PAUSE >= deadline {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Begins a command without a terminal, whose input and output are ours.
    fn piped(&self, host: &Host, session: &Session, argv: &[&str]) -> Result<Child, Failure> {
        let mut ssh = self.command(host, session)?;
        ssh.arg("-T").arg("--").arg(&host.address);
        ssh.arg(shell_words::join(argv));
        ssh.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is for Seatbox, which lets what is under way end.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| ssh_said::not_started(&error))
    }

    fn command(&self, host: &Host, session: &Session) -> Result<Command, Failure> {
        if let Some(parent) = self.known_hosts.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
            made.map_err(|error| no_file(parent, &error))?;
        }
        let mut ssh = Command::new("ssh");
        if let Some(config) = &self.config {
            ssh.arg("-F").arg(config);
        }
        // What is elsewhere is a participant's machine: it gets nothing of this one.
        ssh.args(["-a", "-x"]);
        unattended(&mut ssh, CONNECT);
        for option in [
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "PreferredAuthentications=publickey",
            "StrictHostKeyChecking=accept-new",
            "GlobalKnownHostsFile=/dev/null",
            "UpdateHostKeys=no",
            "HashKnownHosts=no",
            "ClearAllForwardings=yes",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "EscapeChar=none",
            "LogLevel=INFO",
        ] {
            ssh.args(["-o", option]);
        }
        let known_hosts = quoted(&self.known_hosts)?;
        ssh.arg("-o")
            .arg(format!("UserKnownHostsFile={known_hosts}"));
        ssh.arg("-o").arg(format!("HostKeyAlias={}", host.id));
        let identity = quoted(&session.key())?;
        ssh.arg("-o").arg(format!("IdentityFile={identity}"));
        ssh.arg("-E").arg(session.log());
        ssh.args(["-l", &host.user]);
        Ok(ssh)
    }
}

/// What one ssh needs while it runs: its key, and a place for what it says itself, apart from what
/// the command writes. Gone with this value.
pub(super) struct Session(TempDir);

impl Session {
    fn new(key: &SshKey) -> Result<Self, Failure> {
        // In memory where there is such a place, which a logged-in user's runtime directory is.
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let parent = runtime.filter(|path| path.is_dir());
        let parent = parent.unwrap_or_else(std::env::temp_dir);
        let directory = private_directory(&parent).map_err(|error| no_file(&parent, &error))?;
        let session = Self(directory);
        let path = session.key();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(key.private().as_bytes()))
            .map_err(|error| no_file(&path, &error))?;
        Ok(session)
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key")
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }

    /// The command's exit code, unless it is ssh that failed.
    pub(super) fn code(
        &self,
        status: io::Result<std::process::ExitStatus>,
    ) -> Result<i32, Failure> {
        let status = status
            .map_err(|error| Failure::new(FailureClass::Connection, CALL, error.to_string()))?;
        let said = std::fs::read(self.log()).unwrap_or_default();
        match status.code() {
            Some(SSH_FAILED) => match ssh_said::failure(&said) {
                Some(failure) => Err(failure),
                None => Ok(SSH_FAILED),
            },
            Some(code) => Ok(code),
            None => {
                let message = format!("ssh ended with {status}");
                Err(Failure::new(FailureClass::Connection, CALL, message))
            }
        }
    }
}

/// Reads to the end, and keeps the beginning.
pub(super) async fn keep(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else {
        return kept;
    };
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = LONGEST_OUTPUT - kept.len();
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}

/// A path as ssh's settings have it: `%` begins a token there, `$` a variable, and blanks separate.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| {
        !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '\\' | '$'))
    });
    let text = text.ok_or_else(|| {
        let message = format!("ssh can't be given the path {}", path.display());
        Failure::new(FailureClass::Invalid, CALL, message)
    })?;
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

fn no_file(path: &Path, error: &io::Error) -> Failure {
    let message = format!("can't write {}: {error}", path.display());
    Failure::new(FailureClass::Invalid, CALL, message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::SeatNumber;
    use crate::secret::EventKey;

    #[test]
    fn a_key_is_on_disk_for_its_owner_alone_and_as_long_as_ssh_runs() {
        let key = EventKey::from_bytes([1; 32]);
        let key = SshKey::derive(&key, &"lab".parse().unwrap(), SeatNumber::FIRST, 0);
        let session = Session::new(&key).unwrap();
        let path = session.key();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        drop(session);
        assert!(!path.parent().unwrap().exists());
    }

    #[test]
    fn paths_are_written_as_ssh_reads_them() {
        let quoted = |path: &str| quoted(Path::new(path)).ok();
        assert_eq!(quoted("/a b/50%").as_deref(), Some("\"/a b/50%%\""));
        for strange in ["/a\"b", "/a\nb", "/${HOME}", "/a\\b"] {
            assert_eq!(quoted(strange), None, "{strange}");
        }
    }
}
