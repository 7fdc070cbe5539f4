//! Commands that people run in tasks, and the lines that services write there.

use std::io::Write;

use super::{exec, logs as written};
use crate::engine::Failure;
use crate::model::{SeatNumber, Service};
use crate::provider::aws::apply::Applier;
use crate::provider::aws::observe::Observed;
use crate::provider::{Logged, Logs};

/// Runs a command in a service of a seat, with this process's own input and output, and gives its exit
/// code: the command's own where there is no terminal, and 0 on one, where ECS tells none.
///
/// # Errors
/// There is no such seat, or it was not reached.
pub async fn attach(
    applier: &Applier,
    seat: SeatNumber,
    service: &Service,
    argv: &[String],
) -> Result<i64, Failure> {
    let environment = &applier.environment().name;
    exec::attach(&applier.session, environment, seat, service, argv).await
}

/// Writes what services wrote to `out`, each line with its seat and service before it.
///
/// # Errors
/// None of it could be read.
pub async fn logs(
    applier: &Applier,
    observed: &Observed,
    wanted: &Logs,
    out: &mut (impl Write + Send),
) -> Result<Logged, Failure> {
    let environment = applier.environment();
    written::write(&applier.session, environment, observed, wanted, out).await
}
