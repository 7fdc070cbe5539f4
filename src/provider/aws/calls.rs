//! How calls are made: each at its time, and lists to their last page.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Session;
use super::errors::failure;
use super::limits::{Action, Permit};
use crate::engine::retry::again;
use crate::engine::{Failure, FailureClass};

/// How often a call is made that AWS throttles: the limiter says when, with pauses that grow to some
/// seconds. Then whoever made it learns of it, and may try again.
const MOST_THROTTLED: u32 = 8;

impl Session {
    /// Makes a call of an API's action when its time has come, and once more where AWS throttles it,
    /// since then it has certainly not worked. `request` sends it.
    ///
    /// # Errors
    /// What AWS says, classified; or that somebody interrupted it before it was made.
    pub(super) async fn call<T, E, F>(
        &self,
        action: Action,
        request: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.call_with(action, 1, request).await
    }

    /// The same for a call that launches or ends so many instances or tasks.
    ///
    /// # Errors
    /// As of [`Session::call`].
    pub(super) async fn call_with<T, E, F>(
        &self,
        action: Action,
        units: u32,
        request: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut throttled = 0;
        loop {
            let permit = self.permit(action, units).await?;
            let failure = match request().await {
                Ok(answer) => {
                    permit.passed();
                    return Ok(answer);
                }
                Err(error) => failure(action.name, &error),
            };
            match failure.class {
                FailureClass::Throttle => {
                    permit.throttled();
                    throttled += 1;
                    if throttled < MOST_THROTTLED {
                        continue;
                    }
                }
                // Nobody knows whether AWS has seen it.
                FailureClass::Connection | FailureClass::Unreachable | FailureClass::Timeout => {}
                _ => permit.passed(),
            }
            return Err(failure);
        }
    }

    /// Waits until the call may be made, where something is to be changed no longer than until
    /// somebody wants an end.
    async fn permit(&self, action: Action, units: u32) -> Result<Permit<'_>, Failure> {
        tokio::select! {
            biased;
            permit = self.limiter.acquire(action, units) => Ok(permit),
            () = self.cancel.cancelled(), if action.changes() => Err(Failure::new(
                FailureClass::Throttle,
                action.name,
                "interrupted before it was its turn",
            )),
        }
    }

    /// Everything that a list has, page by page. `request` asks for the page of a token, `split`
    /// takes a page apart into its items and the next page's token. A page that stumbles is asked for
    /// again, and not those before it.
    ///
    /// # Errors
    /// What AWS says, classified.
    pub(super) async fn pages<T, P, E, F>(
        &self,
        action: Action,
        request: impl Fn(Option<String>) -> F + Send + Sync,
        split: impl Fn(P) -> (Vec<T>, Option<String>) + Send + Sync,
    ) -> Result<Vec<T>, Failure>
    where
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = again(|| self.call(action, || request(token.clone()))).await?;
            let (items, next) = split(page);
            all.extend(items);
            token = next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "errors of the SDK are")]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use tokio::time::Instant;

    use super::*;

    const CREATE: Action = Action::ec2("CreateVpc");
    const LIST: Action = Action::ec2("DescribeVpcs");

    type Answer = Result<(), SdkError<GetCallerIdentityError, HttpResponse>>;

    fn error(code: &str, status: u16) -> Answer {
        let metadata = ErrorMetadata::builder().code(code).build();
        let status = StatusCode::try_from(status).unwrap();
        let raw = HttpResponse::new(status, SdkBody::empty());
        let error = GetCallerIdentityError::generic(metadata);
        Err(SdkError::service_error(error, raw))
    }

    /// What comes of a call that AWS answers like this, attempt by attempt, and the last way for ever.
    async fn made(session: &Session, answers: Vec<(&'static str, u16)>) -> Result<(), Failure> {
        let answers = Mutex::new(VecDeque::from(answers));
        let answered = || {
            let mut answers = answers.lock().unwrap();
            let next = match answers.len() {
                1 => answers.front().copied(),
                _ => answers.pop_front(),
            };
            let answer = next.map_or(Ok(()), |(code, status)| match code {
                "" => Ok(()),
                code => error(code, status),
            });
            async { answer }
        };
        session.call(CREATE, answered).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_throttled_is_made_again_when_the_limiter_says_so() {
        let (session, begun) = (Session::of_nobody(), Instant::now());
        let answers = vec![
            ("RequestLimitExceeded", 503),
            ("RequestLimitExceeded", 503),
            ("", 200),
        ];
        made(&session, answers).await.unwrap();
        // A second, and two.
        assert!(begun.elapsed() >= Duration::from_millis(2900));
        let count = session.limiter.counts()[&CREATE];
        assert_eq!((count.calls, count.throttled), (3, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_always_throttled_fails_in_the_end() {
        let session = Session::of_nobody();
        let failure = made(&session, vec![("Throttling", 400)]).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Throttle);
        assert_eq!(failure.call, "CreateVpc");
        let count = session.limiter.counts()[&CREATE];
        assert_eq!(count.throttled, u64::from(MOST_THROTTLED));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_may_have_worked_or_is_refused_is_not_made_again_here() {
        for code in [("VpcLimitExceeded", 400), ("InternalError", 500)] {
            let session = Session::of_nobody();
            made(&session, vec![code]).await.unwrap_err();
            assert_eq!(session.limiter.counts()[&CREATE].calls, 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_ends_the_wait_of_what_changes_something_and_not_that_of_a_look() {
        let session = Session::of_nobody();
        session.cancel.cancel();
        let sent = AtomicU32::new(0);
        let request = || {
            sent.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, SdkError<GetCallerIdentityError, HttpResponse>>(()) }
        };
        let failure = loop {
            if let Err(failure) = session.call(CREATE, request).await {
                break failure;
            }
        };
        assert_eq!(failure.class, FailureClass::Throttle);
        // What need not wait is made: it may be what puts something right.
        assert!(sent.load(Ordering::Relaxed) > 40, "{sent:?}");
        for _ in 0..200 {
            session.call(LIST, request).await.unwrap();
        }
    }
}
