//! A container for making a snapshot or trying it out: a seat's, but with nothing of a seat's around
//! it, and gone afterwards.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    EndpointSettings, MountType, NetworkCreateRequest, NetworkingConfig, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, RemoveVolumeOptions, StartContainerOptions,
    UploadToContainerOptions,
};

use super::plan::SnapshotSpec;
use crate::engine::{Failure, Progress};
use crate::model::seat::Owner;
use crate::model::stack::MountSource;
use crate::model::{SeatNumber, SeatValues};
use crate::plan::Fingerprint;
use crate::provider::docker::apply::Applier;
use crate::provider::docker::desired::READY_TIMEOUT;
use crate::provider::docker::errors::{failure, is_not_found};
use crate::provider::docker::exec::exec_capture;
use crate::provider::docker::ready;
use crate::provider::docker::scheme::ContainerSpec;
use crate::provider::docker::{container, files};
use crate::provider::labels::Ownership;

/// How long a command in it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A container with volumes and a network of its own.
pub struct Trial<'a> {
    applier: &'a Applier,
    spec: &'a SnapshotSpec,
    /// Its name; everything that belongs to it has this name too, or one that begins with it.
    pub name: String,
    /// The volumes that a snapshot fills, by their names in the stack: their names here.
    pub volumes: HashMap<String, String>,
}

impl<'a> Trial<'a> {
    /// A container that does not exist yet, of a name that nobody else has: whoever makes the same
    /// snapshot at the same time is not in the way.
    pub fn new(applier: &'a Applier, spec: &'a SnapshotSpec) -> Self {
        let environment = &applier.environment().name;
        let service = &spec.service.name;
        let name = format!(
            "{environment}-snapshot-{service}-{:08x}",
            rand::random::<u32>()
        );
        let volumes = spec
            .service
            .mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                MountSource::Volume { name: volume, .. } => {
                    Some((volume.clone(), format!("{name}_{volume}")))
                }
                _ => None,
            })
            .collect();
        Self {
            applier,
            spec,
            name,
            volumes,
        }
    }

    fn labels(&self) -> HashMap<String, String> {
        let ownership = Ownership {
            environment: self.applier.environment().name.clone(),
            owner: Owner::Shared,
            service: Some(self.spec.service.name.to_string()),
            expires: Some(self.spec.expires.into()),
            fingerprint: None,
            key: None,
        };
        ownership.write().collect()
    }

    /// Creates it from `image` with the values of `values`, and starts it. It has a network without
    /// a way out, since a first start needs no more.
    pub async fn start(
        &self,
        image: &str,
        values: &(dyn SeatValues + Sync),
    ) -> Result<(), Failure> {
        const CALL: &str = "make snapshot";
        let client = &self.applier.client;
        let failed = |error| failure(CALL, &error);
        let network = NetworkCreateRequest {
            name: self.name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(true),
            labels: Some(self.labels()),
            ..Default::default()
        };
        client.create_network(network).await.map_err(failed)?;
        for volume in self.volumes.values() {
            let request = VolumeCreateRequest {
                name: Some(volume.clone()),
                labels: Some(self.labels()),
                ..Default::default()
            };
            client.create_volume(request).await.map_err(failed)?;
        }
        let options = CreateContainerOptions {
            name: Some(self.name.clone()),
            platform: self.spec.service.platform.clone().unwrap_or_default(),
        };
        client
            .create_container(Some(options), self.body(image, values))
            .await
            .map_err(failed)?;
        if !self.spec.service.files.is_empty() {
            let archive = files::injected(&self.spec.service, values).map_err(|error| {
                let message = format!("can't pack its files: {error}");
                Failure::new(crate::engine::FailureClass::Invalid, CALL, message)
            })?;
            let options = UploadToContainerOptions {
                path: "/".to_owned(),
                ..Default::default()
            };
            client
                .upload_to_container(
                    &self.name,
                    Some(options),
                    bollard::body_full(archive.into()),
                )
                .await
                .map_err(failed)?;
        }
        client
            .start_container(&self.name, None::<StartContainerOptions>)
            .await
            .map_err(failed)
    }

    /// What a seat's container is made from, but for what is a seat's: ports, network, volumes. It may
    /// use all processors, since everybody waits for it.
    fn body(&self, image: &str, values: &dyn SeatValues) -> bollard::models::ContainerCreateBody {
        let spec = ContainerSpec {
            seat: SeatNumber::FIRST,
            service: std::sync::Arc::clone(&self.spec.service),
            image: image.into(),
            snapshot: None,
            host_ports: Vec::new(),
            fingerprint: Fingerprint::of(&()),
            expires: self.spec.expires,
        };
        let mut body = container::body(self.applier.environment(), &spec, values, self.labels());
        body.networking_config = Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                self.name.clone(),
                EndpointSettings::default(),
            )])),
        });
        if let Some(host) = &mut body.host_config {
            host.network_mode = Some(self.name.clone());
            host.port_bindings = None;
            host.restart_policy = None;
            host.nano_cpus = None;
            let own = self.spec.service.mounts.iter().filter_map(|mount| {
                let MountSource::Volume { name, .. } = &mount.source else {
                    return None;
                };
                Some((mount.target.as_str(), &self.volumes[name]))
            });
            let own: HashMap<&str, &String> = own.collect();
            for mount in host.mounts.iter_mut().flatten() {
                if mount.typ == Some(MountType::VOLUME)
                    && let Some(volume) = mount.target.as_deref().and_then(|at| own.get(at))
                {
                    mount.source = Some((*volume).clone());
                }
            }
        }
        body
    }

    /// Waits until its check passes, made its own before where that is asked for.
    pub async fn ready(
        &self,
        values: &(dyn SeatValues + Sync),
        personalize: bool,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut readiness = self
            .applier
            .readiness(&self.spec.service, values, READY_TIMEOUT);
        if !personalize {
            readiness.personalize = None;
        }
        ready::await_ready(&self.applier.client, &self.name, &readiness, progress).await
    }

    /// Whether a command in a check's form succeeds in it, with those variables over its own.
    pub async fn succeeds(&self, command: &[String], env: &[String]) -> Result<bool, Failure> {
        let argv = ready::argv(command);
        exec_capture(
            &self.applier.client,
            &self.name,
            &argv,
            None,
            env,
            0,
            PATIENCE,
        )
        .await
        .map(|output| output.exit_code == 0)
        .map_err(|error| failure("try snapshot", &error))
    }

    /// Takes it away with all that belongs to it. What can't be taken away now carries our labels, and
    /// goes with the environment.
    pub async fn remove(&self) {
        let client = &self.applier.client;
        let options = RemoveContainerOptions {
            force: true,
            v: true,
            ..Default::default()
        };
        let removed = client.remove_container(&self.name, Some(options)).await;
        if removed.as_ref().is_err_and(|error| !is_not_found(error)) {
            return;
        }
        let _ = client.remove_network(&self.name).await;
        for volume in self.volumes.values() {
            let _ = client
                .remove_volume(volume, None::<RemoveVolumeOptions>)
                .await;
        }
    }
}
