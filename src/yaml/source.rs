//! Reading a file that somebody named, whatever it turns out to be.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::Place;
use crate::diagnostic::Diagnostic;

/// The largest file that is read, in bytes: 1 MiB, a hundred times what a large stack needs.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A file's text, with the name it is known by in messages.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's path as it was given.
    pub name: Arc<str>,
    /// What is in it, without a byte order mark.
    pub text: Arc<str>,
}

impl Source {
    /// A source of that name and text. A byte order mark at the begin is left out.
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.into(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).into(),
        }
    }
}

/// Reads the text of the file at `path`.
///
/// # Errors
/// One diagnostic where there is no such file, where it is not a regular file, is larger than
/// [`MAX_FILE_BYTES`], is not UTF-8 or can't be read. Nothing of this can block: what is not a
/// regular file is never read from.
pub fn read(path: &Path) -> Result<Source, Diagnostic> {
    let name = path.display().to_string();
    let bytes = read_bytes(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message =
            format!("the file is not UTF-8 text: line {line} has a byte that can't be read");
        Diagnostic::new(
            "file::not-utf8",
            message,
            Place::File(Arc::from(name.as_str())),
        )
        .with_hint("save it as UTF-8; an editor may call this \"encoding\"")
    })?;
    Ok(Source::new(&name, text))
}

/// Reads the bytes of the file at `path`.
///
/// # Errors
/// As [`read`], but for the text.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let problem = |code, message: String| {
        let name = path.display().to_string();
        Diagnostic::new(code, message, Place::File(Arc::from(name)))
    };
    bounded_bytes(path).map_err(|error| match error {
        ReadError::NotAFile(what) => {
            problem("file::not-a-file", format!("expected a file, found {what}"))
        }
        ReadError::TooLarge => problem(
            "file::too-large",
            format!("the file is larger than {} KiB", MAX_FILE_BYTES / 1024),
        ),
        ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            problem("file::missing", "there is no such file".to_owned())
        }
        ReadError::Io(error) => problem("file::unreadable", format!("it can't be read: {error}")),
    })
}

enum ReadError {
    NotAFile(&'static str),
    TooLarge,
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn bounded_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    // Looked at before it is opened, for opening alone can have effects on a device; and again
    // afterwards, for it may have been exchanged in between. NONBLOCK is for that case: a FIFO
    // would wait for its writer.
    check(&std::fs::metadata(path)?)?;
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits();
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock.cast_signed())
        .open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

fn check(metadata: &std::fs::Metadata) -> Result<(), ReadError> {
    if !metadata.is_file() {
        return Err(ReadError::NotAFile(kind(metadata.file_type())));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(())
}

fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a named pipe"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &Path) -> &'static str {
        read(path).unwrap_err().code
    }

    #[test]
    fn a_byte_order_mark_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bom.yaml");
        std::fs::write(&path, "\u{feff}name: a\n").unwrap();
        assert_eq!(&*read(&path).unwrap().text, "name: a\n");
    }

    #[test]
    fn whatever_is_not_a_small_text_file_has_an_error_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let largest = usize::try_from(MAX_FILE_BYTES).unwrap();
        assert!(read(&file("largest", &vec![b'#'; largest])).is_ok());
        assert_eq!(
            code(&file("large", &vec![b'#'; largest + 1])),
            "file::too-large"
        );
        assert_eq!(
            code(&file("latin1", b"a: b\nn: M\xfcller")),
            "file::not-utf8"
        );
        assert_eq!(code(dir.path()), "file::not-a-file");
        assert_eq!(code(Path::new("/dev/zero")), "file::not-a-file");
        assert_eq!(code(&dir.path().join("missing")), "file::missing");
        assert_eq!(code(&file("f", b"").join("below")), "file::unreadable");
    }

    #[test]
    fn a_file_of_100_megabytes_is_refused_by_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge.yaml");
        File::create(&path).unwrap().set_len(100_000_000).unwrap();
        assert_eq!(code(&path), "file::too-large");
    }

    #[test]
    fn a_fifo_and_a_socket_do_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
        assert!(read(&fifo).unwrap_err().message.contains("named pipe"));
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(read(&socket).unwrap_err().message.contains("socket"));
    }
}
