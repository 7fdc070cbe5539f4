//! The directory that a save works in, beside where the bundle will be, and what killed saves left
//! of theirs.

use std::fs::{File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::TempDir;

use super::error::{Error, Result};

/// What the names of such directories begin with.
const PREFIX: &str = ".seatbox-save-";
/// How often another save may take a new directory for one that was left.
const ATTEMPTS: usize = 10;

/// A directory that goes when this is dropped. It is locked for as long as it is used: the lock of a
/// process that was killed goes with it.
#[derive(Debug)]
pub struct Scratch {
    // Dropped first: what is deleted is locked.
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    /// A new one, that nobody else can read.
    ///
    /// # Errors
    ///
    /// Where none can be made.
    pub fn new(parent: &Path) -> Result<Self> {
        let make = || {
            let directory = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(parent)?;
            let lock = open(directory.path())?;
            // Where there are no locks, nobody deletes it either.
            let _ = lock.lock();
            let made = lock.metadata()?;
            let there = directory.path().symlink_metadata();
            let is_there = there.is_ok_and(|there| same(&there, &made));
            Ok::<_, io::Error>(is_there.then_some(Self {
                directory,
                _lock: lock,
            }))
        };
        let failed = || Error::io(parent.display());
        for _ in 0..ATTEMPTS {
            match make() {
                Ok(Some(scratch)) => return Ok(scratch),
                // Between its making and its locking, it was like one that was left.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && parent.is_dir() => {}
                Err(error) => return Err(failed()(error)),
            }
        }
        Err(failed()(io::Error::other(
            "other saves delete what this one makes",
        )))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Deletes what saves into `parent` left there that are gone. Gives what a person should know.
pub fn clear(parent: &Path) -> Vec<String> {
    let entries = parent.read_dir().into_iter().flatten().flatten();
    let mut notices = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        let ours =
            |found: Metadata| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
        if !name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
            || !entry.metadata().is_ok_and(ours)
        {
            continue;
        }
        let path = entry.path();
        let gone = open(&path).map_err(TryLockError::Error);
        // Locked until it is deleted.
        let gone = gone.and_then(|directory| directory.try_lock().map(|()| directory));
        let path = path.display();
        match gone {
            Ok(_lock) => notices.push(match std::fs::remove_dir_all(entry.path()) {
                Ok(()) => format!("{path} was left by a save that was killed, and is deleted"),
                Err(error) => format!("{path} was left by a save that was killed: {error}"),
            }),
            // A save is at work in it.
            Err(TryLockError::WouldBlock) => {}
            // Another save has just deleted it.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(TryLockError::Error(_)) => notices.push(format!(
                "{path} may be left by a save that was killed: delete it if no save is at work"
            )),
        }
    }
    notices
}

/// Opens a directory, and nothing that leads to one.
fn open(directory: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(directory)
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_save_left_is_deleted_and_what_is_used_or_of_another_kind_stays() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        std::fs::create_dir_all(at(".seatbox-save-killed/blobs")).unwrap();
        std::fs::write(at(".seatbox-save-killed/blobs/x"), "x").unwrap();
        std::fs::create_dir(at("theirs")).unwrap();
        std::fs::write(at(".seatbox-save-file"), "x").unwrap();
        std::os::unix::fs::symlink("theirs", at(".seatbox-save-link")).unwrap();
        let used = Scratch::new(parent.path()).unwrap();
        let notices = clear(parent.path());
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(
            notices[0].contains(".seatbox-save-killed was left by"),
            "{notices:?}"
        );
        assert!(!at(".seatbox-save-killed").exists());
        for stays in ["theirs", ".seatbox-save-file", ".seatbox-save-link"] {
            assert!(at(stays).symlink_metadata().is_ok(), "{stays}");
        }
        let path = used.path().to_owned();
        assert!(path.is_dir());
        drop(used);
        assert!(!path.exists());
        assert!(clear(parent.path()).is_empty());
    }
}
