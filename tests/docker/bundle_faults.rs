//! Bundles that must not be taken, and saves that do not end: the engine and the disk stay as they
//! were.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bollard::Docker;
use bollard::query_parameters::{EventsOptions, ListContainersOptionsBuilder};
use futures_util::TryStreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use seatbox::bundle::{Bundle, Manifest};

use super::bundles::images;
use super::event::{Event, SMALL};
use super::private_engine::PrivateEngine;
use crate::support::desk::{Desk, repository, run};

/// What an engine has, and all that ever happened on it.
async fn state(docker: &Docker) -> String {
    let options = ListContainersOptionsBuilder::new().all(true).build();
    let containers = docker.list_containers(Some(options)).await.unwrap();
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let options = EventsOptions {
        since: Some("1".to_owned()),
        until: Some((now + 1).to_string()),
        filters: None,
    };
    let events: Vec<_> = docker.events(Some(options)).try_collect().await.unwrap();
    format!("{:?} {containers:?} {events:?}", images(docker).await)
}

/// The bundle packed anew, as well as the first time, with each entry as `change` leaves it.
fn repacked(
    bundle: &Path,
    to: PathBuf,
    mut change: impl FnMut(&Path, &mut Vec<u8>) -> Option<()>,
) -> PathBuf {
    let mut archive =
        tar::Archive::new(zstd::Decoder::new(std::fs::File::open(bundle).unwrap()).unwrap());
    let encoder = zstd::Encoder::new(std::fs::File::create(&to).unwrap(), 1).unwrap();
    let mut changed = tar::Builder::new(encoder);
    let mut changes = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let path = entry.path().unwrap().into_owned();
        changes += usize::from(change(&path, &mut content).is_some());
        let mut header = entry.header().clone();
        header.set_size(content.len() as u64);
        changed
            .append_data(&mut header, path, content.as_slice())
            .unwrap();
    }
    assert_eq!(changes, 1, "what was to be changed is not in it");
    let mut encoder = changed.into_inner().unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap();
    to
}

/// The bundle with another manifest.
fn with_manifest(bundle: &Path, to: PathBuf, change: impl Fn(&mut Manifest)) -> PathBuf {
    repacked(bundle, to, |path, content| {
        (path == Path::new("manifest.json")).then(|| {
            let mut manifest = Manifest::parse(content).unwrap();
            change(&mut manifest);
            *content = manifest.to_bytes();
        })
    })
}

/// The bundle with one bit changed in the entry of that name.
fn with_other_content(bundle: &Path, to: PathBuf, name: &str) -> PathBuf {
    repacked(bundle, to, |path, content| {
        (path == Path::new(name)).then(|| {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        })
    })
}

#[tokio::test]
async fn a_bundle_that_is_refused_leaves_the_engine_as_it_was_and_makes_no_key() {
    let event = Event::new("refused", 1, SMALL).await;
    let (good, _) = event.save("good.seatbox");
    let manifest = Bundle::open(&good).unwrap().manifest;
    let layer = &manifest.blobs.last().unwrap().sha256;
    assert!(manifest.images[0].layers.contains(layer));
    let layer = format!("blobs/sha256/{layer}");
    let file = manifest.file.clone();
    let bytes = std::fs::read(&good).unwrap();
    let at = |name: &str| event.desk.path(name);
    let write = |name: &str, bytes: &[u8]| event.desk.write(name, bytes);
    let mut flipped = bytes.clone();
    // In the checksum of all that is packed, which is a frame's end.
    flipped[bytes.len() - 1] ^= 1;
    let other_file = [file.as_str(), "is not what was saved"];
    let other_layer = [layer.as_str(), "is not what was saved"];
    let cases: Vec<(PathBuf, &[&str])> = vec![
        (
            write("cut", &bytes[..bytes.len() * 2 / 3]),
            &["cut off", " of "],
        ),
        (write("cut-short", &bytes[..bytes.len() - 1]), &["cut off"]),
        (write("flipped", &flipped), &["it is damaged, after"]),
        (
            write("longer", &[bytes.as_slice(), b"x"].concat()),
            &["something follows"],
        ),
        (write("empty", b""), &["empty"]),
        (write("other", b"version: 1\n"), &["no bundle"]),
        (at("missing"), &["can't be read"]),
        (
            with_manifest(&good, at("arm"), |manifest| {
                "s390x".clone_into(&mut manifest.architecture);
            }),
            &["linux/s390x", "linux/"],
        ),
        (
            with_manifest(&good, at("large"), |manifest| {
                let layer = manifest.blobs.last_mut().unwrap();
                manifest.bytes += (1 << 50) - layer.size;
                layer.size = 1 << 50;
            }),
            &["needs 2.3 PB", "are free"],
        ),
        (
            with_manifest(&good, at("other-digest"), |manifest| {
                manifest.files[0].sha256 = "0".repeat(64);
            }),
            &["is not what was saved"],
        ),
        (
            with_other_content(&good, at("other-file"), &file),
            &other_file,
        ),
        (
            with_other_content(&good, at("other-layer"), &layer),
            &other_layer,
        ),
    ];
    let private = PrivateEngine::start().await;
    let docker = private.docker();
    let before = state(&docker).await;
    for (path, pieces) in &cases {
        for verb in [&["images", "load"][..], &["up", "--bundle"]] {
            let mut command = event.desk.seatbox();
            command.env("DOCKER_HOST", private.host());
            run(command.args(verb).arg(path))
                .exits(2)
                .says(&["hint:"])
                .says(pieces);
        }
        assert_eq!(state(&docker).await, before, "{}", path.display());
    }
    assert!(!event.desk.path("state").exists(), "a key was made");
    let ran = event.on(&private);
    let mut command = ran.command(&["up", "--bundle"]);
    run(command.arg(&good).args(["--seats", "2"]))
        .exits(2)
        .says(&["no seat 2"]);
    assert_eq!(state(&docker).await, before);
}

/// Names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_save_that_is_stopped_leaves_no_bundle_and_by_ctrl_c_nothing_at_all() {
    let desk = Desk::new();
    desk.write("out/.keep", "");
    let out = desk.path("out");
    for (moment, signal, code) in [
        // What it leaves is gone with the next one.
        ("compress", Signal::KILL, None),
        ("export", Signal::INT, Some(130)),
        ("compress", Signal::INT, Some(130)),
    ] {
        let mut child = desk
            .seatbox()
            .args(["images", "save", "--log-format", "json", "--to"])
            .arg(out.join("event.seatbox"))
            .arg(repository("environments/gopher-guangzhou-2024.yaml"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // Some way into that step.
        let here = format!("\"verb\":\"{moment}\"");
        let seen = lines
            .by_ref()
            .map(Result::unwrap)
            .filter(|line| line.contains("\"action-progress\"") && line.contains(&here))
            .take(3)
            .count();
        assert_eq!(seen, 3, "it was over before it could be stopped");
        assert!(names(&out).len() >= 2, "nothing is being written");
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
        let said: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(child.wait().unwrap().code(), code, "{said:#?}");
        assert!(!out.join("event.seatbox").exists());
        match signal {
            Signal::INT => assert_eq!(names(&out), [".keep"], "{said:#?}"),
            _ => assert_eq!(names(&out).len(), 2, "{said:#?}"),
        }
    }
}

#[tokio::test]
async fn a_save_refuses_what_it_cannot_keep_and_writes_nothing() {
    let event = Event::new("unsaved", 1, SMALL).await;
    let save = |more: &[&str]| {
        let mut command = event.desk.seatbox();
        run(command
            .args(["images", "save", "--to", "x.seatbox"])
            .args(more))
    };
    let bundle = event.desk.path("x.seatbox");
    event.desk.write("x.seatbox", "somebody's");
    save(&[]).exits(2).says(&["exists already", "--force"]);
    assert_eq!(std::fs::read(&bundle).unwrap(), b"somebody's");
    save(&["--force"])
        .exits(0)
        .says(&["sha256:", "seatbox up --bundle x.seatbox"]);
    let mut again = event.desk.seatbox();
    run(again.args(["images", "save", "x.seatbox"]))
        .exits(2)
        .says(&["is a bundle already"]);
    std::fs::remove_file(&bundle).unwrap();

    event.stack("services: {a: {image: 'nobody.example/none:1'}}");
    save(&[])
        .exits(2)
        .says(&["nobody.example/none:1", "seatbox images --fetch"]);
    let elsewhere = Desk::new();
    let file = elsewhere.write("secret.txt", "x");
    event.stack(&format!(
        "services: {{a: {{image: 'redis:7', configs: [c]}}}}\nconfigs: {{c: {{file: {}}}}}",
        file.display()
    ));
    save(&[])
        .exits(2)
        .says(&["secret.txt", "a path of this machine"]);
    event.stack("services: {a: {image: 'redis:7', volumes: ['./data:/data']}}");
    event.describe(1, "isolation: {bind_mounts: [data]}");
    std::fs::create_dir(event.desk.path("data")).unwrap();
    save(&[])
        .exits(2)
        .says(&["/data", "only while a command runs"]);
    event.describe(1, "");
    event.stack("services: {a: {image: '${WHICH:-redis}:7'}}");
    let mut command = event.desk.seatbox();
    command.env("WHICH", "seatbox.local/redis");
    run(command.args(["images", "save", "--to", "y.seatbox"]))
        .exits(0)
        .says(&["note:", "variables"]);
    let expected = ["data", "seatbox.yaml", "stack.yaml", "y.seatbox"];
    assert_eq!(names(event.desk.path("x").parent().unwrap()), expected);
}
