//! Copies of a snapshot that an engine began and did not finish.
//!
//! An engine fills a new volume while it creates the container, and only a volume that is empty. One
//! that is ended meanwhile, or whose disk is full, leaves a part of the copy, on which a second attempt
//! would build: the service would start on half of its data.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use bollard::models::ContainerStateStatusEnum;
use bollard::query_parameters::{InspectContainerOptions, RemoveVolumeOptions};

use crate::engine::Failure;
use crate::provider::docker::apply::Applier;
use crate::provider::docker::errors::{failure, is_conflict, is_not_found};
use crate::provider::docker::names;
use crate::provider::docker::scheme::{ContainerSpec, DockerKind, VolumeSpec};

/// What this process knows of volumes that snapshots fill.
#[derive(Debug, Default)]
pub struct Copies(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The volumes that were made in this run, by their names: they hold nothing of anybody's before
    /// their container is there.
    made: HashMap<String, VolumeSpec>,
    /// Containers whose creation failed, or was not answered.
    doubtful: HashSet<String>,
}

impl Copies {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("nothing panics with this lock held")
    }

    /// A volume was made.
    pub fn made(&self, volume: &str, spec: &VolumeSpec) {
        let mut known = self.known();
        known.made.insert(volume.to_owned(), spec.clone());
    }

    /// The creation of a container failed: its volumes may be full, half full or empty.
    pub fn doubt(&self, container: &str) {
        self.known().doubtful.insert(container.to_owned());
    }

    fn is_doubtful(&self, container: &str) -> bool {
        self.known().doubtful.contains(container)
    }

    fn settle(&self, container: &str) {
        self.known().doubtful.remove(container);
    }

    fn spec(&self, volume: &str) -> Option<VolumeSpec> {
        self.known().made.get(volume).cloned()
    }
}

impl Applier {
    /// Sees to it that the volumes of a container that is about to be created are whole or empty. Of
    /// one whose creation failed before those that this run has made are made anew, and so is it.
    /// Not forced: what an engine is still at stays, and so does what a container uses.
    pub(in crate::provider::docker) async fn begin_copies_anew(
        &self,
        container: &str,
        spec: &ContainerSpec,
    ) -> Result<(), Failure> {
        if spec.snapshot.is_none() || !self.copies.is_doubtful(container) {
            return Ok(());
        }
        if self.is_fresh(container, spec).await? {
            for (name, _) in spec.service.snapshot_volumes() {
                let volume = names::volume(&self.environment().name, spec.seat, name);
                if let Some(made) = self.copies.spec(&volume) {
                    self.make_anew(&volume, &made).await?;
                }
            }
        }
        self.copies.settle(container);
        Ok(())
    }

    /// Whether a container is not there, or was never started and could be removed: an engine that is
    /// ended while it fills a volume has the container afterwards all the same.
    async fn is_fresh(&self, container: &str, spec: &ContainerSpec) -> Result<bool, Failure> {
        let inspected = self
            .client
            .inspect_container(container, None::<InspectContainerOptions>)
            .await;
        let there = match inspected {
            Ok(there) => there,
            Err(error) if is_not_found(&error) => return Ok(true),
            Err(error) => return Err(failure("inspect container", &error)),
        };
        let labels = there.config.and_then(|config| config.labels);
        let labels = labels.unwrap_or_default();
        let created = Some(ContainerStateStatusEnum::CREATED);
        if !self.is_as_wanted(&labels, &spec.fingerprint)
            || there.state.and_then(|state| state.status) != created
        {
            return Ok(false);
        }
        let id = there.id.unwrap_or_default();
        self.delete(DockerKind::Container, &id).await?;
        Ok(true)
    }

    async fn make_anew(&self, volume: &str, spec: &VolumeSpec) -> Result<(), Failure> {
        let removed = self
            .client
            .remove_volume(volume, None::<RemoveVolumeOptions>);
        match removed.await {
            Err(error) if is_conflict(&error) => Ok(()),
            Err(error) if !is_not_found(&error) => Err(failure("create container", &error)),
            _ => self.create_volume(volume, spec).await,
        }
    }
}
