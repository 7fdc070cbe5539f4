//! Trying again: which failures, how often, and how long apart.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Failure, FailureClass};

/// How often a call is made at most.
pub const MOST_ATTEMPTS: usize = 6;

/// How long one waits for an engine that does not answer at all. One that is restarted ends its
/// containers first, each with up to 10 seconds to go in order, and then needs a few to begin.
pub const AWAY: Duration = Duration::from_secs(90);

/// Makes `call` until it succeeds, fails in a way that trying again won't mend, or was tried
/// [`MOST_ATTEMPTS`] times, with growing and jittered pauses from 0.1 to 3 seconds. `noted` hears of every
/// failure that is tried again.
pub async fn with_retries<T>(
    call: impl AsyncFn() -> Result<T, Failure>,
    noted: impl FnMut(&Failure, Duration),
) -> Result<T, Failure> {
    attempts(call, noted, Duration::ZERO, &CancellationToken::new()).await
}

/// The same in the midst of work: one who does not answer at all is waited for besides, as long as
/// [`AWAY`] in all. However often one who is gone is back in between, there is an end. Once `cancel`
/// is cancelled nothing is tried again.
pub async fn with_patience<T>(
    call: impl AsyncFn() -> Result<T, Failure>,
    noted: impl FnMut(&Failure, Duration),
    cancel: &CancellationToken,
) -> Result<T, Failure> {
    attempts(call, noted, AWAY, cancel).await
}

async fn attempts<T>(
    call: impl AsyncFn() -> Result<T, Failure>,
    mut noted: impl FnMut(&Failure, Duration),
    away: Duration,
    cancel: &CancellationToken,
) -> Result<T, Failure> {
    let mut ordinary = pauses(MOST_ATTEMPTS - 1);
    let mut patience = away;
    let mut gone: Option<(Instant, _)> = None;
    loop {
        let asked = Instant::now();
        let failure = match call().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        if !failure.class.is_retryable() {
            return Err(failure);
        }
        let pause = if failure.class == FailureClass::Unreachable && !away.is_zero() {
            let (since, growing) = gone.get_or_insert_with(|| (Instant::now(), pauses(usize::MAX)));
            growing.next().filter(|_| since.elapsed() < patience)
        } else {
            if let Some((since, _)) = gone.take() {
                patience = patience.saturating_sub(asked - since);
            }
            ordinary.next()
        };
        let Some(pause) = pause else {
            return Err(failure);
        };
        noted(&failure, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return Err(failure),
        }
    }
}

/// Makes a call of one action until it is answered, as [`with_retries`] does: for actions that are made
/// of several calls, each of which may be made twice.
pub async fn again<T, F: Future<Output = Result<T, Failure>>>(
    call: impl FnMut() -> F,
) -> Result<T, Failure> {
    call.retry(rhythm().with_max_times(MOST_ATTEMPTS - 1))
        .when(|failure: &Failure| failure.class.is_retryable())
        .await
}

/// Makes a call that is a part of a look, and is made again with all others of it: once or twice more
/// where it went wrong at once, so that a look of five calls fails no more often than one of one. What was
/// waited for in vain, or is not there at all, is left to whoever looks.
pub(crate) async fn part_of_look<T, F: Future<Output = Result<T, Failure>>>(
    call: impl FnMut() -> F,
) -> Result<T, Failure> {
    call.retry(rhythm().with_max_times(2))
        .when(|failure: &Failure| {
            matches!(
                failure.class,
                FailureClass::Connection | FailureClass::Throttle
            )
        })
        .await
}

fn pauses(count: usize) -> impl Iterator<Item = Duration> {
    rhythm().with_max_times(count).build()
}

/// How far apart attempts are.
pub(crate) fn rhythm() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(3))
        .with_jitter()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn failure(class: FailureClass) -> Failure {
        Failure::new(class, "ask", "no")
    }

    /// A call that fails so for that long, and then succeeds.
    async fn until(
        class: FailureClass,
        end: Duration,
        cancel: &CancellationToken,
    ) -> (bool, usize) {
        let (begun, calls) = (Instant::now(), Cell::new(0));
        let call = async || {
            calls.set(calls.get() + 1);
            if begun.elapsed() < end {
                Err(failure(class))
            } else {
                Ok(())
            }
        };
        let result = with_patience(call, |_, _| {}, cancel).await;
        (result.is_ok(), calls.get())
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_is_gone_is_waited_for_and_one_who_errs_is_not_for_long() {
        let cancel = CancellationToken::new();
        let seconds = Duration::from_secs;
        assert!(
            until(FailureClass::Unreachable, seconds(60), &cancel)
                .await
                .0
        );
        assert!(
            !until(FailureClass::Unreachable, seconds(1000), &cancel)
                .await
                .0
        );
        let errs = until(FailureClass::Connection, seconds(60), &cancel).await;
        assert_eq!(errs, (false, MOST_ATTEMPTS));
        let refuses = until(FailureClass::Denied, seconds(60), &cancel).await;
        assert_eq!(refuses, (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_comes_and_goes_is_not_waited_for_without_end() {
        use FailureClass::{Connection, Throttle, Timeout, Unreachable};
        // How many of the first kind come before each of the second.
        for (absent, back) in [(1, Connection), (2, Timeout), (15, Throttle)] {
            let (begun, calls) = (Instant::now(), Cell::new(0));
            let call = async || {
                calls.set(calls.get() + 1);
                let class = match calls.get() % (absent + 1) {
                    0 => back,
                    _ => Unreachable,
                };
                Err::<(), _>(failure(class))
            };
            let cancel = CancellationToken::new();
            with_patience(call, |_, _| {}, &cancel).await.unwrap_err();
            assert!(calls.get() > absent + 1, "it has a second chance");
            let ordinary = Duration::from_secs(3) * 2 * MOST_ATTEMPTS as u32;
            assert!(begun.elapsed() < AWAY + ordinary, "{:?}", begun.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_only_looks_does_not_wait_for_one_who_is_gone() {
        let begun = Instant::now();
        let call = async || Err::<(), _>(failure(FailureClass::Unreachable));
        with_retries(call, |_, _| {}).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(15));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_of_a_look_is_asked_for_again_where_somebody_answers() {
        for (class, most) in [
            (FailureClass::Connection, 3),
            (FailureClass::Timeout, 1),
            (FailureClass::Unreachable, 1),
            (FailureClass::Denied, 1),
        ] {
            let calls = Cell::new(0);
            let call = async || {
                calls.set(calls.get() + 1);
                Err::<(), _>(failure(class))
            };
            part_of_look(call).await.unwrap_err();
            assert_eq!(calls.get(), most, "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_ends_the_wait() {
        let cancel = CancellationToken::new();
        let begun = Instant::now();
        let stop = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            cancel.cancel();
        };
        let wait = until(FailureClass::Unreachable, Duration::from_secs(60), &cancel);
        let ((succeeded, _), ()) = tokio::join!(wait, stop);
        assert!(!succeeded);
        assert_eq!(begun.elapsed().as_secs(), 5);
    }
}
