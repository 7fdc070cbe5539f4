//! A container for making a snapshot or trying it out: a seat's, but with nothing of a seat's around
//! it, and gone afterwards.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    EndpointSettings, MountType, NetworkCreateRequest, NetworkingConfig, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptions, InspectNetworkOptions, ListContainersOptions, RemoveContainerOptions,
    RemoveVolumeOptions, StartContainerOptions, UploadToContainerOptions,
};
use jiff::{SignedDuration, Timestamp};

use super::plan::SnapshotSpec;
use crate::engine::retry::again;
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::seat::Owner;
use crate::model::stack::MountSource;
use crate::model::{SeatNumber, SeatValues};
use crate::plan::Fingerprint;
use crate::provider::docker::apply::Applier;
use crate::provider::docker::errors::{failure, is_conflict, is_not_found};
use crate::provider::docker::exec::exec_capture;
use crate::provider::docker::layout::ready_timeout;
use crate::provider::docker::ready;
use crate::provider::docker::scheme::ContainerSpec;
use crate::provider::docker::{clock, container};
use crate::provider::files;
use crate::provider::labels::{self, Ownership};

const CALL: &str = "make snapshot";
/// How long a command in it may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long making a snapshot takes at most, besides the waits for the service: whoever is older was
/// left by a run that was killed.
const STALE: SignedDuration = SignedDuration::from_mins(5);

/// A container with volumes and a network of its own.
pub struct Trial<'a> {
    applier: &'a Applier,
    spec: &'a SnapshotSpec,
    /// Its name; everything that belongs to it has this name too, or one that begins with it.
    pub name: String,
    /// Whose values it has.
    seat: SeatNumber,
    /// The volumes that a snapshot fills, by their names in the stack: their names here.
    volumes: HashMap<String, String>,
}

impl<'a> Trial<'a> {
    /// A container that does not exist yet, of a name that nobody else has: whoever makes the same
    /// snapshot at the same time is not in the way.
    pub fn new(applier: &'a Applier, spec: &'a SnapshotSpec, seat: SeatNumber) -> Self {
        let name = format!("{}{:08x}", prefix(applier, spec), rand::random::<u32>());
        Self::named(applier, spec, seat, name)
    }

    /// Those of the same service that are older than that.
    pub async fn left(
        applier: &'a Applier,
        spec: &'a SnapshotSpec,
        oldest: Timestamp,
    ) -> Result<Vec<Self>, Failure> {
        let label = format!("{}={}", labels::ENVIRONMENT, applier.environment().name);
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
            ..Default::default()
        };
        let list = || applier.client.list_containers(Some(options.clone()));
        let containers = again(|| call(list())).await?;
        let prefix = prefix(applier, spec);
        let left = containers.into_iter().filter_map(|container| {
            let name = container.names?.pop()?;
            let name = name.trim_start_matches('/');
            let is_left = container.created? < oldest.as_second() && name.starts_with(&prefix);
            is_left.then(|| Self::named(applier, spec, SeatNumber::FIRST, name.to_owned()))
        });
        Ok(left.collect())
    }

    fn named(applier: &'a Applier, spec: &'a SnapshotSpec, seat: SeatNumber, name: String) -> Self {
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
            seat,
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
        let client = &self.applier.client;
        again(|| self.create_network()).await?;
        for volume in self.volumes.values() {
            let request = VolumeCreateRequest {
                name: Some(volume.clone()),
                labels: Some(self.labels()),
                ..Default::default()
            };
            again(|| call(client.create_volume(request.clone()))).await?;
        }
        let options = CreateContainerOptions {
            name: Some(self.name.clone()),
            platform: self.spec.service.platform.clone().unwrap_or_default(),
        };
        let body = self.body(image, values);
        again(|| async {
            let created = client.create_container(Some(options.clone()), body.clone());
            match created.await {
                // Nobody else uses this name: the answer of an earlier attempt was lost.
                Err(error) if is_conflict(&error) => Ok(()),
                created => call(async { created.map(drop) }).await,
            }
        })
        .await?;
        if !self.spec.service.files.is_empty() {
            let archive = files::injected(&self.spec.service, values).map_err(|error| {
                let message = format!("can't pack its files: {error}");
                Failure::new(FailureClass::Invalid, CALL, message)
            })?;
            let archive = bytes::Bytes::from(archive);
            let options = UploadToContainerOptions {
                path: "/".to_owned(),
                ..Default::default()
            };
            again(|| {
                let body = bollard::body_full(archive.clone());
                call(client.upload_to_container(&self.name, Some(options.clone()), body))
            })
            .await?;
        }
        let start = || client.start_container(&self.name, None::<StartContainerOptions>);
        again(|| call(start())).await
    }

    async fn create_network(&self) -> Result<(), Failure> {
        let client = &self.applier.client;
        let options = None::<InspectNetworkOptions>;
        // Engines give one name to two networks if they are asked twice.
        if client.inspect_network(&self.name, options).await.is_ok() {
            return Ok(());
        }
        let request = NetworkCreateRequest {
            name: self.name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(true),
            labels: Some(self.labels()),
            ..Default::default()
        };
        call(client.create_network(request)).await.map(drop)
    }

    /// What a seat's container is made from, but for what is a seat's: ports, network, volumes. It may
    /// use all processors, since everybody waits for it.
    fn body(&self, image: &str, values: &dyn SeatValues) -> bollard::models::ContainerCreateBody {
        let spec = ContainerSpec {
            seat: self.seat,
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
        let timeout = ready_timeout(&self.spec.service);
        let mut readiness = self.applier.readiness(&self.spec.service, values, timeout);
        if !personalize {
            readiness.personalize = None;
        }
        ready::await_ready(&self.applier.client, &self.name, &readiness, progress).await
    }

    /// Whether a command in a check's form succeeds in it, with those variables over its own.
    pub async fn succeeds(&self, command: &[String], env: &[String]) -> Result<bool, Failure> {
        let (client, argv) = (&self.applier.client, ready::argv(command));
        again(|| {
            call(exec_capture(
                client, &self.name, &argv, None, env, 0, PATIENCE,
            ))
        })
        .await
        .map(|output| output.exit_code == 0)
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
        let container = || client.remove_container(&self.name, Some(options.clone()));
        let _ = again(|| gone(container())).await;
        let _ = again(|| gone(client.remove_network(&self.name))).await;
        for volume in self.volumes.values() {
            let remove = || client.remove_volume(volume, None::<RemoveVolumeOptions>);
            let _ = again(|| gone(remove())).await;
        }
    }
}

/// The moment, by the engine's clock, before which nobody can have begun who is still at it.
pub async fn oldest(applier: &Applier, spec: &SnapshotSpec) -> Result<Timestamp, Failure> {
    let clocks = again(|| clock::read(&applier.client, Timestamp::now)).await?;
    let waits = SignedDuration::try_from(2 * ready_timeout(&spec.service)).unwrap_or(STALE);
    Ok(clocks.engine - STALE - waits)
}

/// What all names of trials of that service begin with.
fn prefix(applier: &Applier, spec: &SnapshotSpec) -> String {
    let environment = &applier.environment().name;
    format!("{environment}-snapshot-{}-", spec.service.name)
}

/// A call, with its failure in our terms.
pub async fn call<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    call.await.map_err(|error| failure(CALL, &error))
}

/// A removal, done too where there is nothing to remove.
pub async fn gone<T>(removal: impl Future<Output = Result<T, Error>>) -> Result<(), Failure> {
    match removal.await {
        Err(error) if !is_not_found(&error) => Err(failure(CALL, &error)),
        _ => Ok(()),
    }
}
