//! What is told of bundles without an engine.

use crate::support::bundle;
use crate::support::desk::{Desk, run};

#[test]
fn what_is_no_bundle_is_told_before_an_engine_is_asked_for() {
    let desk = Desk::new();
    desk.write("event.yaml", "version: 1\n");
    for verb in [&["images", "load"][..], &["up", "--bundle"]] {
        for (file, word) in [
            ("event.yaml", "no bundle"),
            ("none.seatbox", "can't be read"),
        ] {
            let arguments: Vec<&str> = verb.iter().copied().chain([file]).collect();
            let hint = "`seatbox images save` writes one";
            desk.run(&arguments).exits(2).says(&[file, word, hint]);
        }
    }
    assert!(!desk.path("state").exists());
}

#[test]
fn an_environment_comes_from_a_file_or_from_a_bundle() {
    let desk = Desk::new();
    desk.write("event.yaml", "version: 1\n");
    desk.run(&["up", "event.yaml", "--bundle", "event.seatbox"])
        .exits(2)
        .says(&["not from both"]);
}

#[test]
fn images_shows_fetches_saves_and_loads() {
    let desk = Desk::new();
    desk.run(&["images", "--help"])
        .exits(0)
        .says(&["--fetch", "save", "load", "[FILE]"]);
    desk.run(&["images", "--fetch", "save"]).exits(2);
}

#[test]
fn whoever_is_given_a_bundle_that_would_fill_the_disk_is_told_and_nothing_is_unpacked() {
    let desk = Desk::new();
    let path = bundle::pack(&desk, "event.seatbox");
    desk.write("tmp/.keep", "");
    let run = |verb: &str| {
        let mut command = desk.without_engine();
        run(command
            .env("TMPDIR", desk.path("tmp"))
            .args([verb, "event.seatbox"]))
    };
    run("config").exits(0).says(&["t-bundled"]);
    let mut manifest = bundle::manifest();
    manifest.files[2].size = 1 << 40;
    manifest.bytes = manifest.file_bytes();
    bundle::put_manifest(&manifest, &path);
    for verb in ["status", "up", "config", "down"] {
        run(verb)
            .exits(2)
            .says(&["its files have 1.1 TB", "is the most", "hint:"]);
    }
    assert_eq!(std::fs::read_dir(desk.path("tmp")).unwrap().count(), 1);
}
