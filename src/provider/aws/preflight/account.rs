//! What an account says before there is a plan: what it may have, and has.

use super::types::{self, Types};
use super::{fargate, vcpus};
use crate::engine::Failure;
use crate::model::Environment;
use crate::model::environment::ProviderKind;
use crate::provider::aws::Session;

/// What an account says of room for an environment's seats, whatever a plan needs.
#[derive(Debug)]
pub struct Account {
    /// What the types of instances are.
    pub types: Result<Types, Failure>,
    /// The room for instances, where it is known which quota the first type counts in.
    pub instances: Option<vcpus::Room>,
    /// The room for tasks, where they have a quota.
    pub tasks: Option<fargate::Room>,
}

/// Asks for all that is of interest to an environment, at the same time.
pub async fn ask(session: &Session, environment: &Environment) -> Account {
    if environment.provider == ProviderKind::Ecs {
        return Account {
            types: Ok(Types::new()),
            instances: None,
            tasks: fargate::look(session, environment.ecs.capacity).await,
        };
    }
    let settings = &environment.ec2;
    let room = async {
        let first = settings.types.first()?;
        vcpus::look(session, first, settings.market).await
    };
    let (types, instances) = tokio::join!(types::describe(session, &settings.types), room);
    Account {
        types,
        instances,
        tasks: None,
    }
}
