//! Seatbox against boto3 and Ansible: one emulator of AWS behind one proxy, which makes every call as
//! slow as the internet does and keeps AWS's limits, in turn.
//!
//! `just bench-aws` runs it; docs/benchmarks.md says what is measured and how.

mod account;
mod arguments;
#[path = "../../tests/support/aws/mod.rs"]
#[allow(
    dead_code,
    reason = "the tests' proxy, of which a race needs no faults"
)]
mod aws;
mod course;
mod machine;
mod place;
mod record;
mod report;
mod setting;
mod side;
mod simulation;
#[path = "../support/mod.rs"]
mod support;

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
