//! How much is made to go wrong: a little in `./test`, and all of it in `just faults`.

use std::io::Write as _;

/// Whether all of it is asked for.
pub fn full() -> bool {
    std::env::var_os("SEATBOX_FAULTS").is_some_and(|scale| scale == "full")
}

/// One of two numbers: for `./test`, and for `just faults`.
pub fn scale<T>(little: T, all: T) -> T {
    if full() { all } else { little }
}

/// A seed of one test's own, or that of a run that is to be repeated; told either way.
pub fn seed() -> u64 {
    let seed = match std::env::var("SEATBOX_FAULTS_SEED") {
        Ok(seed) => seed.parse().expect("SEATBOX_FAULTS_SEED is a number"),
        Err(_) => u64::from(rand::random::<u32>()),
    };
    println!("SEATBOX_FAULTS_SEED={seed}");
    seed
}

/// Notes a result for the table of a full run: what was done to what, and what came of it.
pub fn record(what: &str, result: &str) {
    println!("{what}: {result}");
    let Some(path) = std::env::var_os("SEATBOX_FAULTS_RECORD") else {
        return;
    };
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("the record can be opened");
    // In one piece, for tests run beside each other.
    file.write_all(format!("| {what} | {result} |\n").as_bytes())
        .expect("the record can be written");
}
