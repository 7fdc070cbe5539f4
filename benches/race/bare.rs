//! The engine's calls in a bare loop: networks and containers made, and started. It is what any
//! program has to pay at least that makes them one call at a time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, Ipam, IpamConfig, Mount, MountType, MountVolumeOptions,
    NetworkCreateRequest,
};
use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use seatbox::image::Recipes;
use seatbox::model::stack::FileContent;
use seatbox::model::{Environment, SeatNumber, SeatValues};
use seatbox::plan::{Mode, Operation};
use seatbox::provider::Provider as _;
use seatbox::provider::docker::scheme::{ContainerSpec, DockerStep};
use seatbox::provider::docker::{DockerProvider, container, names};
use seatbox::provider::values::seat_values;
use seatbox::secret::EventKey;

use crate::Result;
use crate::engine::{self, PROJECT, SERVICE};
use crate::initialised::Initialised;
use crate::setting::Setting;

/// The side's name in environments.
const SIDE: &str = "bare";

/// What is asked for, ready to be sent.
#[derive(Clone)]
pub struct Bare {
    docker: Docker,
    environment: Arc<Environment>,
    seats: Arc<Vec<Calls>>,
}

/// One seat's calls.
struct Calls {
    network: NetworkCreateRequest,
    containers: Vec<(String, ContainerCreateBody)>,
}

impl Bare {
    /// The calls that Seatbox plans for the same stack, without those that it makes besides: the
    /// volumes come with the containers, a file is mounted instead of copied, and the workspace
    /// stays empty.
    pub async fn new(setting: &Setting, initialised: Option<&Initialised>) -> Result<Self> {
        let engine = engine::connect().await?;
        let docker = engine.docker.clone();
        let environment = setting.environment(SIDE)?;
        let key = Arc::new(setting.key(&environment)?);
        let provider = DockerProvider::new(
            engine,
            Some(Arc::clone(&environment)),
            Some(Arc::clone(&key)),
            Recipes::built_in(),
            Timestamp::now(),
        );
        let observed = provider.observe().await?;
        let numbers: Vec<SeatNumber> = setting.numbers().collect();
        let plan = provider
            .converge(&observed, &numbers, &Mode::Repair)
            .await?;
        if let Some(blocked) = plan.blocked.first() {
            return Err(format!("seat {}: {}", blocked.seat, blocked.reason).into());
        }
        let mut networks = HashMap::new();
        let mut containers: HashMap<SeatNumber, Vec<_>> = HashMap::new();
        for action in &plan.actions {
            let Operation::Bring(step) = &action.operation else {
                return Err("a plan from nothing deletes something".into());
            };
            match step {
                DockerStep::FetchImage(choice) => {
                    return Err(format!("image {} is not on the engine", choice.reference).into());
                }
                DockerStep::CreateNetwork(spec) => {
                    let request = NetworkCreateRequest {
                        name: action.key.name.to_string(),
                        driver: Some("bridge".to_owned()),
                        internal: Some(spec.internal),
                        ipam: Some(Ipam {
                            config: Some(vec![IpamConfig {
                                subnet: Some(spec.subnet.to_string()),
                                ..Default::default()
                            }]),
                            ..Default::default()
                        }),
                        labels: Some(labels(&environment, spec.seat, None)),
                        ..Default::default()
                    };
                    if networks.insert(spec.seat, request).is_some() {
                        return Err("the bare loop makes one network a seat".into());
                    }
                }
                DockerStep::CreateContainer(spec) => {
                    let mut body = body(setting, &environment, &key, spec)?;
                    if let Some(initialised) = initialised {
                        initialised.put_into(&mut body);
                    }
                    let call = (action.key.name.to_string(), body);
                    containers.entry(spec.seat).or_default().push(call);
                }
                _ => {}
            }
        }
        let seats = numbers
            .iter()
            .map(|seat| {
                Ok(Calls {
                    network: networks.remove(seat).ok_or("a seat without a network")?,
                    containers: containers.remove(seat).unwrap_or_default(),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            docker,
            environment,
            seats: Arc::new(seats),
        })
    }

    /// Its environment.
    pub fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment)
    }

    /// What a seat's database is made from.
    pub fn database(&self) -> Result<&ContainerCreateBody> {
        let bodies = self.seats.iter().flat_map(|calls| &calls.containers);
        bodies
            .map(|(_, body)| body)
            .find(|body| {
                let labels = body.labels.as_ref();
                labels
                    .and_then(|labels| labels.get(SERVICE))
                    .is_some_and(|s| s == "postgres")
            })
            .ok_or_else(|| "the stack has no postgres".into())
    }

    /// Makes every call, for so many seats at once; a seat's own one after another.
    pub async fn up(&self, width: usize) -> Result {
        let seats = stream::iter(self.seats.iter()).map(|calls| self.seat(calls));
        seats
            .buffer_unordered(width)
            .collect::<Vec<Result>>()
            .await
            .into_iter()
            .collect()
    }

    async fn seat(&self, calls: &Calls) -> Result {
        self.docker.create_network(calls.network.clone()).await?;
        for (name, body) in &calls.containers {
            let options = CreateContainerOptions {
                name: Some(name.clone()),
                ..Default::default()
            };
            self.docker
                .create_container(Some(options), body.clone())
                .await?;
        }
        for (name, _) in &calls.containers {
            self.docker
                .start_container(name, None::<StartContainerOptions>)
                .await?;
        }
        Ok(())
    }

    /// Removes everything by force, so many at once.
    pub async fn down(&self, width: usize) -> Result {
        engine::remove(&self.docker, &format!("{}-", self.environment.name), width).await
    }
}

fn labels(
    environment: &Environment,
    seat: SeatNumber,
    service: Option<&str>,
) -> HashMap<String, String> {
    let project = names::project(&environment.name, seat);
    let mut labels = HashMap::from([(PROJECT.to_owned(), project)]);
    if let Some(service) = service {
        labels.insert(SERVICE.to_owned(), service.to_owned());
    }
    labels
}

fn body(
    setting: &Setting,
    environment: &Environment,
    key: &EventKey,
    spec: &ContainerSpec,
) -> Result<ContainerCreateBody> {
    let values = seat_values(environment, key, spec.seat);
    let service = spec.service.name.as_str();
    let own = labels(environment, spec.seat, Some(service));
    let mut body = container::body(environment, spec, &values, own);
    let host = body.host_config.get_or_insert_default();
    let mounts = host.mounts.get_or_insert_default();
    for mount in mounts.iter_mut() {
        // The engine makes volumes on the way, so that they are found again by their labels.
        mount
            .volume_options
            .get_or_insert_with(MountVolumeOptions::default)
            .labels = Some(labels(environment, spec.seat, None));
    }
    for (number, file) in spec.service.files.iter().enumerate() {
        let bytes = match &file.content {
            FileContent::Text(text) => text.render(&values as &dyn SeatValues).into_bytes(),
            FileContent::Bytes(bytes) => bytes.clone(),
        };
        mounts.push(Mount {
            target: Some(file.target.clone()),
            source: Some(
                written(setting, spec, number, &bytes)?
                    .display()
                    .to_string(),
            ),
            typ: Some(MountType::BIND),
            read_only: Some(true),
            ..Default::default()
        });
    }
    Ok(body)
}

/// A file to be mounted. The directory above it is nobody else's.
fn written(
    setting: &Setting,
    spec: &ContainerSpec,
    number: usize,
    bytes: &[u8],
) -> Result<PathBuf> {
    let directory = setting.path(SIDE);
    std::fs::create_dir_all(&directory)?;
    let path = directory.join(format!("{}-{}-{number}", spec.seat, spec.service.name));
    std::fs::write(&path, bytes)?;
    Ok(path)
}
