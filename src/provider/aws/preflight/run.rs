//! All checks of a plan, at the same time.

use std::sync::Arc;

use super::need::Need;
use super::types;
use super::{container_instances, fargate, identity, image, rules, vcpus, vpcs, zones};
use crate::engine::Failure;
use crate::model::Environment;
use crate::model::environment::ProviderKind;
use crate::provider::aws::Session;
use crate::provider::aws::ec2::Image;
use crate::provider::preflight::{Check, Preflight};

/// Where and for what, besides what the plan needs.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Where.
    pub session: &'a Session,
    /// For what.
    pub environment: &'a Environment,
    /// The zones of the environment's subnets that nobody has looked at.
    pub zones: &'a [Arc<str>],
    /// How many VPCs the region has, whosever they are.
    pub vpcs: u64,
}

/// Looks whether an account has room for what a plan needs. `image` finds the instances' image.
pub async fn run<'i>(
    around: Surroundings<'_>,
    need: &Need,
    image: impl Future<Output = Result<&'i Image, Failure>>,
) -> Preflight {
    let Surroundings {
        session,
        environment,
        ..
    } = around;
    let mut checks = vec![identity::check(session)];
    let network = async {
        match need.vpcs {
            0 => None,
            vpcs => Some(vpcs::check(session, around.vpcs, vpcs).await),
        }
    };
    let seats = async {
        match environment.provider {
            ProviderKind::Ec2 if need.instances > 0 => instances(around, need, image).await,
            ProviderKind::Ecs if need.tasks > 0 => {
                let capacity = environment.ecs.capacity;
                vec![match fargate::check(session, need, capacity).await {
                    Some(room) => room,
                    None => container_instances::check(session, &environment.name).await,
                }]
            }
            _ => Vec::new(),
        }
    };
    let rules = async {
        match need.vpcs + need.instances + need.tasks {
            0 => None,
            _ => rules::check(session, environment).await,
        }
    };
    let (network, rules, seats) = tokio::join!(network, rules, seats);
    checks.extend(seats);
    checks.extend(network);
    checks.extend(rules);
    Preflight { checks }
}

async fn instances<'i>(
    around: Surroundings<'_>,
    need: &Need,
    image: impl Future<Output = Result<&'i Image, Failure>>,
) -> Vec<Check> {
    let (session, settings) = (around.session, &around.environment.ec2);
    let room = async {
        match settings.types.first() {
            Some(kind) => Some((kind, vcpus::look(session, kind, settings.market).await)),
            None => None,
        }
    };
    let offered = async {
        match around.zones {
            [] => None,
            zones => Some(zones::check(session, &settings.types, zones).await),
        }
    };
    let described = types::describe(session, &settings.types);
    let (described, room, image, offered) = tokio::join!(described, room, image, offered);
    let mut checks = types::check(settings, &described);
    let known = described.unwrap_or_default();
    checks.push(image::check(image, &known, &settings.types));
    checks.extend(offered);
    checks.extend(match room {
        Some((_, Some(room))) => Some(vcpus::check(session, need, room, &known).await),
        Some((kind, None)) => Some(vcpus::unknown(kind)),
        None => None,
    });
    checks
}
