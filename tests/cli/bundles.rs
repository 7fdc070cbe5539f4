//! What is told of bundles without an engine.

use crate::support::desk::Desk;

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
