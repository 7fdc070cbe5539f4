//! Whether there is room on a disk, before anything is written to it.

use std::path::Path;

use bollard::models::SystemInfo;

use super::error::{Error, Result};

/// How many bytes are free for us on the file system of `path`, where that can be told.
pub fn free(path: &Path) -> Option<u64> {
    let room = rustix::fs::statvfs(path).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Refuses what does not fit: `needed` bytes for `what`, on the file system of `path`.
pub fn check(path: &Path, needed: u64, what: &str) -> Result {
    match free(path) {
        Some(free) if free < needed => Err(Error::refused(
            format!(
                "{what} needs {} on the disk of {}, and {} are free",
                bytes(needed),
                path.display(),
                bytes(free)
            ),
            "make room there, or use another disk",
        )),
        _ => Ok(()),
    }
}

/// Refuses an engine that keeps images in containerd's store: it knows them by other digests than
/// those of their configurations, and compressed.
pub fn check_store(info: &SystemInfo) -> Result {
    // As `docker info` shows it: `driver-type: io.containerd.snapshotter.v1`.
    let status = info.driver_status.iter().flatten().flatten();
    if status
        .clone()
        .any(|word| word.contains("io.containerd.snapshotter"))
    {
        return Err(Error::refused(
            "the engine keeps images in containerd's store, which bundles do not work with yet",
            "turn it off in the engine's daemon.json: {\"features\": {\"containerd-snapshotter\": false}}",
        ));
    }
    Ok(())
}

/// A size for people.
pub fn bytes(count: u64) -> String {
    bytesize::ByteSize::b(count).display().si().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_with_containerds_store_is_told_from_others() {
        let info = |kind: &str| SystemInfo {
            driver_status: Some(vec![vec!["driver-type".to_owned(), kind.to_owned()]]),
            ..SystemInfo::default()
        };
        check_store(&info("extfs")).unwrap();
        check_store(&SystemInfo::default()).unwrap();
        check_store(&info("io.containerd.snapshotter.v1")).unwrap_err();
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let directory = tempfile::tempdir().unwrap();
        check(directory.path(), 1, "a byte").unwrap();
        let error = check(directory.path(), u64::MAX, "everything").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("needs 18.4 EB"), "{text}");
        assert!(text.contains("are free"), "{text}");
    }
}
