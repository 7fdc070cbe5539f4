//! What should exist of an environment as instances.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::aws::MachineImage;
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Bond, Desired, Fingerprint, Key, Need, OnReset, Stage};
use crate::provider::aws::names;
use crate::provider::aws::observe::Observed;
use crate::provider::aws::scheme::{Aws, AwsKind, AwsStep, LaunchSpec, Marks, StackSpec};

/// The version of what an instance is made of, its user data among it.
const VERSION: u32 = 1;
/// How long an instance may take to fetch its stack's images.
const PULLING: Duration = Duration::from_secs(600);
/// How long its services may take to be ready then, unless they say otherwise.
const READY: Duration = Duration::from_secs(180);

/// What instances are planned with.
pub struct InstanceSettings<'a> {
    /// What exists.
    pub observed: &'a Observed,
    /// How many availability zones there are.
    pub zones: usize,
    /// The fingerprint of the event key.
    pub key: &'a str,
    /// What is said of a resource of that owner.
    pub marks: &'a dyn Fn(Owner, Fingerprint) -> Marks,
    /// What an instance needs of the network to be launched.
    pub place: &'a [Need<AwsKind>],
    /// What it needs of the network to be reached, and to reach others.
    pub network: &'a [Need<AwsKind>],
}

/// The instances of `seats`, and what runs in them.
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    settings: &InstanceSettings<'_>,
) -> Vec<Desired<Aws>> {
    let marks = settings.marks;
    let mut wanted = Vec::with_capacity(2 * seats.len());
    let fingerprint = instance_print(environment);
    let mut before: HashMap<SeatNumber, Vec<Arc<str>>> = HashMap::new();
    for thing in settings.observed.of(&environment.name) {
        if let (Some(_), Some(seat)) = (thing.instance(), thing.ownership.owner.seat()) {
            before.entry(seat).or_default().push(Arc::clone(&thing.id));
        }
    }
    let stack = stack_print(environment, settings.key);
    let patience = patience(environment);
    let zone = |seat: SeatNumber| {
        // Neighbours share a zone: a launch has its seats in one tag, and `1-100` fits in it.
        let total = environment.seats.total().max(1) as usize;
        (seat.index() * settings.zones / total).min(settings.zones.saturating_sub(1))
    };
    for &seat in seats {
        let mut before = before.remove(&seat).unwrap_or_default();
        before.sort();
        let spec = LaunchSpec {
            marks: marks(Owner::Seat(seat), fingerprint.clone()),
            seat,
            zone: zone(seat),
            before,
        };
        wanted.push(Desired {
            key: Key::new(AwsKind::Instance, names::seat(&environment.name, seat)),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint: fingerprint.clone(),
            stages: vec![
                Stage {
                    step: AwsStep::Launch(Arc::new(spec)),
                    needs: settings.place.to_vec(),
                },
                Stage::new(AwsStep::AwaitRunning),
            ],
            // A reset makes what runs in it anew, unless the workspace is to go as well.
            on_reset: OnReset::KeptWithWorkspace,
        });
        let spec = Arc::new(StackSpec { seat, patience });
        let mut reachable = settings.network.to_vec();
        reachable.push(Need {
            key: Key::new(AwsKind::Instance, names::seat(&environment.name, seat)),
            stages: 2,
            bond: Bond::Holds,
        });
        wanted.push(Desired {
            key: Key::new(AwsKind::Stack, names::seat(&environment.name, seat)),
            owner: Owner::Seat(seat),
            service: None,
            fingerprint: stack.clone(),
            stages: vec![
                Stage {
                    step: AwsStep::Deliver(Arc::clone(&spec)),
                    needs: reachable,
                },
                Stage::new(AwsStep::StartStack(Arc::clone(&spec))),
                Stage::new(AwsStep::AwaitStack(spec)),
                Stage::new(AwsStep::Mark(stack.clone())),
            ],
            on_reset: OnReset::Renewed,
        });
    }
    wanted
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
