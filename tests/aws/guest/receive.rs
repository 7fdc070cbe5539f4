//! A stack that comes as an archive.

use std::os::unix::fs::PermissionsExt as _;

use super::instance::Instance;
use crate::support::desk::Ran;

const STACK: &str = "var/lib/seatbox/stack";

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o640);
        archive
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap()
}

fn receive(instance: &Instance, bytes: &[u8]) -> Ran {
    instance.feed("receive", bytes)
}

/// The directories of stacks that are there, besides the link to the one that counts.
fn directories(instance: &Instance) -> usize {
    let entries = instance.at("var/lib/seatbox").read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("stack.")).count()
}

#[test]
fn a_stack_replaces_the_one_before_and_nobody_else_reads_it() {
    let instance = Instance::new();
    let first = archive(&[("compose.yaml", "one"), ("old", ""), ("complete", "")]);
    receive(&instance, &first).exits(0);
    assert_eq!(instance.read(&format!("{STACK}/compose.yaml")), "one");
    let second = archive(&[("compose.yaml", "two"), ("files/a", "b"), ("complete", "")]);
    receive(&instance, &second).exits(0);
    assert_eq!(instance.read(&format!("{STACK}/compose.yaml")), "two");
    assert_eq!(instance.read(&format!("{STACK}/files/a")), "b");
    assert!(!instance.at(&format!("{STACK}/old")).exists());
    assert_eq!(directories(&instance), 1);
    let mode = |path: &str| instance.at(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(STACK), 0o700);
    assert_eq!(mode(&format!("{STACK}/compose.yaml")), 0o640);
}

#[test]
fn a_stream_that_breaks_off_anywhere_changes_nothing() {
    let instance = Instance::new();
    let first = archive(&[("compose.yaml", "one"), ("complete", "")]);
    receive(&instance, &first).exits(0);
    let second = archive(&[("compose.yaml", "two"), ("b", "c"), ("complete", "")]);
    // With its last entry it is whole; the blocks behind it say nothing more.
    for length in (0..second.len() - 1024 - 512).step_by(256) {
        let ran = receive(&instance, &second[..length]);
        assert!(!ran.status.success(), "{length} of {}: {ran}", second.len());
        assert_eq!(instance.read(&format!("{STACK}/compose.yaml")), "one");
    }
    assert_eq!(directories(&instance), 1);
}

#[test]
fn the_same_stack_again_is_no_change() {
    let instance = Instance::new();
    let bytes = archive(&[("compose.yaml", "one"), ("complete", "")]);
    receive(&instance, &bytes).exits(0);
    let (link, mark) = (instance.at(STACK), instance.at(&format!("{STACK}/changed")));
    let before = link.read_link().unwrap();
    assert!(mark.exists());
    std::fs::remove_file(&mark).unwrap();
    receive(&instance, &bytes).exits(0);
    assert_eq!(link.read_link().unwrap(), before);
    assert!(!mark.exists());
    assert_eq!(directories(&instance), 1);
}

#[test]
fn first_files_are_kept_for_a_workspace_that_has_none_and_dropped_for_one_that_has() {
    let instance = Instance::new();
    let bytes = archive(&[
        ("compose.yaml", "one"),
        ("workspace.path", "work"),
        ("workspace.tar", "an archive"),
        ("complete", ""),
    ]);
    let kept = instance.at(&format!("{STACK}/workspace.tar"));
    receive(&instance, &bytes).exits(0);
    assert!(kept.exists());
    receive(&instance, &bytes).exits(0);
    assert!(kept.exists());
    instance
        .desk
        .write("root/var/lib/seatbox/workspace/work/.seatbox", "");
    receive(&instance, &bytes).exits(0);
    assert!(!kept.exists());
}
