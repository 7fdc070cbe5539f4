//! Trying again: which failures, how often, and how long apart.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::Failure;

/// How often a call is made at most.
pub const MOST_ATTEMPTS: usize = 6;

/// Makes `call` until it succeeds, fails in a way that trying again won't mend, or was tried
/// [`MOST_ATTEMPTS`] times, with growing and jittered pauses from 0.1 to 3 seconds. `noted` hears of every
/// failure that is tried again.
pub async fn with_retries<T>(
    call: impl AsyncFn() -> Result<T, Failure>,
    noted: impl FnMut(&Failure, Duration),
) -> Result<T, Failure> {
    let mut noted = noted;
    (|| call())
        .retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_delay(Duration::from_secs(3))
                .with_max_times(MOST_ATTEMPTS - 1)
                .with_jitter(),
        )
        .when(|failure: &Failure| failure.class.is_retryable())
        .notify(|failure: &Failure, pause: Duration| noted(failure, pause))
        .await
}
