//! A real SSH server on a port of its own, and the settings with which every host is this one.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seatbox::provider::aws::ec2::ssh::{Host, Ssh};
use seatbox::secret::SshKey;

use crate::support::desk::{Desk, run};

const PROGRAM: &str = "/usr/sbin/sshd";

/// The server, ended with this value.
pub struct Sshd {
    desk: Desk,
    port: u16,
    server: Option<Child>,
}

impl Sshd {
    /// A server that lets that key in, not yet started.
    pub fn new(key: &SshKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sshd = Self {
            desk: Desk::new(),
            port,
            server: None,
        };
        sshd.desk.write("authorized_keys", key.public());
        sshd.desk.write(
            "client",
            format!("Host *\n    HostName 127.0.0.1\n    Port {port}\n"),
        );
        let path = |name| sshd.desk.path(name).display().to_string();
        sshd.desk.write(
            "server",
            format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
                 SetEnv PATH={}:/usr/local/bin:/usr/bin:/bin\n",
                path("host_key"),
                path("authorized_keys"),
                path("bin"),
            ),
        );
        sshd.new_host_key();
        sshd
    }

    /// Gives the server another host key, as another machine has.
    pub fn new_host_key(&self) {
        let key = self.desk.path("host_key");
        let _ = std::fs::remove_file(&key);
        let mut keygen = Command::new("ssh-keygen");
        keygen
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key);
        run(&mut keygen).exits(0);
    }

    /// Starts it, and waits until it listens.
    pub fn start(&mut self) {
        // Where a server that began as root keeps its children; a service of Debian's makes it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let log = std::fs::File::create(self.desk.path("log")).unwrap();
        let server = Command::new(PROGRAM)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(self.desk.path("server"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{PROGRAM}: {error} (Debian: openssh-server)"));
        self.server = Some(server);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(self.desk.path("log")).unwrap();
            assert!(Instant::now() < deadline, "sshd does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// A directory that a session finds its commands in first.
    pub fn bin(&self) -> PathBuf {
        self.desk.path("bin")
    }

    /// The client's side: every address is this server.
    pub fn ssh(&self) -> Ssh {
        Ssh {
            known_hosts: self.desk.path("state dir/lab.known_hosts"),
            config: Some(self.desk.path("client")),
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An instance of that id. Only this machine's own user can be logged in as.
pub fn host(id: &str, key: &SshKey) -> Host {
    let user = run(Command::new("id").arg("-un")).exits(0).stdout;
    Host {
        address: "ec2-192-0-2-7.example".to_owned(),
        id: id.to_owned(),
        user: user.trim().to_owned(),
        key: key.clone(),
    }
}
