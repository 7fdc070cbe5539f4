//! All checks of a plan, at the same time.

use std::sync::Arc;

use super::allowance::Allowance;
use super::need::Need;
use super::types::{self, Types};
use super::{container_instances, fargate, identity, image, rules, vcpus, vpcs, zones};
use crate::engine::Failure;
use crate::model::Environment;
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

/// Looks whether an account has room for what a plan needs. `allowance` asks what it has, and `image` finds
/// the instances' image.
pub async fn run<'p>(
    around: Surroundings<'_>,
    need: &Need,
    allowance: impl Future<Output = &'p Allowance>,
    image: impl Future<Output = Result<&'p Image, Failure>>,
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
        match (need.instances, need.tasks) {
            (0, 0) => Vec::new(),
            (0, _) => vec![tasks(around, need, allowance.await).await],
            _ => instances(around, need, allowance, image).await,
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

async fn tasks(around: Surroundings<'_>, need: &Need, allowance: &Allowance) -> Check {
    match &allowance.tasks {
        Some(room) => fargate::check(around.session, need, room),
        None => container_instances::check(around.session, &around.environment.name).await,
    }
}

async fn instances<'p>(
    around: Surroundings<'_>,
    need: &Need,
    allowance: impl Future<Output = &'p Allowance>,
    image: impl Future<Output = Result<&'p Image, Failure>>,
) -> Vec<Check> {
    let (session, settings) = (around.session, &around.environment.ec2);
    let offered = async {
        match around.zones {
            [] => None,
            zones => Some(zones::check(session, &settings.types, zones).await),
        }
    };
    let (allowance, image, offered) = tokio::join!(allowance, image, offered);
    let mut checks = types::check(settings, &allowance.types);
    let nothing = Types::new();
    let known = allowance.types.as_ref().unwrap_or(&nothing);
    checks.push(image::check(image, known, &settings.types));
    checks.extend(offered);
    // Quotas count by the type that is asked for first.
    if let Some(kind) = settings.types.first() {
        checks.push(match &allowance.instances {
            Some(room) => vcpus::check(session, need, kind, room, known).await,
            None => vcpus::unknown(kind),
        });
    }
    checks
}
