//! Waiting until all of AWS knows what one call did: what was just made may be unknown elsewhere, and
//! what was just taken away may be in use still.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::{Failure, FailureClass, Progress};

/// How long AWS may take to let go of what others were made of.
const LETTING_GO: Duration = Duration::from_secs(120);
/// How long what was just made may be unknown to other calls.
const SPREADING: Duration = Duration::from_secs(60);

/// Makes a call that needs what was just made, until that is known everywhere.
pub(in crate::provider::aws) async fn known<T, F>(call: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    until(call, FailureClass::NotFound, SPREADING).await
}

/// Makes a call until it fails otherwise, for so long at most.
pub(in crate::provider::aws) async fn until<T, F>(
    mut call: impl FnMut() -> F,
    class: FailureClass,
    patience: Duration,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let begun = Instant::now();
    let mut pause = Duration::from_millis(250);
    loop {
        match call().await {
            Err(failure) if failure.class == class && begun.elapsed() + pause < patience => {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            result => return result,
        }
    }
}

/// Makes a call that takes something away until nothing uses that any more, for a while: AWS lets go
/// of what others were made of some time after their end. An interruption ends the wait.
pub(in crate::provider::aws) async fn let_go<F>(
    mut call: impl FnMut() -> F,
    progress: &Progress,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let attempts = until(&mut call, FailureClass::Conflict, LETTING_GO);
    tokio::select! {
        result = attempts => return result,
        () = progress.interrupted() => {}
    }
    call().await
}
