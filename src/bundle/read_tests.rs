//! What was saved is what is read.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::fixture::{ENVIRONMENT, Fixture, STACK, open, read_whole};
use super::manifest::{self, Manifest};
use super::read::is_bundle;
use super::unpack::Unpacked;
use crate::model::environment::WorkspaceFiles;

#[test]
fn a_bundle_gives_back_all_that_was_put_into_it() {
    let fixture = Fixture::new();
    let bytes = fixture.bytes();
    let bundle = open(&bytes).unwrap();
    assert_eq!(bundle.manifest, fixture.manifest);
    assert_eq!(bundle.size, bytes.len() as u64);
    let digest = manifest::digest(&fixture.manifest.to_bytes());
    assert_eq!(
        read_whole(&bytes).unwrap(),
        (digest, fixture.manifest.bytes)
    );
}

#[test]
fn the_environment_loads_from_its_unpacked_files_and_takes_the_bundles_images() {
    let fixture = Fixture::new();
    let bundle = open(&fixture.bytes()).unwrap();
    let unpacked = Unpacked::from(bundle.into(), &CancellationToken::new()).unwrap();
    let file = unpacked.file();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), ENVIRONMENT);
    let events = file.parent().unwrap().to_owned();
    let stack = std::fs::read_to_string(events.join("../stacks/s.yaml")).unwrap();
    assert_eq!(stack, STACK);
    let script = events.join("labs/verify.sh").metadata().unwrap();
    assert_eq!(script.permissions().mode() & 0o777, 0o755);
    let modified = script.modified().unwrap();
    let since = modified.duration_since(std::time::SystemTime::UNIX_EPOCH);
    assert_eq!(since.unwrap().as_secs(), 1_700_000_000);
    let empty = events.join("labs/empty").metadata().unwrap();
    assert!(empty.is_dir());
    assert_eq!(empty.permissions().mode() & 0o777, 0o711);
    let link = events.join("labs/link").read_link().unwrap();
    assert_eq!(link, Path::new("/etc/passwd"));
    let long = events.join("labs").join("d".repeat(120)).join("广州.md");
    assert_eq!(std::fs::read_to_string(long).unwrap(), "你好");

    let overrides = crate::environment::Overrides {
        set: unpacked.manifest().settings.clone(),
        ..crate::environment::Overrides::new([], jiff::Timestamp::MIN)
    };
    let mut environment = crate::environment::load(&file, &overrides)
        .unwrap()
        .environment;
    unpacked.supply(&mut environment);
    assert_eq!(environment.seats.count, 2);
    let [image] = environment.images.bundled.as_slice() else {
        panic!("{:?}", environment.images.bundled);
    };
    assert_eq!(image.wanted, "redis:7");
    assert_eq!(image.reference, "seatbox.local/redis:7");

    let directory = events.parent().unwrap().parent().unwrap().to_owned();
    let mode = directory.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "others can read what may be secret");
    drop(unpacked);
    assert!(!directory.exists());
}

#[test]
fn a_clone_stands_for_its_repository_at_its_revision_alone() {
    let mut fixture = Fixture::new();
    let workspace = fixture.manifest.workspace.as_mut().unwrap();
    workspace.git = Some("https://git.example/labs.git".to_owned());
    workspace.revision = Some("v1".to_owned());
    let unpacked = Unpacked::from(
        open(&fixture.bytes()).unwrap().into(),
        &CancellationToken::new(),
    )
    .unwrap();
    let none = crate::environment::Overrides::new([], jiff::Timestamp::MIN);
    let loaded = crate::environment::load(&unpacked.file(), &none).unwrap();
    let supplied = |revision: &str| {
        let mut environment = loaded.environment.clone();
        environment.workspace.files = Some(WorkspaceFiles::Git {
            url: "https://git.example/labs.git".to_owned(),
            revision: Some(revision.to_owned()),
        });
        unpacked.supply(&mut environment);
        environment.workspace.files.unwrap()
    };
    assert!(matches!(supplied("v2"), WorkspaceFiles::Git { .. }));
    match supplied("v1") {
        WorkspaceFiles::Directory(path) => assert!(path.join("verify.sh").is_file()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_environment_file_is_no_bundle() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seatbox.yaml");
    std::fs::write(&path, ENVIRONMENT).unwrap();
    assert!(!is_bundle(&path));
    assert!(!is_bundle(directory.path()));
    assert!(!is_bundle(&directory.path().join("missing")));
    std::fs::write(&path, Fixture::new().bytes()).unwrap();
    assert!(is_bundle(&path));
}

#[test]
fn a_manifest_is_the_same_after_it_was_read() {
    let manifest = Fixture::new().manifest;
    assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap(), manifest);
}
