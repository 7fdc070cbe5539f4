//! Somebody wants the benchmark to end.

use tokio::signal::unix::{SignalKind, signal};

use crate::Result;

/// Does `work`, until somebody interrupts it: that is an error.
pub async fn unless_interrupted(work: impl Future<Output = Result>) -> Result {
    tokio::select! {
        result = work => result,
        signal = interrupted() => Err(signal.unwrap_or_else(|error| error.to_string()).into()),
    }
}

async fn interrupted() -> std::io::Result<String> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok("interrupted".to_owned())
}
