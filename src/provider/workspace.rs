//! Where a workspace's first files come from: a directory, or a git repository cloned once a run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::files;
use crate::engine::{Failure, FailureClass};
use crate::model::Service;
use crate::model::environment::WorkspaceFiles;

/// How long one git command may take. A host that answers nothing would hold up every seat.
const GIT_PATIENCE: Duration = Duration::from_secs(180);

/// The workspace's first files, packed once for all seats of a run.
#[derive(Debug, Default)]
pub struct WorkspaceSource {
    archive: OnceCell<Result<Bytes, Failure>>,
}

impl WorkspaceSource {
    /// The archive of the files, all of them owned by `owner`. It is made when it is first asked
    /// for; where that fails, it has failed for every seat.
    pub async fn archive(
        &self,
        files: &WorkspaceFiles,
        owner: (u64, u64),
    ) -> Result<Bytes, Failure> {
        self.archive
            .get_or_init(|| async move {
                match files {
                    WorkspaceFiles::Directory(path) => pack(path.clone(), owner).await,
                    WorkspaceFiles::Git { url, revision } => {
                        let directory = clone(url, revision.as_deref()).await?;
                        pack(directory.path().to_owned(), owner).await
                    }
                }
            })
            .await
            .clone()
    }
}

async fn pack(directory: PathBuf, owner: (u64, u64)) -> Result<Bytes, Failure> {
    let shown = directory.display().to_string();
    let packed =
        tokio::task::spawn_blocking(move || files::workspace(Path::new(&directory), owner));
    match packed.await {
        Ok(Ok(archive)) => Ok(archive.into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
    .map_err(|error| {
        Failure::new(
            FailureClass::Invalid,
            "pack workspace",
            format!("can't pack {shown}: {error}"),
        )
    })
}

/// Clones a repository to a temporary directory, at that revision.
pub async fn clone(url: &str, revision: Option<&str>) -> Result<TempDir, Failure> {
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
        .output();
    let output = tokio::time::timeout(GIT_PATIENCE, output)
        .await
        .map_err(|_| {
            let seconds = GIT_PATIENCE.as_secs();
            failed(
                FailureClass::Invalid,
                format!("git did not end within {seconds} s"),
            )
        })?
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

/// Who owns a workspace's first files (user, group): the service's user, where it is given in numbers.
pub fn owner_of(service: &Service) -> (u64, u64) {
    let Some(user) = service.user.as_ref().and_then(|user| user.as_literal()) else {
        return (0, 0);
    };
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let user = user.parse().unwrap_or(0);
    (user, group.parse().unwrap_or(user))
}
