//! What every use of the user's own `ssh` has in common: its keys, agent and settings are ssh's
//! business, and what it is told besides is that nobody sits there to answer it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

/// Tells ssh to ask nothing, to share no connection, and to give up on who does not answer within
/// `patience`, or goes away later.
pub fn unattended(ssh: &mut Command, patience: Duration) {
    for option in [
        "BatchMode=yes",
        // A shared connection would outlive this one, and its forwardings with it.
        "ControlMaster=no",
        "ControlPath=none",
        // Who went away is noticed within a minute.
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ] {
        ssh.args(["-o", option]);
    }
    ssh.arg("-o")
        .arg(format!("ConnectTimeout={}", patience.as_secs().max(1)));
}

/// A temporary directory in `parent` that nobody else looks into, for as long as its value lives.
///
/// # Errors
/// What the operating system says.
pub fn private_directory(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("seatbox-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

/// What ssh said, on one line.
pub fn one_line(said: &[u8]) -> String {
    String::from_utf8_lossy(said)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
