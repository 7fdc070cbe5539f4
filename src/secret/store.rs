//! Where an event key lies: one file an environment, for its owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use super::{EventKey, KeyError};
use crate::model::EnvironmentName;

/// More than a key's file ever has, so that a wrong file is not read to its end.
const LONGEST_FILE: u64 = 1024;

/// Permission bits that nobody but the owner may have.
const OTHERS: u32 = 0o077;

/// Where the key of `environment` is kept: `$XDG_STATE_HOME/seatbox/<environment>.key`, or under
/// `~/.local/state` where that variable is not set. `variable` gives the process's environment.
///
/// # Errors
/// [`KeyError::NoHome`] where neither `XDG_STATE_HOME` nor `HOME` is an absolute path.
pub fn key_path(
    environment: &EnvironmentName,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<PathBuf, KeyError> {
    // The XDG base directory specification: a path that is not absolute is to be ignored.
    let directory = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = directory("XDG_STATE_HOME")
        .or_else(|| directory("HOME").map(|home| home.join(".local/state")))
        .ok_or(KeyError::NoHome)?;
    Ok(state.join("seatbox").join(format!("{environment}.key")))
}

/// The key at `path`.
///
/// # Errors
/// [`KeyError::Missing`], [`KeyError::Exposed`] where others may read it,
/// [`KeyError::MalformedFile`], or what the operating system says.
pub fn load(path: &Path) -> Result<EventKey, KeyError> {
    let io = |source| KeyError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    // Without blocking, so that a pipe of that name is refused and not waited for.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|source| match source.kind() {
            ErrorKind::NotFound => KeyError::Missing {
                path: path.to_owned(),
            },
            _ => io(source),
        })?;
    let metadata = file.metadata().map_err(io)?;
    let malformed = |problem| KeyError::MalformedFile {
        path: path.to_owned(),
        problem,
    };
    if !metadata.is_file() {
        return Err(malformed("it is not a file"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_FILE as usize));
    file.take(LONGEST_FILE)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not text"))?;
    EventKey::parse(text).map_err(|error| match error {
        KeyError::Malformed { problem } => malformed(problem),
        other => other,
    })
}

/// The key at `path`, made where there is none yet. Of several processes that do this at once, all
/// get the same key.
///
/// # Errors
/// As [`load`]; a file that is there and holds no key is never replaced.
pub fn load_or_create(path: &Path) -> Result<EventKey, KeyError> {
    match load(path) {
        Err(KeyError::Missing { .. }) => {}
        found => return found,
    }
    let key = EventKey::generate()?;
    match written_beside(&key, path)?.persist_noclobber(path) {
        Ok(_) => {
            sync_directory(path);
            Ok(key)
        }
        // Another process was first: its key is the environment's.
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => load(path),
        Err(failed) => Err(KeyError::Io {
            action: "create",
            path: path.to_owned(),
            source: failed.error,
        }),
    }
}

/// Puts `key` at `path`. The same key there already is no error; another one is, unless
/// `overwrite`.
///
/// # Errors
/// [`KeyError::Different`], whatever keeps a key that is there from being read (unless
/// `overwrite`), or what the operating system says.
pub fn import(path: &Path, key: &EventKey, overwrite: bool) -> Result<(), KeyError> {
    let io = |source| KeyError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let file = written_beside(key, path)?;
    if overwrite {
        file.persist(path).map_err(|failed| io(failed.error))?;
        sync_directory(path);
        return Ok(());
    }
    match file.persist_noclobber(path) {
        Ok(_) => {
            sync_directory(path);
            Ok(())
        }
        Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => {
            let existing = load(path)?;
            if existing == *key {
                return Ok(());
            }
            Err(KeyError::Different {
                path: path.to_owned(),
                existing: existing.fingerprint(),
                imported: key.fingerprint(),
            })
        }
        Err(failed) => Err(io(failed.error)),
    }
}

/// The key in a temporary file of mode 0600 in the directory of `path`, which is made where it is
/// missing.
fn written_beside(key: &EventKey, path: &Path) -> Result<NamedTempFile, KeyError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let io = |source| KeyError::Io {
        action: "write in",
        path: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(io)?;
    // Made with O_EXCL and mode 0600, and gone again where anything below fails.
    let mut file = NamedTempFile::new_in(directory).map_err(io)?;
    writeln!(file, "{}", key.export().expose_secret()).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    Ok(file)
}

/// Makes a new name survive a power cut. Where the file system can't, the key is there all the
/// same.
fn sync_directory(path: &Path) {
    if let Some(directory) = path.parent()
        && let Ok(directory) = File::open(directory)
    {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_path_follows_the_xdg_specification() {
        let path = |variables: &'static [(&str, &str)]| {
            key_path(&"event".parse().unwrap(), |name| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        let home = ("HOME", "/home/lin");
        assert_eq!(
            path(&[("HOME", "/home/lin"), ("XDG_STATE_HOME", "/state")]).unwrap(),
            Path::new("/state/seatbox/event.key")
        );
        assert_eq!(
            path(&[("HOME", "/home/lin"), ("XDG_STATE_HOME", "relative")]).unwrap(),
            Path::new(home.1).join(".local/state/seatbox/event.key")
        );
        assert!(matches!(path(&[]), Err(KeyError::NoHome)));
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/seatbox/event.key");
        assert!(matches!(load(&path), Err(KeyError::Missing { .. })));
        let made = load_or_create(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(load_or_create(&path).unwrap(), made);
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "a temporary file was left");
    }

    #[test]
    fn all_who_make_a_key_at_once_get_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.key");
        let barrier = std::sync::Barrier::new(16);
        let keys: Vec<EventKey> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        load_or_create(&path).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let on_disk = load(&path).unwrap();
        assert!(keys.iter().all(|key| *key == on_disk));
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.key");
        load_or_create(&path).unwrap();
        for bits in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(
                error.to_string().contains(&format!("{bits:03o}")),
                "{error}"
            );
            let help = miette::Diagnostic::help(&error).unwrap().to_string();
            assert_eq!(help, format!("run: chmod 600 '{}'", path.display()));
        }
    }

    #[test]
    fn a_file_that_holds_no_key_is_an_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.key");
        for content in [&b""[..], b"hunter2", b"\xff\xfe", &[b'a'; 100_000]] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(matches!(error, KeyError::MalformedFile { .. }), "{error}");
            assert!(!error.to_string().contains("hunter2"));
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(load_or_create(&path).is_err());
    }

    #[test]
    fn a_pipe_in_the_place_of_a_key_is_refused_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.key");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::from_raw_mode(0o600),
        )
        .unwrap();
        let error = load(&path).unwrap_err();
        assert!(matches!(error, KeyError::MalformedFile { .. }), "{error}");
    }

    #[test]
    fn an_import_replaces_another_key_only_when_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sub/event.key");
        let (first, second) = (EventKey::generate().unwrap(), EventKey::generate().unwrap());
        import(&path, &first, false).unwrap();
        assert_eq!(mode(&path), 0o600);
        import(&path, &first, false).unwrap();
        let error = import(&path, &second, false).unwrap_err().to_string();
        assert!(error.contains(&first.fingerprint()) && error.contains(&second.fingerprint()));
        assert_eq!(load(&path).unwrap(), first);
        import(&path, &second, true).unwrap();
        assert_eq!(load(&path).unwrap(), second);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
