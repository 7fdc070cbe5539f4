//! Letting the machine come to rest between two timed runs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bollard::Docker;

use crate::Result;

/// So many deleted files are not felt.
const FEW: u64 = 2_000;

/// What is known of the engine's file system.
pub struct Settling {
    root: PathBuf,
    patience: Duration,
    free: Option<u64>,
    until: Option<Instant>,
}

impl Settling {
    /// For the file system of that engine.
    pub async fn new(docker: &Docker, patience: Duration) -> Result<Self> {
        let root = docker.info().await?.docker_root_dir.unwrap_or_default();
        Ok(Self {
            root: root.into(),
            patience,
            free: None,
            until: None,
        })
    }

    fn free(&self) -> Option<u64> {
        Some(rustix::fs::statvfs(&self.root).ok()?.f_ffree)
    }

    /// Something is about to be removed.
    pub fn before_removal(&mut self) {
        self.free = self.free();
    }

    /// It was: where that freed many inodes, or nobody can tell, time must pass.
    pub fn after_removal(&mut self) {
        // Of what is not on disk yet, ext4 lets five minutes more pass (RECENCY_MIN and
        // RECENCY_DIRTY in the kernel's fs/ext4/ialloc.c).
        rustix::fs::sync();
        let freed = match (self.free, self.free()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => u64::MAX,
        };
        if freed > FEW {
            self.until = Some(Instant::now() + self.patience);
        }
    }

    /// Waits until what was removed is not felt any more.
    pub async fn settle(&mut self) {
        rustix::fs::sync();
        if let Some(until) = self.until.take() {
            tokio::time::sleep_until(until.into()).await;
        }
        tokio::time::sleep(Duration::from_secs(2).min(self.patience)).await;
    }
}
