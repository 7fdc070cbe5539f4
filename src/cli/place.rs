//! Where seats live, and the provider that goes with it. Verbs are written once for all of them.

#[cfg(feature = "aws")]
use std::path::PathBuf;

use jiff::Timestamp;

use super::context::{self, Context};
use super::error::{Error, Result};
use super::interruption::Interruption;
use crate::image::Recipes;
use crate::model::Environment;
use crate::model::environment::ProviderKind;
#[cfg(feature = "aws")]
use crate::provider::aws::{AwsProvider, Session, SessionError};
use crate::provider::docker::DockerProvider;
use crate::provider::docker::connect::Engine;

/// A place that answers.
pub enum Place {
    /// A Docker engine.
    Docker(Engine),
    /// An account of AWS, in one region.
    #[cfg(feature = "aws")]
    Aws(Session, ProviderKind),
}

/// A provider that only looks, extends and deletes: it has no environment.
#[cfg_attr(
    feature = "aws",
    expect(
        clippy::large_enum_variant,
        reason = "a process has one of them, and moves it twice"
    )
)]
pub enum AnyProvider {
    /// On a Docker engine.
    Docker(DockerProvider),
    /// On AWS.
    #[cfg(feature = "aws")]
    Aws(AwsProvider),
}

/// An environment, with the provider that its seats live with.
#[cfg_attr(
    feature = "aws",
    expect(
        clippy::large_enum_variant,
        reason = "a process has one of them, and moves it twice"
    )
)]
pub enum AnyContext {
    /// On a Docker engine.
    Docker(Context<DockerProvider>),
    /// On AWS.
    #[cfg(feature = "aws")]
    Aws(Context<AwsProvider>),
}

/// The same expression for whichever provider it is.
macro_rules! with_provider {
    ($any:ident, $value:expr, $name:ident => $body:expr) => {
        match $value {
            $any::Docker($name) => $body,
            #[cfg(feature = "aws")]
            $any::Aws($name) => $body,
        }
    };
}
pub(super) use with_provider;

impl Place {
    /// The place of an environment's seats.
    pub async fn of(environment: &Environment, interruption: &Interruption) -> Result<Self> {
        let region = environment.aws.region.as_deref();
        Self::find(environment.provider, region, interruption).await
    }

    /// The engine that the `docker` command would use here, or what the AWS configuration of this
    /// machine leads to; in `region` where one is given.
    pub async fn find(
        kind: ProviderKind,
        region: Option<&str>,
        interruption: &Interruption,
    ) -> Result<Self> {
        match kind {
            ProviderKind::Docker => Ok(Self::Docker(context::engine().await?)),
            #[cfg(feature = "aws")]
            ProviderKind::Ec2 | ProviderKind::Ecs => {
                Ok(Self::Aws(session(region, interruption).await?, kind))
            }
            #[cfg(not(feature = "aws"))]
            ProviderKind::Ec2 | ProviderKind::Ecs => {
                let _ = (region, interruption);
                Err(without_aws(kind))
            }
        }
    }

    /// What `sweep` is told to look there and nowhere else.
    pub fn arguments(&self) -> String {
        match self {
            Self::Docker(_) => String::new(),
            #[cfg(feature = "aws")]
            Self::Aws(session, kind) => format!(" --provider {kind} --region {}", session.region),
        }
    }

    /// What a person should know of more time there.
    pub fn extension_notice(&self) -> Option<String> {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(_, ProviderKind::Ecs) => Some(
                "a task that has no way to ECS, as on instances of your own without NAT, ends at its old \
                 time; `seatbox reset --workspace` gives a seat one with the new end"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// ` in REGION`, where the place is one of several.
    pub fn words(&self) -> String {
        match self {
            Self::Docker(_) => String::new(),
            #[cfg(feature = "aws")]
            Self::Aws(session, _) => format!(" in {}", session.region),
        }
    }

    /// A provider without an environment.
    pub fn bare(&self) -> AnyProvider {
        match self {
            Self::Docker(engine) => AnyProvider::Docker(bare_engine(engine)),
            #[cfg(feature = "aws")]
            Self::Aws(session, kind) => AnyProvider::Aws(AwsProvider::new(
                session.clone(),
                *kind,
                None,
                None,
                PathBuf::new(),
            )),
        }
    }
}

/// What is said where AWS is asked for and not built in.
#[cfg(not(feature = "aws"))]
pub fn without_aws(kind: ProviderKind) -> Error {
    Error::usage(
        format!("this seatbox was built without AWS, and so without {kind}"),
        "build it with the feature `aws`, which is on by default",
    )
}

#[cfg(feature = "aws")]
async fn session(region: Option<&str>, interruption: &Interruption) -> Result<Session> {
    let cancel = interruption.cancel.clone();
    Session::connect(region, cancel)
        .await
        .map_err(|error| match error {
            SessionError::NoRegion => Error::usage(
                "nothing says in which region of AWS the seats are to live",
                "write `aws: {region: ap-southeast-1}`, or set AWS_REGION",
            ),
            SessionError::Call(failure) => Error::Call(failure),
        })
}

/// An engine as a provider without an environment.
pub fn bare_engine(engine: &Engine) -> DockerProvider {
    let now = Timestamp::now();
    DockerProvider::new(engine.clone(), None, None, Recipes::default(), now)
}
