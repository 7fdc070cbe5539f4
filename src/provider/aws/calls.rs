//! How calls are made: each at its time, and lists to their last page.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use backon::Retryable as _;
use futures_util::{Stream, TryStreamExt as _, stream};

use super::Session;
use super::errors::failure;
use super::limits::{Action, Permit};
use super::session::REACH;
use crate::engine::retry::{MOST_ATTEMPTS, rhythm};
use crate::engine::{Failure, FailureClass};

/// How often a call is made that AWS throttles: the limiter says when, with pauses that grow to some
/// seconds. Then whoever made it learns of it, and may try again.
const MOST_THROTTLED: u32 = 8;

/// Makes a call that may be made twice until it is answered. A service that answers nobody is left to
/// whoever waits for the whole action.
///
/// # Errors
/// The last attempt's.
pub async fn again<T, F: Future<Output = Result<T, Failure>>>(
    call: impl FnMut() -> F,
) -> Result<T, Failure> {
    again_if(call, is_answered).await
}

/// The same after failures for which that helps.
async fn again_if<T, F: Future<Output = Result<T, Failure>>>(
    call: impl FnMut() -> F,
    helps: impl FnMut(&Failure) -> bool,
) -> Result<T, Failure> {
    call.retry(rhythm().with_max_times(MOST_ATTEMPTS - 1))
        .when(helps)
        .await
}

/// Whether the same call may be answered another time.
fn is_answered(failure: &Failure) -> bool {
    failure.class.is_retryable() && failure.class != FailureClass::Unreachable
}

impl Session {
    /// Makes a call of an API's action when its time has come, and once more where AWS throttles it,
    /// since then it has certainly not worked. What changes nothing is asked until it is answered: a
    /// look is made of many, and one that stumbles must not cost those before it. `request` sends it.
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
        if action.changes() {
            self.once(action, units, request).await
        } else {
            // What is throttled was waited for already.
            let stumbled =
                |failure: &Failure| is_answered(failure) && failure.class != FailureClass::Throttle;
            again_if(|| self.once(action, units, &request), stumbled).await
        }
    }

    /// Makes a call once, or more often where AWS throttles it.
    async fn once<T, E, F>(
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
            // The SDK's futures are large, and lie in those of all who wait for them.
            let failure = match self.ask(action, Box::pin(request())).await {
                Ok(answer) => {
                    permit.passed();
                    return Ok(answer);
                }
                Err(failure) => failure,
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

    /// Makes a call, unless its service is known to answer nobody.
    async fn ask<T, E>(
        &self,
        action: Action,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let silent = || {
            let message = format!("nobody answers in {}", self.region);
            Failure::new(FailureClass::Unreachable, action.name, message).with_hint(REACH)
        };
        let turn = self.silence.turn(action.service).ok_or_else(silent)?;
        let error = match request.await {
            Ok(answer) => {
                turn.answered();
                return Ok(answer);
            }
            Err(error) => error,
        };
        let failure = failure(action.name, &error);
        if error.raw_response().is_some() {
            turn.answered();
        } else if failure.class == FailureClass::Timeout && turn.is_silent() {
            return Err(silent());
        }
        Err(failure)
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
    /// takes a page apart into its items and the next page's token.
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
        self.each_page(action, request, split).try_concat().await
    }

    /// The same as a stream of what each page has, so that whoever needs one more call for each can make
    /// it while the next page is on its way.
    pub(super) fn each_page<T, P, E, F>(
        &self,
        action: Action,
        request: impl Fn(Option<String>) -> F + Send + Sync,
        split: impl Fn(P) -> (Vec<T>, Option<String>) + Send + Sync,
    ) -> impl Stream<Item = Result<Vec<T>, Failure>>
    where
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        /// Which page is next.
        enum Next {
            First,
            After(String),
            None,
        }
        let calls = Arc::new((request, split));
        stream::try_unfold(Next::First, move |next| {
            let calls = Arc::clone(&calls);
            async move {
                let (request, split) = &*calls;
                let token = match next {
                    Next::First => None,
                    Next::After(token) => Some(token),
                    Next::None => return Ok(None),
                };
                let page = self.call(action, || request(token.clone())).await?;
                let (items, next) = split(page);
                let next = next.filter(|token| !token.is_empty());
                Ok(Some((items, next.map_or(Next::None, Next::After))))
            }
        })
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
    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep};

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
    async fn a_look_that_is_always_throttled_takes_as_long_as_any_call() {
        let (session, begun) = (Session::of_nobody(), Instant::now());
        let asked = AtomicU32::new(0);
        let request = || {
            asked.fetch_add(1, Ordering::Relaxed);
            async { error("Throttling", 400) }
        };
        let failure = session.call(LIST, request).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Throttle);
        assert_eq!(asked.into_inner(), MOST_THROTTLED);
        assert!(begun.elapsed() < Duration::from_secs(60));
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
    async fn a_look_that_stumbles_is_taken_again_and_one_that_is_refused_is_not() {
        let session = Session::of_nobody();
        let asked = |code, times| {
            let (session, asked) = (&session, AtomicU32::new(0));
            async move {
                let request = || {
                    let answer = match asked.fetch_add(1, Ordering::Relaxed) {
                        attempt if attempt < times => error(code, 500),
                        _ => Ok(()),
                    };
                    async { answer }
                };
                let answer = session.call(LIST, request).await;
                (answer.is_ok(), asked.into_inner())
            }
        };
        assert_eq!(asked("InternalError", 2).await, (true, 3));
        let most = u32::try_from(MOST_ATTEMPTS).unwrap();
        assert_eq!(asked("InternalError", most).await, (false, most));
        assert_eq!(asked("UnauthorizedOperation", 1).await, (false, 1));
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

    async fn worked() -> Answer {
        Ok(())
    }

    /// What comes of so many calls at once, of which each waits in vain; and how many were sent.
    async fn in_vain(session: &Session, action: Action, count: usize) -> (Vec<FailureClass>, u32) {
        let sent = AtomicU32::new(0);
        let calls = (0..count).map(|_| {
            let request = || async {
                sent.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(30)).await;
                let answer: Answer = Err(SdkError::timeout_error("no answer"));
                answer
            };
            async move { session.call(action, request).await.unwrap_err().class }
        });
        let classes = join_all(calls).await;
        (classes, sent.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_answers_nobody_is_found_out_once_and_answers_again_when_it_does() {
        let (session, begun) = (Session::of_nobody(), Instant::now());
        session.call(LIST, worked).await.unwrap();
        let (classes, sent) = in_vain(&session, LIST, 20).await;
        assert_eq!(classes, [FailureClass::Unreachable; 20]);
        assert_eq!((sent, begun.elapsed().as_secs()), (20, 30));
        // From now on one of them finds out.
        let (classes, sent) = in_vain(&session, LIST, 20).await;
        assert_eq!(classes, [FailureClass::Unreachable; 20]);
        assert_eq!((sent, begun.elapsed().as_secs()), (1, 60));
        // Other services are other machines.
        let other = Action::ecs("ListTasks");
        session.call(other, worked).await.unwrap();
        // An error is an answer, too.
        made(&session, vec![("VpcLimitExceeded", 400)])
            .await
            .unwrap_err();
        let (_, sent) = in_vain(&session, LIST, 3).await;
        assert_eq!(sent, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_slow_among_others_is_not_a_service_that_answers_nobody() {
        let session = Session::of_nobody();
        let answered = async {
            sleep(Duration::from_secs(20)).await;
            made(&session, vec![("", 200)]).await.unwrap();
        };
        let ((classes, _), ()) = tokio::join!(in_vain(&session, CREATE, 2), answered);
        assert_eq!(classes, [FailureClass::Timeout; 2]);
    }
}
