//! Seatbox against Docker Compose and against the engine itself: one machine, one stack, in turn.
//!
//! `just bench` runs it; docs/benchmarks.md says what is measured and how.

mod arguments;
mod bare;
mod compose;
mod contestant;
mod counter;
mod course;
mod engine;
mod initialised;
mod machine;
mod record;
mod report;
mod resets;
mod rounds;
mod seatbox;
mod setting;
mod settle;
mod single;
#[path = "../support/mod.rs"]
mod support;
mod timing;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;

/// What can go wrong: whatever it is, it ends the benchmark.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse().completed();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(course::run(&arguments));
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
