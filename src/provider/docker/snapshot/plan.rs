//! Which snapshots an environment's services have, and which are there.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::image::{Choice, Origin};
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber, Service};
use crate::plan::{Desired, Fingerprint, Key, OnReset, Stage};
use crate::provider::docker::layout::needed_image;
use crate::provider::docker::names;
use crate::provider::docker::observe::{Observed, SnapshotImage};
use crate::provider::docker::scheme::{Docker, DockerKind, DockerStep};

/// Raised whenever a snapshot is made in another way than before.
const VERSION: u32 = 2;
/// From how many new volumes on a snapshot is made: making one takes some seconds, a first start
/// without one about one of a core.
pub const FEWEST: usize = 3;

/// What a snapshot is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotSpec {
    /// The service whose first start it holds.
    pub service: Arc<Service>,
    /// The image that it begins with.
    pub base: Arc<str>,
    /// The reference that it gets.
    pub reference: Arc<str>,
    /// When what is left of making it may be swept away.
    pub expires: Timestamp,
}

/// A service's snapshot, as far as it is known before anything is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What it is made from.
    pub spec: Arc<SnapshotSpec>,
    /// Whether the engine has it, made from the image that the service runs now.
    pub present: bool,
}

impl Planned {
    /// What has to be there for it to be made, and what makes it.
    pub fn made(&self) -> Desired<Docker> {
        let spec = &self.spec;
        let mut make = Stage::new(DockerStep::MakeSnapshot(Arc::clone(spec)));
        make.needs.push(needed_image(&spec.base));
        Desired {
            key: Key::new(DockerKind::Image, Arc::clone(&spec.reference)),
            owner: Owner::Shared,
            service: Some(spec.service.name.clone()),
            fingerprint: Fingerprint::of(&spec.reference),
            stages: vec![make],
            on_reset: OnReset::Kept,
        }
    }
}

/// The snapshots of the services that have one, in the stack's order.
pub fn snapshots(
    services: &[Arc<Service>],
    images: &HashMap<&str, &Choice>,
    present: &[SnapshotImage],
    expires: Timestamp,
) -> Vec<Planned> {
    services
        .iter()
        .filter(|service| service.seatbox.snapshot.is_some())
        .filter_map(|service| {
            let choice = images.get(service.image.as_str())?;
            let reference: Arc<str> = reference(service, &choice.reference).into();
            let present = match &choice.origin {
                Origin::Present { id } => present
                    .iter()
                    .any(|image| *image.reference == *reference && image.base == *id),
                _ => false,
            };
            let spec = Arc::new(SnapshotSpec {
                service: Arc::clone(service),
                base: Arc::clone(&choice.reference),
                reference,
                expires,
            });
            Some(Planned { spec, present })
        })
        .collect()
}

/// How many of `seats` lack a volume that the service's snapshot fills.
pub fn new_volumes(
    environment: &Environment,
    service: &Service,
    seats: &[SeatNumber],
    observed: &Observed,
) -> usize {
    let there: std::collections::HashSet<&str> = observed
        .volumes
        .iter()
        .map(|volume| volume.name.as_str())
        .collect();
    let lacks = |seat: &&SeatNumber| {
        service
            .snapshot_volumes()
            .any(|(name, _)| !there.contains(&*names::volume(&environment.name, **seat, name)))
    };
    seats.iter().filter(lacks).count()
}

/// The name of a service's snapshot: whatever its first start can see is in it by its hash, but for
/// secrets, which are in it by name.
fn reference(service: &Service, base: &str) -> String {
    #[derive(Serialize)]
    struct Inputs<'a> {
        version: u32,
        base: &'a str,
        entrypoint: &'a Option<Vec<crate::model::Text>>,
        command: &'a Option<Vec<crate::model::Text>>,
        environment: &'a indexmap::IndexMap<String, crate::model::Text>,
        user: &'a Option<crate::model::Text>,
        hostname: &'a Option<crate::model::Text>,
        working_dir: &'a Option<String>,
        platform: &'a Option<String>,
        shm_size: Option<u64>,
        resources: &'a crate::model::stack::Resources,
        sysctls: &'a indexmap::IndexMap<String, String>,
        files: &'a [crate::model::stack::InjectedFile],
        mounts: &'a [crate::model::stack::Mount],
        test: Option<&'a [crate::model::Text]>,
        snapshot: &'a Option<crate::model::stack::Snapshot>,
    }
    let print = Fingerprint::of(&Inputs {
        version: VERSION,
        base,
        entrypoint: &service.entrypoint,
        command: &service.command,
        environment: &service.environment,
        user: &service.user,
        hostname: &service.hostname,
        working_dir: &service.working_dir,
        platform: &service.platform,
        shm_size: service.shm_size,
        resources: &service.resources,
        sysctls: &service.sysctls,
        files: &service.files,
        mounts: &service.mounts,
        test: service.healthcheck.as_ref().map(|check| &*check.test),
        snapshot: &service.seatbox.snapshot,
    });
    format!("seatbox.local/snapshot:{}-{}", service.name, print.as_str())
}
