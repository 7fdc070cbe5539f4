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
use tokio_util::sync::CancellationToken;

use super::clock;
use super::ecs::parameters::Account;
use super::errors::failure;
use super::limits::Limiter;
use super::silence::Silence;
use crate::engine::{Failure, FailureClass};
use crate::expiry::Clocks;
use crate::provider::aws::calls::again;

/// How long a connection may take, and how long one call may take with it: creating a hundred
/// instances takes AWS some ten seconds.
const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(30);
/// How long the first question may take, however often it is asked: where nobody answers it, nothing
/// is under way that would be worth more.
const FIRST: Duration = Duration::from_secs(20);

const FIRST_CALL: &str = "ask AWS who this is";
/// What to do where nobody answers.
pub(super) const REACH: &str = "look whether this machine reaches the internet, and at \
                                https://health.aws.amazon.com/; the same command again goes on from \
                                what is there";

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
    /// Cancelled when somebody wants an end: what changes something and still waits for its time to
    /// be called is not called any more.
    pub(super) cancel: CancellationToken,
    /// When which call may be made.
    pub(super) limiter: Arc<Limiter>,
    /// Who answers nobody.
    pub(super) silence: Arc<Silence>,
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) quotas: aws_sdk_servicequotas::Client,
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
    /// Where in AWS this is.
    pub fn account(&self) -> Account {
        Account {
            partition: self.partition.to_string(),
            region: self.region.to_string(),
            id: self.account.to_string(),
        }
    }

    /// The session that the AWS configuration of this machine leads to, in `region` where one is
    /// given. Once `cancel` is cancelled, no call that changes something is waited for.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn connect(
        region: Option<&str>,
        cancel: CancellationToken,
    ) -> Result<Self, SessionError> {
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
            answer.map_err(|error| failure(FIRST_CALL, &error))
        });
        let answer = tokio::time::timeout(FIRST, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(silent(&region)));
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
            cancel,
            limiter: Arc::default(),
            silence: Arc::default(),
            ec2: aws_sdk_ec2::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            quotas: aws_sdk_servicequotas::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
        })
    }
}

#[cfg(test)]
impl Session {
    /// One that never asked anybody, for calls that are answered otherwise.
    pub(super) fn of_nobody() -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .build();
        Self {
            region: "eu-central-1".into(),
            partition: "aws".into(),
            account: "123456789012".into(),
            identity: "arn:aws:iam::123456789012:user/nobody".into(),
            clocks: Clocks {
                engine: now,
                here: now,
            },
            cancel: CancellationToken::new(),
            limiter: Arc::default(),
            silence: Arc::default(),
            ec2: aws_sdk_ec2::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            quotas: aws_sdk_servicequotas::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
        }
    }
}

fn silent(region: &str) -> Failure {
    let message = format!("nobody answers in {region} within {} s", FIRST.as_secs());
    Failure::new(FailureClass::Timeout, FIRST_CALL, message).with_hint(REACH)
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
