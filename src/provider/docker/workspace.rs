//! Where a workspace's first files come from: a directory, or a git repository cloned once a run.

use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::engine::{Failure, FailureClass};
use crate::model::environment::WorkspaceFiles;

/// The workspace's first files on this machine.
#[derive(Debug, Default)]
pub struct WorkspaceSource {
    clone: OnceCell<TempDir>,
}

impl WorkspaceSource {
    /// The directory that holds them. A repository is cloned when it is first asked for, and the
    /// clone goes with this value.
    pub async fn directory(&self, files: &WorkspaceFiles) -> Result<PathBuf, Failure> {
        match files {
            WorkspaceFiles::Directory(path) => Ok(path.clone()),
            WorkspaceFiles::Git { url, revision } => self
                .clone
                .get_or_try_init(|| clone(url, revision.as_deref()))
                .await
                .map(|directory| directory.path().to_owned()),
        }
    }
}

async fn clone(url: &str, revision: Option<&str>) -> Result<TempDir, Failure> {
    let failed = |class, message: String| Failure::new(class, "clone workspace", message);
    let directory = tempfile::Builder::new()
        .prefix("seatbox-workspace-")
        .tempdir()
        .map_err(|error| failed(FailureClass::Capacity, error.to_string()))?;
    git(&directory, &["clone", "--quiet", "--", url, "."]).await?;
    if let Some(revision) = revision {
        let tree = format!("{revision}^{{commit}}");
        let remote = format!("origin/{revision}^{{commit}}");
        // A branch is only a remote one in a fresh clone.
        if git(&directory, &["checkout", "--quiet", "--detach", &tree])
            .await
            .is_err()
        {
            git(&directory, &["checkout", "--quiet", "--detach", &remote]).await?;
        }
    }
    Ok(directory)
}

async fn git(directory: &TempDir, arguments: &[&str]) -> Result<(), Failure> {
    let failed = |class, message: String| Failure::new(class, "clone workspace", message);
    let output = Command::new("git")
        .args(arguments)
        .current_dir(directory.path())
        // A question would wait for ever, in the middle of the progress bars.
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed(FailureClass::Invalid, format!("can't run git: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    Err(failed(
        FailureClass::Invalid,
        last.unwrap_or("git gave no reason").trim().to_owned(),
    )
    .with_hint("check workspace.files.git and its revision; git itself must be able to clone it"))
}
