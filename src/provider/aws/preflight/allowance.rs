//! What an account may have, and has, whatever a plan needs.

use super::quota::Room;
use super::types::{self, Types};
use super::{fargate, vcpus};
use crate::engine::Failure;
use crate::model::Environment;
use crate::model::environment::ProviderKind;
use crate::provider::aws::Session;

/// What an account may have of what an environment's seats are made of, and has.
#[derive(Debug)]
pub struct Allowance {
    /// What the types of instances are.
    pub types: Result<Types, Failure>,
    /// The room for instances, where it is known which quota the first type counts in.
    pub instances: Option<Room<vcpus::Running>>,
    /// The room for tasks, where these have a quota: on Fargate.
    pub tasks: Option<Room<fargate::Running>>,
}

/// Asks for all that is of interest to an environment, at the same time.
pub async fn ask(session: &Session, environment: &Environment) -> Allowance {
    if environment.provider == ProviderKind::Ecs {
        return Allowance {
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
    Allowance {
        types,
        instances,
        tasks: None,
    }
}
