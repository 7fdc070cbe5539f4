//! What the sides have in common: a directory of their own, and the way to AWS.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use crate::Result;
use crate::aws::client::REGION;
use crate::place::Place;

/// Instances of the emulator let nobody in: this says at once what `ssh` says of one that is ready.
const SSH: &str = "#!/bin/sh\nexec cat >/dev/null\n";

/// Where one run has its files.
pub struct Setting {
    directory: TempDir,
}

impl Setting {
    /// Writes what a run needs.
    pub fn new(place: Place, seats: u32) -> Result<Self> {
        let directory = TempDir::with_prefix("seatbox-race-aws-")?;
        let setting = Self { directory };
        let provider = place.provider();
        std::fs::write(setting.path("stack.yaml"), place.stack())?;
        std::fs::write(
            setting.path("seatbox.yaml"),
            format!(
                "version: 1\nname: race\nseats: {{count: {seats}}}\nlifetime: 2h\n\
                 provider: {provider}\nstack: stack.yaml\n\
                 aws: {{region: {REGION}, venue: [203.0.113.0/24]}}\n"
            ),
        )?;
        std::fs::create_dir(setting.path("bin"))?;
        let ssh = setting.path("bin/ssh");
        std::fs::write(&ssh, SSH)?;
        std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755))?;
        Ok(setting)
    }

    /// A path among its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that finds AWS at `url`, and no settings from outside; the peak of its memory, in
    /// KiB, goes to the file `usage`.
    pub fn command(&self, words: &[String], url: &str) -> Result<Command> {
        let mut command = Command::new("/usr/bin/time");
        command.args(["--format", "%M", "--output"]);
        command.arg(self.path("usage")).args(words);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
            let prefixes = ["SEATBOX", "AWS_", "ANSIBLE_", "PYTHON"];
            if is_proxy || prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        let path = std::env::var("PATH")?;
        command
            .current_dir(self.directory.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.directory.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1")
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("LC_ALL", "C.UTF-8")
            .kill_on_drop(true);
        Ok(command)
    }

    /// The peak of the last command's memory, in KiB.
    pub fn peak_kib(&self) -> Result<u64> {
        let text = std::fs::read_to_string(self.path("usage"))?;
        Ok(text.trim().parse()?)
    }
}
