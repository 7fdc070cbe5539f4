//! An instance's file system in a directory, with the scripts that user data brings.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use seatbox::model::SeatNumber;
use seatbox::provider::aws::ec2::guest_data::{GuestSettings, Launch, cloud_config};
use seatbox::secret::{EventKey, SshKey};
use serde::Deserialize;

use crate::support::desk::{Desk, Ran};

/// When the seats of these tests end at first: long past.
pub const EXPIRES: &str = "2020-01-01T00:00:00Z";

/// Commands that would change this machine. Each notes how it was called.
const STUBS: [&str; 8] = [
    "apt-get",
    "chown",
    "hostname",
    "shutdown",
    "sleep",
    "systemctl",
    "useradd",
    "usermod",
];

/// What cloud-init reads, as far as these tests do.
#[derive(Deserialize)]
pub struct CloudConfig {
    pub bootcmd: Vec<String>,
    pub write_files: Vec<File>,
}

#[derive(Deserialize)]
pub struct File {
    pub path: String,
    pub content: String,
}

/// The public keys of seats 3, 4 and 12.
pub fn seats() -> Vec<(SeatNumber, String)> {
    let key = EventKey::from_bytes([1; 32]);
    let name = "lab".parse().unwrap();
    [3, 4, 12]
        .map(|number| SeatNumber::new(number).unwrap())
        .map(|seat| (seat, SshKey::derive(&key, &name, seat, 0).public()))
        .to_vec()
}

/// The user data of those seats.
pub fn text(settings: &GuestSettings) -> String {
    cloud_config(&Launch {
        environment: &"lab".parse().unwrap(),
        seats: &seats(),
        expires: EXPIRES.parse().unwrap(),
        settings,
    })
}

/// Makes a file one that can be run.
pub fn make_executable(path: &Path) {
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// One instance.
pub struct Instance {
    /// Its file system, at `root`, and other commands than the real ones, at `bin`.
    pub desk: Desk,
}

impl Instance {
    /// One that has just been launched.
    pub fn new() -> Self {
        Self::with(&GuestSettings::default())
    }

    /// One with those settings.
    pub fn with(settings: &GuestSettings) -> Self {
        let desk = Desk::new();
        let config: CloudConfig = serde_yaml::from_str(&text(settings)).unwrap();
        for file in &config.write_files {
            desk.write(&format!("root{}", file.path), &file.content);
        }
        desk.write("root/boot.sh", &config.bootcmd[0]);
        for directory in [
            "etc/sudoers.d",
            "var/lib/seatbox",
            "var/log",
            "usr/local/bin",
        ] {
            std::fs::create_dir_all(desk.path(&format!("root/{directory}"))).unwrap();
        }
        let instance = Self { desk };
        instance.command("id", "exit 1");
        for name in STUBS {
            instance.command(name, "");
        }
        instance
    }

    /// Puts a shell script in the place of a command. It notes its call, and goes on so.
    pub fn command(&self, name: &str, script: &str) {
        let calls = self.desk.path("calls");
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >>'{}'\n{script}\n",
            calls.display()
        );
        let path = self.desk.write(&format!("bin/{name}"), text);
        make_executable(&path);
    }

    /// How those commands were called, one call a line.
    pub fn calls(&self) -> String {
        std::fs::read_to_string(self.desk.path("calls")).unwrap_or_default()
    }

    /// A script of the instance.
    pub fn script(&self, name: &str) -> Command {
        let path = match name {
            "boot" => self.at("boot.sh"),
            name => self.at(&format!("usr/local/sbin/seatbox-{name}")),
        };
        let real = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            .arg(path)
            .env(
                "PATH",
                format!("{}:{real}", self.desk.path("bin").display()),
            )
            .env("SEATBOX_ROOT", self.at(""))
            .env("SEATBOX_STATE", self.at("var/lib/seatbox"))
            // Nobody answers there.
            .env("SEATBOX_IMDS", "http://127.0.0.1:9");
        command
    }

    /// Runs a script with that input.
    pub fn feed(&self, name: &str, input: &[u8]) -> Ran {
        let mut command = self.script(name);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It need not read all of it.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran::new(&command, child.wait_with_output().unwrap())
    }

    /// A path in its file system.
    pub fn at(&self, path: &str) -> PathBuf {
        self.desk.path("root").join(path)
    }

    /// A file in it.
    pub fn read(&self, path: &str) -> String {
        let path = self.at(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
