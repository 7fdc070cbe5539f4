//! What should exist of an environment on AWS, seat by seat.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::names;
use super::network::{self, Network};
use super::observe::Observed;
use super::scheme::{AwsKind, AwsStep, LaunchSpec, Marks, StackSpec};
use crate::model::aws::MachineImage;
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Bond, Desired, Fingerprint, Key, Need, Stage};

/// The version of what an instance is made of, its user data among it.
const VERSION: u32 = 1;

/// How long an instance may take to fetch its stack's images.
const PULLING: Duration = Duration::from_secs(600);
/// How long its services may take to be ready then, unless they say otherwise.
const READY: Duration = Duration::from_secs(180);

/// What the plan is made with, besides the environment.
pub struct Surroundings<'a> {
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
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    around: &Surroundings<'_>,
) -> Network {
    let marks = |owner, fingerprint| Marks {
        owner,
        fingerprint,
        key: (owner != Owner::Shared).then(|| around.key.into()),
        expires: around.expires,
    };
    let mut network = network::desired(environment, around.observed, around.zones, |print| {
        marks(Owner::Shared, print)
    });
    let fingerprint = instance_print(environment);
    let mut before: HashMap<SeatNumber, Vec<Arc<str>>> = HashMap::new();
    for thing in around.observed.of(&environment.name) {
        if let (Some(_), Some(seat)) = (thing.instance(), thing.ownership.owner.seat()) {
            before.entry(seat).or_default().push(Arc::clone(&thing.id));
        }
    }
    let stack = stack_print(environment, around.key);
    let patience = patience(environment);
    let zones = around.zones.len().max(1);
    for &seat in seats {
        let mut before = before.remove(&seat).unwrap_or_default();
        before.sort();
        let spec = LaunchSpec {
            marks: marks(Owner::Seat(seat), fingerprint.clone()),
            seat,
            zone: seat.index() % zones,
            before,
        };
        network.desired.push(Desired {
            key: Key::new(AwsKind::Instance, names::seat(&environment.name, seat)),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint: fingerprint.clone(),
            stages: vec![
                Stage {
                    step: AwsStep::Launch(Arc::new(spec)),
                    needs: network.needs.clone(),
                },
                Stage::new(AwsStep::AwaitRunning),
            ],
            // A reset makes what runs in it anew, unless the workspace is to go as well.
            kept_on_reset: true,
        });
        let spec = Arc::new(StackSpec { seat, patience });
        network.desired.push(Desired {
            key: Key::new(AwsKind::Stack, names::seat(&environment.name, seat)),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint: stack.clone(),
            stages: vec![
                Stage {
                    step: AwsStep::Deliver(Arc::clone(&spec)),
                    needs: vec![Need {
                        key: Key::new(AwsKind::Instance, names::seat(&environment.name, seat)),
                        stages: 2,
                        bond: Bond::Holds,
                    }],
                },
                Stage::new(AwsStep::StartStack(Arc::clone(&spec))),
                Stage::new(AwsStep::AwaitStack(spec)),
                Stage::new(AwsStep::Mark(stack.clone())),
            ],
            kept_on_reset: false,
        });
    }
    network
}

/// What runs in an instance is made of.
pub fn stack_print(environment: &Environment, key: &str) -> Fingerprint {
    Fingerprint::of(&(
        VERSION,
        &environment.stack,
        &environment.workspace.files,
        key,
    ))
}

/// How long a stack may take to be ready: its images come from afar.
fn patience(environment: &Environment) -> Duration {
    let services = environment.stack.services.values();
    let longest = services
        .filter_map(|service| service.seatbox.ready_timeout)
        .max();
    PULLING + longest.unwrap_or(READY)
}

/// What an instance is made of. Its type is not: another one that is as good needs no new seat.
fn instance_print(environment: &Environment) -> Fingerprint {
    let settings = &environment.ec2;
    let image = match &settings.image {
        MachineImage::Parameter(name) | MachineImage::Id(name) => name,
    };
    Fingerprint::of(&(
        VERSION,
        image,
        settings.disk_gib,
        &settings.instance_profile,
    ))
}
