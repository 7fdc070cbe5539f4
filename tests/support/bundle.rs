//! Bundles that are made without an engine: no image is in them.

use std::path::{Path, PathBuf};

use seatbox::bundle::manifest::{self, FORMAT, FileEntry, Manifest, VERSION};
use seatbox::bundle::write::write;

use super::desk::Desk;

/// An environment of one seat, and its secret.
const FILES: [(&str, &str); 3] = [
    (
        "files/seatbox.yaml",
        "version: 1\nname: t-bundled\nstack: stack.yaml\n",
    ),
    (
        "files/stack.yaml",
        "services: {a: {image: 'redis:7', env_file: [.env]}}\n",
    ),
    ("files/.env", "TOKEN=secret\n"),
];

/// What the bundle of [`pack`] says of itself.
pub fn manifest() -> Manifest {
    let entries = FILES.map(|(path, content)| FileEntry {
        path: path.to_owned(),
        size: content.len() as u64,
        sha256: manifest::digest(content.as_bytes())["sha256:".len()..].to_owned(),
        mode: 0o600,
        modified: 1_700_000_000,
    });
    Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        environment: "t-bundled".parse().unwrap(),
        created: "2026-11-25T12:00:00Z".to_owned(),
        tool: "seatbox test".to_owned(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        file: FILES[0].0.to_owned(),
        settings: Vec::new(),
        workspace: None,
        bytes: entries.iter().map(|file| file.size).sum(),
        files: entries.to_vec(),
        directories: Vec::new(),
        links: Vec::new(),
        images: Vec::new(),
        blobs: Vec::new(),
    }
}

/// Packs the files on a desk, under that name.
pub fn pack(desk: &Desk, name: &str) -> PathBuf {
    for (path, content) in FILES {
        desk.write(&format!("packed/{path}"), content);
    }
    let root = desk.path("packed");
    let bytes = write(&manifest(), &root, Vec::new(), &mut |_| Ok(())).unwrap();
    std::fs::remove_dir_all(root).unwrap();
    desk.write(name, bytes)
}

/// Writes a bundle that ends with its manifest.
pub fn put_manifest(manifest: &Manifest, to: &Path) {
    let encoder = zstd::Encoder::new(std::fs::File::create(to).unwrap(), 1).unwrap();
    let mut archive = tar::Builder::new(encoder);
    let bytes = manifest.to_bytes();
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    archive
        .append_data(&mut header, manifest::NAME, bytes.as_slice())
        .unwrap();
    archive.into_inner().unwrap().finish().unwrap();
}
