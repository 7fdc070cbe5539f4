//! A small bundle, whole and in other shapes.

use std::io::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::error::{Error, Result};
use super::manifest::{
    BLOBS, Blob, DirectoryEntry, FORMAT, FileEntry, ImageEntry, LinkEntry, Manifest, VERSION,
    Workspace,
};
use super::read::{Bundle, Part};
use super::write::write;

pub const ENVIRONMENT: &str = "version: 1\nname: t-bundle\nstack: ../stacks/s.yaml\n\
                               workspace: {files: labs}\n";
pub const STACK: &str = "services: {work: {image: redis:7, volumes: ['w:/w'], x-seatbox: \
                         {workspace: /w}}}\nvolumes: {w: {}}\n";

/// What a bundle is made of.
pub struct Fixture {
    pub root: TempDir,
    pub manifest: Manifest,
}

pub fn sha256(bytes: &[u8]) -> String {
    crate::hex(&Sha256::digest(bytes))
}

impl Fixture {
    /// An environment with a stack beside it, a workspace with a link and an empty directory, and
    /// an image of two layers.
    pub fn new() -> Self {
        let root = TempDir::new().unwrap();
        let mut manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            environment: "t-bundle".parse().unwrap(),
            created: "2026-11-25T12:00:00Z".to_owned(),
            tool: "seatbox test".to_owned(),
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            file: "files/events/seatbox.yaml".to_owned(),
            settings: vec!["seats.count=2".to_owned()],
            workspace: Some(Workspace {
                directory: "files/events/labs".to_owned(),
                git: None,
                revision: None,
            }),
            files: Vec::new(),
            directories: [
                ("files/events/labs", 0o755),
                ("files/events/labs/empty", 0o711),
            ]
            .map(|(path, mode)| DirectoryEntry {
                path: path.to_owned(),
                mode,
            })
            .to_vec(),
            links: vec![LinkEntry {
                path: "files/events/labs/link".to_owned(),
                target: "/etc/passwd".to_owned(),
            }],
            images: Vec::new(),
            blobs: Vec::new(),
            bytes: 0,
        };
        let long = format!("files/events/labs/{}/广州.md", "d".repeat(120));
        for (path, content, mode) in [
            ("files/events/seatbox.yaml", ENVIRONMENT, 0o644),
            ("files/stacks/s.yaml", STACK, 0o600),
            ("files/events/labs/verify.sh", "#!/bin/sh\n", 0o755),
            (&long, "你好", 0o644),
        ] {
            put(root.path(), path, content.as_bytes());
            manifest.files.push(FileEntry {
                path: path.to_owned(),
                size: content.len() as u64,
                sha256: sha256(content.as_bytes()),
                mode,
                modified: 1_700_000_000,
            });
        }
        // What does not compress away, so that damage in the middle hits a layer.
        let mut seed = *b"the digest of the one before it.";
        let noise: Vec<u8> = (0..20_000)
            .flat_map(|_| {
                seed = Sha256::digest(seed).into();
                seed
            })
            .collect();
        let layers = [noise, b"the second layer".repeat(100)];
        let digests: Vec<String> = layers.iter().map(|layer| sha256(layer)).collect();
        let config = serde_json::json!({
            "os": "linux", "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": digests.iter().map(|d| format!("sha256:{d}")).collect::<Vec<_>>()},
        })
        .to_string()
        .into_bytes();
        let id = format!("sha256:{}", sha256(&config));
        for content in [config].iter().chain(&layers) {
            let blob = Blob {
                sha256: sha256(content),
                size: content.len() as u64,
            };
            put(root.path(), &format!("{BLOBS}/{}", blob.sha256), content);
            manifest.blobs.push(blob);
        }
        manifest.images.push(ImageEntry {
            wanted: vec!["redis:7".to_owned()],
            reference: "seatbox.local/redis:7".to_owned(),
            id,
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            layers: digests,
        });
        let mut fixture = Self { root, manifest };
        fixture.add_up();
        fixture
    }

    /// Puts the sum right after something was changed.
    pub fn add_up(&mut self) {
        let files = self.manifest.files.iter().map(|file| file.size);
        self.manifest.bytes = files
            .chain(self.manifest.blobs.iter().map(|blob| blob.size))
            .sum();
    }

    /// The bundle, as it is saved.
    pub fn bytes(&self) -> Vec<u8> {
        write(
            &self.manifest,
            self.root.path(),
            Vec::new(),
            &mut |_| Ok(()),
        )
        .unwrap()
    }

    /// The names and contents of all entries but the manifest.
    pub fn entries(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.manifest.files.iter().map(|file| file.path.clone());
        let blobs = self
            .manifest
            .blobs
            .iter()
            .map(|blob| format!("{BLOBS}/{}", blob.sha256));
        files
            .chain(blobs)
            .map(|path| {
                let content = std::fs::read(self.root.path().join(&path)).unwrap();
                (path, content)
            })
            .collect()
    }
}

fn put(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// An archive made by hand.
pub fn archive(manifest: &[u8], entries: &[(String, Vec<u8>)]) -> tar::Builder<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let manifest = [("manifest.json".to_owned(), manifest.to_vec())];
    for (path, content) in manifest.iter().chain(entries) {
        append(&mut archive, tar::EntryType::Regular, path, content);
    }
    archive
}

/// Adds an entry whose name is not looked at.
pub fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    kind: tar::EntryType,
    path: &str,
    content: &[u8],
) {
    if path.len() >= 100 {
        append(
            archive,
            tar::EntryType::GNULongName,
            "././@LongLink",
            format!("{path}\0").as_bytes(),
        );
    }
    let mut header = tar::Header::new_gnu();
    let name = &path.as_bytes()[..path.len().min(99)];
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append(&header, content).unwrap();
}

/// The one way in which bundles are compressed.
pub fn compress(archive: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(archive).unwrap();
    encoder.finish().unwrap()
}

/// Opens a bundle of these bytes.
pub fn open(bytes: &[u8]) -> Result<Bundle> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Bundle::open(file.path())
}

/// Reads all of it; gives its digest and how many bytes were in it.
pub fn read_whole(bytes: &[u8]) -> Result<(String, u64)> {
    let bundle = open(bytes)?;
    let mut seen = 0;
    bundle.walk(Part::Whole, &mut |_| Ok(()), &mut |_, content| {
        let mut all = Vec::new();
        content
            .read_to_end(&mut all)
            .map_err(Error::io("reading"))?;
        seen += all.len() as u64;
        Ok(())
    })?;
    Ok((bundle.digest, seen))
}

/// What is said of a bundle that must be refused.
#[track_caller]
pub fn refusal(bytes: &[u8]) -> String {
    match read_whole(bytes) {
        Err(Error::Refused { message, hint }) => {
            assert!(!hint.is_empty());
            message
        }
        other => panic!("it was not refused: {other:?}"),
    }
}
