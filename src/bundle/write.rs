//! Writing a bundle from a directory that holds all that belongs in it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::manifest::{self, BLOBS, FileEntry, Manifest};

/// How hard zstd tries: the sizes and times of other levels are in docs/bundles.md.
const LEVEL: i32 = 6;
/// How far back zstd looks for what it has seen, as a power of two: images that begin with the same
/// distribution have most of it in common. More than 128 MiB no reader takes by itself.
const WINDOW: u32 = 27;

/// Writes the bundle of `manifest`, whose files and blobs lie below `root` under their names in it,
/// to `into`. `advance` hears of each part that is done.
///
/// # Errors
///
/// Where something can't be read or written, or is not what the manifest says any more.
pub fn write<W: Write>(
    manifest: &Manifest,
    root: &Path,
    into: W,
    advance: &mut dyn FnMut(u64) -> Result,
) -> Result<W> {
    let failed = || Error::io("writing the bundle");
    let mut encoder = zstd::Encoder::new(into, LEVEL).map_err(failed())?;
    encoder.include_checksum(true).map_err(failed())?;
    encoder.long_distance_matching(true).map_err(failed())?;
    encoder.window_log(WINDOW).map_err(failed())?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    encoder
        .multithread(u32::try_from(threads).unwrap_or(1))
        .map_err(failed())?;
    let mut archive = tar::Builder::new(encoder);
    let bytes = manifest.to_bytes();
    let mut first = header(bytes.len() as u64, 0o644, 0);
    archive
        .append_data(&mut first, manifest::NAME, bytes.as_slice())
        .map_err(failed())?;
    for file in &manifest.files {
        append(&mut archive, root, file, advance)?;
    }
    for blob in &manifest.blobs {
        let file = FileEntry {
            path: format!("{BLOBS}/{}", blob.sha256),
            size: blob.size,
            sha256: blob.sha256.clone(),
            mode: 0o644,
            modified: 0,
        };
        append(&mut archive, root, &file, advance)?;
    }
    let encoder = archive.into_inner().map_err(failed())?;
    encoder.finish().map_err(failed())
}

fn header(size: u64, mode: u32, modified: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(modified);
    header
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    root: &Path,
    file: &FileEntry,
    advance: &mut dyn FnMut(u64) -> Result,
) -> Result {
    let place = root.join(&file.path);
    let from = File::open(&place).map_err(Error::io(place.display()))?;
    let mut stopped = Ok(());
    let mut hashed = Hashed {
        from: from.take(file.size),
        hash: Sha256::new(),
        advance: |bytes| {
            advance(bytes).map_err(|error| {
                stopped = Err(error);
                io::Error::other("stopped")
            })
        },
    };
    let mut header = header(file.size, file.mode, file.modified);
    let appended = archive.append_data(&mut header, &file.path, &mut hashed);
    let digest = crate::hex(&hashed.hash.finalize());
    stopped?;
    appended.map_err(Error::io(&file.path))?;
    if digest != file.sha256 {
        let changed = io::Error::other("it changed while it was being saved");
        return Err(Error::Io(file.path.clone(), changed));
    }
    Ok(())
}

struct Hashed<R, A> {
    from: R,
    hash: Sha256,
    advance: A,
}

impl<R: Read, A: FnMut(u64) -> io::Result<()>> Read for Hashed<R, A> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.hash.update(&into[..count]);
        (self.advance)(count as u64)?;
        Ok(count)
    }
}
