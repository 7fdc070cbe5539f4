//! What should exist of an environment on AWS.

use std::sync::Arc;

use jiff::Timestamp;

use super::ecs::parameters::Account;
use super::network::{self, Network};
use super::observe::Observed;
use super::scheme::Marks;
use super::{ec2, ecs};
use crate::engine::Failure;
use crate::model::environment::ProviderKind;
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::Fingerprint;

/// What the plan is made with, besides the environment.
pub struct Surroundings<'a> {
    /// Where.
    pub account: &'a Account,
    /// What exists.
    pub observed: &'a Observed,
    /// The availability zones of the environment's subnets.
    pub zones: &'a [Arc<str>],
    /// The fingerprint of the event key.
    pub key: &'a str,
    /// When what is created now may be swept away.
    pub expires: Timestamp,
}

/// What should exist of `seats`, with the network that they live in.
///
/// # Errors
/// What of the environment its provider can't do.
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    around: &Surroundings<'_>,
) -> Result<Network, Failure> {
    let marks = |owner, fingerprint: Fingerprint| Marks {
        owner,
        fingerprint,
        key: (owner != Owner::Shared).then(|| around.key.into()),
        expires: around.expires,
    };
    let mut network = network::desired(environment, around.observed, around.zones, |print| {
        marks(Owner::Shared, print)
    });
    let seats = match environment.provider {
        ProviderKind::Ecs => {
            let settings = ecs::TaskSettings {
                account: around.account,
                observed: around.observed,
                key: around.key,
                marks: &marks,
                network: &network.needs,
            };
            ecs::desired(environment, seats, &settings)?
        }
        _ => {
            let settings = ec2::InstanceSettings {
                observed: around.observed,
                zones: around.zones.len(),
                key: around.key,
                marks: &marks,
                place: &network.place,
                network: &network.needs,
            };
            ec2::desired(environment, seats, &settings)
        }
    };
    network.desired.extend(seats);
    Ok(network)
}
