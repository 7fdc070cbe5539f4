//! Who one is on AWS, and in which region; the clients for all that is asked there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;

use super::clock;
use super::errors::failure;
use crate::engine::Failure;
use crate::engine::retry::again;
use crate::expiry::Clocks;

/// How long a connection may take, and how long one call may take with it: creating a hundred
/// instances takes AWS some ten seconds.
const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(60);

/// An account of AWS in one region. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    /// The region.
    pub region: Arc<str>,
    /// The part of AWS that the region is in: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: Arc<str>,
    /// The account's number.
    pub account: Arc<str>,
    /// Who one is there, as an ARN.
    pub identity: Arc<str>,
    /// What AWS's clock and this machine's said when the session began.
    pub clocks: Clocks,
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) ssm: aws_sdk_ssm::Client,
    pub(super) tagging: aws_sdk_resourcegroupstagging::Client,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Nothing says which region.
    #[error("no region is named")]
    NoRegion,
    /// AWS was asked who one is, and did not say.
    #[error(transparent)]
    Call(#[from] Failure),
}

impl Session {
    /// The session that the AWS configuration of this machine leads to, in `region` where one is
    /// given.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn connect(region: Option<&str>) -> Result<Self, SessionError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // What is tried again, and how often, is decided in one place: engine::retry.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(CALL)
                    .build(),
            );
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let region: Arc<str> = match config.region() {
            Some(region) => region.as_ref().into(),
            None => return Err(SessionError::NoRegion),
        };
        let sts = aws_sdk_sts::Client::new(&config);
        let date = DateOfAnswer::default();
        let asked = Timestamp::now();
        let answer = again(|| async {
            let request = sts.get_caller_identity().customize();
            let answer = request.interceptor(date.clone()).send().await;
            answer.map_err(|error| failure("ask AWS who this is", &error))
        })
        .await;
        let clocks = clock::of(date.get().as_deref(), asked, Timestamp::now());
        let answer = answer.map_err(|failure| clock::explain(failure, clocks))?;
        let identity: Arc<str> = answer.arn.unwrap_or_default().into();
        // arn:PARTITION:sts::ACCOUNT:…
        let partition = identity.split(':').nth(1).unwrap_or("aws").into();
        Ok(Self {
            region,
            partition,
            account: answer.account.unwrap_or_default().into(),
            identity,
            clocks,
            ec2: aws_sdk_ec2::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
        })
    }
}

/// Keeps the date of an answer, be it what was asked for or an error.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<String>>>);

impl DateOfAnswer {
    fn get(&self) -> Option<String> {
        self.0.lock().ok()?.clone()
    }
}

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        if let Ok(mut kept) = self.0.lock() {
            *kept = date;
        }
        Ok(())
    }
}
