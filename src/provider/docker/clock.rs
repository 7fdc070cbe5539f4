//! The engine's clock, the one that all machines share.

use bollard::Docker as Client;
use jiff::Timestamp;

use super::errors::failure;
use crate::engine::Failure;
use crate::expiry::Clocks;

/// What the engine's clock and `here`, this machine's, say at one moment. An engine that does not
/// tell its time is taken to have ours.
///
/// # Errors
/// The engine does not answer.
pub async fn read(client: &Client, here: impl Fn() -> Timestamp) -> Result<Clocks, Failure> {
    let asked = here();
    let info = client
        .info()
        .await
        .map_err(|error| failure("ask for the engine's time", &error))?;
    let answered = here();
    // The engine looked at its clock somewhere between the question and the answer.
    let here = asked
        .saturating_add(answered.duration_since(asked) / 2)
        .unwrap_or(answered);
    let engine = info.system_time.and_then(|text| text.parse().ok());
    Ok(Clocks {
        engine: engine.unwrap_or(here),
        here,
    })
}
