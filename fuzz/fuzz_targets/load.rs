//! Whatever stands in an environment file: the loader answers and does not panic.
//!
//! `cargo +nightly fuzz run load`. `src/environment/corpus_tests.rs` runs the corpus on stable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatbox::environment::{Overrides, load};

fuzz_target!(|input: &[u8]| {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("environment.yaml");
    std::fs::write(&file, input).expect("a temporary file");
    let now = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
    if let Err(problems) = load(&file, &Overrides::new([], now)) {
        assert!(!problems.is_empty());
        let _ = problems.render(false, 80);
    }
});
