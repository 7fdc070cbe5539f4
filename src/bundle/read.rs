//! Reading a bundle, and believing nothing of it that was not checked.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::manifest::{self, BLOBS, Blob, FileEntry, Manifest};
use super::room;

/// What every zstd stream begins with (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The longest name that an entry of its own carries, a zero byte at its end among it.
const MAX_NAME: u64 = 4097;
/// How much of an archive's end may be empty: tar fills up its last record, GNU's to 10 KiB.
const MAX_END: u64 = 10 << 10;

/// A bundle whose manifest was read. Its file stays open: what was checked is what is used.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    file: File,
    /// The file's size in bytes.
    pub size: u64,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The digest of that, with `sha256:`.
    pub digest: String,
}

/// Something in a bundle.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A file of the environment.
    File(&'a FileEntry),
    /// A layer or a configuration.
    Blob(&'a Blob),
}

/// How much of a bundle is walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The environment's files, which come first.
    Files,
    /// All of it, to the last byte.
    Whole,
}

/// Whether the file at `path` is a bundle and no environment file, as its first bytes tell.
pub fn is_bundle(path: &Path) -> bool {
    let mut begin = [0; MAGIC.len()];
    let read = open(path).and_then(|file| (&file).read_exact(&mut begin));
    read.is_ok() && begin == MAGIC
}

/// Opens a regular file and nothing else: a pipe would be waited for.
fn open(path: &Path) -> io::Result<File> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

impl Bundle {
    /// Opens the bundle at `path` and reads its manifest.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where it is none, or one that this program can't use.
    pub fn open(path: &Path) -> Result<Self> {
        let file = open(path).map_err(|error| {
            let message = format!("the bundle {} can't be read: {error}", path.display());
            Error::refused(message, "`seatbox images save` writes one")
        })?;
        let size = file.metadata().map_err(Error::io(path.display()))?.len();
        let reading = Reading { path, total: None };
        let bytes = reading.manifest(&file, size)?;
        let manifest = Manifest::parse(&bytes).map_err(|problem| {
            let hint = if problem.contains("of version") {
                "use the seatbox that saved it, or save it anew"
            } else {
                ANEW
            };
            Error::refused(format!("{}: {problem}", path.display()), hint)
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
            digest: manifest::digest(&bytes),
            manifest,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its file's name, for people.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.display().to_string()
    }

    /// Goes through the bundle. Each item must be the one that the manifest names next, regular, of
    /// that size and digest; `visit` may read it, and must keep what it read to itself until this
    /// returns. Every byte that is read is told to `advance`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where anything is not as the manifest says, and whatever `visit` or
    /// `advance` say.
    pub fn walk(
        &self,
        part: Part,
        advance: &mut dyn FnMut(u64) -> Result,
        visit: &mut dyn FnMut(Item<'_>, &mut dyn Read) -> Result,
    ) -> Result {
        let reading = Reading {
            path: &self.path,
            total: Some(self.manifest.bytes),
        };
        let mut walk = Walk {
            reading,
            done: 0,
            advance,
        };
        let decoder = walk.reading.decoder(&self.file)?;
        let mut archive = tar::Archive::new(decoder);
        let mut entries = walk.reading.entries(&mut archive)?;
        let bytes = walk.reading.next_manifest(&mut entries)?;
        if manifest::digest(&bytes) != self.digest {
            return Err(walk
                .reading
                .refused("it changed while it was being read", ANEW));
        }
        for file in &self.manifest.files {
            walk.item(
                &mut entries,
                &file.path,
                file.size,
                &file.sha256,
                &mut |content| visit(Item::File(file), content),
            )?;
        }
        if part == Part::Files {
            return Ok(());
        }
        for blob in &self.manifest.blobs {
            let path = format!("{BLOBS}/{}", blob.sha256);
            walk.item(
                &mut entries,
                &path,
                blob.size,
                &blob.sha256,
                &mut |content| visit(Item::Blob(blob), content),
            )?;
        }
        if let Some(entry) = entries.next() {
            let entry = entry.map_err(|error| walk.damaged(error))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let message = format!(
                "it has `{}`, which its manifest does not name",
                name.escape_debug()
            );
            return Err(walk.reading.refused(&message, ANEW));
        }
        walk.end(archive.into_inner())
    }
}

const ANEW: &str = "copy it anew, or save it anew with `seatbox images save`";

type Decoder<'a> = zstd::Decoder<'a, BufReader<At<'a>>>;
type Entry<'a, 'f> = tar::Entry<'a, Decoder<'f>>;
type Entries<'a, 'f> = tar::Entries<'a, Decoder<'f>>;

/// A file read from its begin, whatever others read of it.
struct At<'a> {
    file: &'a File,
    place: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

/// One reading of a bundle.
struct Reading<'p> {
    path: &'p Path,
    /// How many bytes all its items have, once that is known.
    total: Option<u64>,
}

impl Reading<'_> {
    fn refused(&self, problem: &str, hint: &str) -> Error {
        Error::refused(format!("{}: {problem}", self.path.display()), hint)
    }

    fn decoder<'f>(&self, file: &'f File) -> Result<Decoder<'f>> {
        let decoder = zstd::Decoder::new(At { file, place: 0 });
        // One stream and no more: whatever follows it is no part of what was saved.
        Ok(decoder
            .map_err(Error::io(self.path.display()))?
            .single_frame())
    }

    fn entries<'a, 'f>(
        &self,
        archive: &'a mut tar::Archive<Decoder<'f>>,
    ) -> Result<Entries<'a, 'f>> {
        let entries = archive.entries();
        // Raw: the crate would read an extended header of any size into memory.
        Ok(entries.map_err(Error::io(self.path.display()))?.raw(true))
    }

    /// The manifest, read on its own.
    fn manifest(&self, file: &File, size: u64) -> Result<Vec<u8>> {
        if size == 0 {
            return Err(self.refused("the file is empty", ANEW));
        }
        let mut begin = [0; MAGIC.len()];
        if file.read_exact_at(&mut begin, 0).is_err() || begin != MAGIC {
            let hint = "`seatbox images save` writes one";
            return Err(self.refused("this is no bundle", hint));
        }
        let mut archive = tar::Archive::new(self.decoder(file)?);
        let mut entries = self.entries(&mut archive)?;
        self.next_manifest(&mut entries)
    }

    fn next_manifest(&self, entries: &mut Entries<'_, '_>) -> Result<Vec<u8>> {
        let damaged = |error: io::Error| self.damaged(error, 0);
        let mut entry = match entries.next() {
            Some(entry) => entry.map_err(damaged)?,
            None => return Err(self.refused("nothing is in it", ANEW)),
        };
        let regular = entry.header().entry_type() == tar::EntryType::Regular;
        if &*entry.path_bytes() != manifest::NAME.as_bytes() || !regular {
            return Err(self.refused("this is no bundle: it begins with no manifest", ANEW));
        }
        let size = entry.size();
        if size > manifest::MAX_BYTES {
            let problem = format!(
                "its manifest would have {}; {} is the most",
                room::bytes(size),
                room::bytes(manifest::MAX_BYTES)
            );
            return Err(self.refused(&problem, ANEW));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 != size {
            return Err(self.damaged(io::ErrorKind::UnexpectedEof.into(), 0));
        }
        Ok(bytes)
    }

    /// What an error while reading says of the bundle; `done` bytes of its items were good.
    fn damaged(&self, error: io::Error, done: u64) -> Error {
        // The operating system's own errors have a number; the others are about what was read.
        if error.raw_os_error().is_some() {
            return Error::Io(self.path.display().to_string(), error);
        }
        let ended = error.kind() == io::ErrorKind::UnexpectedEof;
        let message = match (self.total, ended) {
            (Some(all), true) => format!(
                "it is cut off: {} of {} are there",
                room::bytes(done),
                room::bytes(all)
            ),
            (None, true) => "it is cut off within its manifest".to_owned(),
            (Some(all), false) => format!(
                "it is damaged, after {} of {}: {error}",
                room::bytes(done),
                room::bytes(all)
            ),
            (None, false) => format!("it is damaged within its manifest: {error}"),
        };
        self.refused(&message, ANEW)
    }
}

/// A reading, and how far it is.
struct Walk<'a> {
    reading: Reading<'a>,
    done: u64,
    advance: &'a mut dyn FnMut(u64) -> Result,
}

impl Walk<'_> {
    fn damaged(&self, error: io::Error) -> Error {
        self.reading.damaged(error, self.done)
    }

    /// The next entry, which must be the one of that name and size, and its content, which must
    /// have that digest.
    fn item(
        &mut self,
        entries: &mut Entries<'_, '_>,
        path: &str,
        size: u64,
        sha256: &str,
        visit: &mut dyn FnMut(&mut dyn Read) -> Result,
    ) -> Result {
        let (name, mut entry) = self.next(entries, path)?;
        let regular = entry.header().entry_type() == tar::EntryType::Regular;
        if name != path.as_bytes() || !regular || entry.size() != size {
            let name = String::from_utf8_lossy(&name).into_owned();
            let what = if regular {
                ""
            } else {
                ", which is no plain file"
            };
            let message = format!(
                "it has `{}` of {} bytes{what} where its manifest has `{path}` of {size} bytes",
                name.escape_debug(),
                entry.size()
            );
            return Err(self.reading.refused(&message, ANEW));
        }
        let mut stopped = Ok(());
        let mut content = Checked {
            entry: &mut entry,
            hash: Sha256::new(),
            read: 0,
            failed: None,
            advance: &mut |bytes| {
                (self.advance)(bytes).map_err(|error| {
                    stopped = Err(error);
                    io::Error::other("stopped")
                })
            },
        };
        let visited = visit(&mut content);
        // What the visitor left is read too, for the digest.
        let drained = match &visited {
            Ok(()) => io::copy(&mut content, &mut io::sink()).map(|_| ()),
            Err(_) => Ok(()),
        };
        let (read, failed) = (content.read, content.failed.take());
        let digest = crate::hex(&content.hash.finalize());
        stopped?;
        self.done += read;
        if let Some(error) = failed {
            return Err(self.damaged(error));
        }
        visited?;
        drained.map_err(|error| self.damaged(error))?;
        if read != size {
            return Err(self.damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        if digest != sha256 {
            let message = format!(
                "`{path}` is not what was saved: its digest is {digest}, and the manifest has \
                 {sha256}"
            );
            return Err(self.reading.refused(&message, ANEW));
        }
        Ok(())
    }

    /// The next entry with its name, which another entry before it holds where it is long.
    fn next<'a, 'f>(
        &self,
        entries: &mut Entries<'a, 'f>,
        path: &str,
    ) -> Result<(Vec<u8>, Entry<'a, 'f>)> {
        let one = |entries: &mut Entries<'a, 'f>| match entries.next() {
            Some(entry) => entry.map_err(|error| self.damaged(error)),
            None => {
                let message = format!(
                    "`{path}` is missing in it, after {} of {}",
                    room::bytes(self.done),
                    room::bytes(self.reading.total.unwrap_or(0))
                );
                Err(self.reading.refused(&message, ANEW))
            }
        };
        let mut entry = one(entries)?;
        if entry.header().entry_type() != tar::EntryType::GNULongName {
            return Ok((entry.path_bytes().into_owned(), entry));
        }
        // Reading past a longer one could take hours: a little of zstd unpacks to a lot.
        if entry.size() > MAX_NAME {
            let message = format!("it has a name of {}", room::bytes(entry.size()));
            return Err(self.reading.refused(&message, ANEW));
        }
        let mut name = Vec::new();
        entry
            .read_to_end(&mut name)
            .map_err(|error| self.damaged(error))?;
        // It ends with a zero byte.
        name.pop();
        drop(entry);
        Ok((name, one(entries)?))
    }

    /// Makes sure that nothing follows: neither in the archive, nor behind the stream.
    fn end(&self, mut decoder: Decoder<'_>) -> Result {
        let mut rest = Vec::new();
        (&mut decoder)
            .take(MAX_END + 1)
            .read_to_end(&mut rest)
            .map_err(|error| self.damaged(error))?;
        let mut behind = [0; 1];
        let follows = decoder
            .finish()
            .read(&mut behind)
            .map_err(|error| self.damaged(error))?;
        if rest.len() as u64 > MAX_END || rest.iter().any(|byte| *byte != 0) || follows > 0 {
            let message = "something follows that its manifest does not name";
            return Err(self.reading.refused(message, ANEW));
        }
        Ok(())
    }
}

/// An item's content on its way to whoever visits it.
struct Checked<'a, R> {
    entry: &'a mut R,
    hash: Sha256,
    read: u64,
    /// Why the bundle could not be read further; the visitor may have made another error of it.
    failed: Option<io::Error>,
    advance: &'a mut dyn FnMut(u64) -> io::Result<()>,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self.entry.read(into) {
            Ok(count) => count,
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                return Err(told);
            }
        };
        self.hash.update(&into[..count]);
        self.read += count as u64;
        (self.advance)(count as u64)?;
        Ok(count)
    }
}
