//! How calls are made: each at its time, and lists to their last page.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Session;
use super::errors::failure;
use crate::engine::Failure;
use crate::engine::retry::again;

impl Session {
    /// Makes one call of an API's action.
    ///
    /// # Errors
    /// What AWS says, classified.
    pub(super) async fn call<T, E>(
        &self,
        action: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        answer.await.map_err(|error| failure(action, &error))
    }

    /// Everything that a list has, page by page. `request` asks for the page of a token, `split`
    /// takes a page apart into its items and the next page's token. A page that stumbles is asked for
    /// again, and not those before it.
    ///
    /// # Errors
    /// What AWS says, classified.
    pub(super) async fn pages<T, P, E, F>(
        &self,
        action: &'static str,
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
            let page = again(|| self.call(action, request(token.clone()))).await?;
            let (items, next) = split(page);
            all.extend(items);
            token = next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
    }
}
