//! Turning what a container's volumes hold into a layer of an image.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use tar::{Archive, Builder, EntryType};

/// Writes the layer: for each volume, the archive of it as the engine gives it (everything below the
/// name of the directory that was asked for), and where it lies in the container.
pub fn write(layer: &Path, volumes: &[(PathBuf, String)]) -> io::Result<()> {
    let mut out = Builder::new(BufWriter::new(File::create(layer)?));
    for (archive, target) in volumes {
        let target = Path::new(target.trim_start_matches('/'));
        let above = target.parent().unwrap_or(Path::new(""));
        let mut archive = Archive::new(BufReader::new(File::open(archive)?));
        for entry in archive.entries()? {
            let entry = entry?;
            let mut header = entry.header().clone();
            let place = above.join(entry.path()?);
            let link = entry.link_name()?.map(std::borrow::Cow::into_owned);
            match (header.entry_type(), link) {
                // A hard link names its target as it stands in the archive.
                (EntryType::Link, Some(link)) => {
                    out.append_link(&mut header, place, above.join(link))?;
                }
                (_, Some(link)) => out.append_link(&mut header, place, link)?,
                (_, None) => out.append_data(&mut header, place, entry)?,
            }
        }
    }
    out.into_inner()?.into_inner()?.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o640);
            header.set_uid(999);
            if matches!(kind, EntryType::Link | EntryType::Symlink) {
                header.set_size(0);
                archive.append_link(&mut header, path, content).unwrap();
            } else {
                header.set_size(content.len() as u64);
                archive
                    .append_data(&mut header, path, content.as_bytes())
                    .unwrap();
            }
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_volumes_archive_is_moved_to_the_volumes_place_with_its_owners_modes_and_links() {
        let directory = tempfile::tempdir().unwrap();
        let long = format!("data/{}x", "long/".repeat(40));
        let archive = directory.path().join("archive.tar");
        let entries = [
            ("data/", EntryType::Directory, ""),
            ("data/file", EntryType::Regular, "content"),
            ("data/hard", EntryType::Link, "data/file"),
            ("data/soft", EntryType::Symlink, "file"),
            (&*long, EntryType::Regular, "x"),
        ];
        std::fs::write(&archive, tar(&entries)).unwrap();
        let layer = directory.path().join("layer.tar");
        write(&layer, &[(archive, "/var/lib/db/data".to_owned())]).unwrap();
        let mut seen = Vec::new();
        for entry in Archive::new(File::open(layer).unwrap()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(
                (header.mode().unwrap(), header.uid().unwrap()),
                (0o640, 999)
            );
            let link = entry.link_name().unwrap();
            let link = link.map(|link| link.display().to_string());
            seen.push((entry.path().unwrap().display().to_string(), link));
        }
        let at = |path: &str, link: Option<&str>| (path.to_owned(), link.map(str::to_owned));
        assert_eq!(
            seen,
            [
                at("var/lib/db/data/", None),
                at("var/lib/db/data/file", None),
                at("var/lib/db/data/hard", Some("var/lib/db/data/file")),
                at("var/lib/db/data/soft", Some("file")),
                at(&format!("var/lib/db/{long}"), None),
            ]
        );
    }
}
