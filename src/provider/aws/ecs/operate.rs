//! Commands that people run in tasks, and the lines that services write there.

use std::io::Write;

use crate::engine::{Failure, FailureClass};
use crate::model::{SeatNumber, Service};
use crate::provider::aws::apply::Applier;
use crate::provider::aws::observe::Observed;
use crate::provider::{Logged, Logs};

/// Runs a command in a service of a seat, with this process's own input and output, and gives its exit
/// code.
///
/// # Errors
/// There is no such seat, or it was not reached.
pub async fn attach(_: &Applier, _: SeatNumber, _: &Service, _: &[String]) -> Result<i64, Failure> {
    Err(Failure::new(
        FailureClass::Invalid,
        "run a command",
        "shells in tasks are not there yet".to_owned(),
    ))
}

/// Writes what services wrote to `out`, each line with its seat and service before it.
///
/// # Errors
/// None of it could be read.
pub async fn logs(
    _: &Applier,
    _: &Observed,
    _: &Logs,
    _: &mut (impl Write + Send),
) -> Result<Logged, Failure> {
    Err(Failure::new(
        FailureClass::Invalid,
        "read logs",
        "logs of tasks are not there yet".to_owned(),
    ))
}
