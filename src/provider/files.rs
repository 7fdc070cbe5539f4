//! The files that a container begins with, as archives.

use std::io;
use std::path::Path;

use crate::model::stack::FileContent;
use crate::model::{SeatValues, Service};

/// The file that says, inside a workspace, that its first files have been put there. It is the
/// last one of the archive, so that it is there only if all the others are.
pub const WORKSPACE_MARKER: &str = ".seatbox";

/// The archive of a service's configs and secrets, to be unpacked at `/`. It holds secrets.
pub fn injected(service: &Service, values: &dyn SeatValues) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in &service.files {
        let rendered;
        let content: &[u8] = match &file.content {
            FileContent::Text(text) => {
                rendered = text.render(values).into_bytes();
                &rendered
            }
            FileContent::Bytes(bytes) => bytes,
        };
        let mut header = header(content.len(), file.mode);
        header.set_uid(file.uid);
        header.set_gid(file.gid);
        archive.append_data(&mut header, file.target.trim_start_matches('/'), content)?;
    }
    archive.into_inner()
}

/// The archive of a workspace's first files, to be unpacked in it: the content of `directory`
/// but for its `.git`, owned by `owner` (user, group), and the marker at the end.
pub fn workspace(directory: &Path, owner: (u64, u64)) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    append_directory(&mut archive, directory, Path::new(""), owner)?;
    let content = b"The first files of this workspace were put here by Seatbox.\n";
    let mut header = header(content.len(), 0o644);
    header.set_uid(owner.0);
    header.set_gid(owner.1);
    archive.append_data(&mut header, WORKSPACE_MARKER, content.as_slice())?;
    archive.into_inner()
}

fn header(size: usize, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(mode);
    header
}

fn append_directory(
    archive: &mut tar::Builder<Vec<u8>>,
    directory: &Path,
    inside: &Path,
    owner: (u64, u64),
) -> io::Result<()> {
    let mut entries = directory.read_dir()?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let place = inside.join(entry.file_name());
        if place == Path::new(".git") || place == Path::new(WORKSPACE_MARKER) {
            continue;
        }
        let metadata = entry.path().symlink_metadata()?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&metadata);
        header.set_uid(owner.0);
        header.set_gid(owner.1);
        let kind = metadata.file_type();
        if kind.is_dir() {
            archive.append_data(&mut header, &place, io::empty())?;
            append_directory(archive, &entry.path(), &place, owner)?;
        } else if kind.is_symlink() {
            header.set_size(0);
            archive.append_link(&mut header, &place, entry.path().read_link()?)?;
        } else if kind.is_file() {
            let content = std::fs::read(entry.path()).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", place.display()))
            })?;
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, &place, content.as_slice())?;
        }
        // Sockets, pipes and devices are nothing that a workspace can begin with.
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(archive: &[u8]) -> Vec<(String, u32, u64)> {
        tar::Archive::new(archive)
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let header = entry.header();
                (path, header.mode().unwrap() & 0o777, header.uid().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_workspace_archive_keeps_modes_leaves_out_git_and_ends_with_the_marker() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("lab01")).unwrap();
        std::fs::create_dir_all(at(".git")).unwrap();
        std::fs::write(at(".git/config"), "").unwrap();
        std::fs::write(at("lab01/verify.sh"), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(
            at("lab01/verify.sh"),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        let archive = workspace(directory.path(), (1000, 1000)).unwrap();
        let entries = entries(&archive);
        assert_eq!(entries[1], ("lab01/verify.sh".to_owned(), 0o755, 1000));
        assert_eq!(entries.last().unwrap().0, WORKSPACE_MARKER);
        assert!(entries.iter().all(|(path, ..)| !path.starts_with(".git/")));
    }
}
