//! Making a plan's calls on an engine. Each can be made again when nobody knows whether it worked.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::Docker as Client;
use bollard::models::{
    Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest, VolumeCreateRequest,
};
use bollard::query_parameters::{
    ContainerArchiveInfoOptions, CreateContainerOptions, InspectContainerOptions,
    InspectNetworkOptions, RemoveContainerOptions, RemoveVolumeOptions, RenameContainerOptions,
    RestartContainerOptions, StartContainerOptions, UploadToContainerOptions,
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::errors::{failure, is_conflict, is_not_found, is_not_modified};
use super::names;
use super::scheme::{ContainerSpec, Docker, DockerKind, DockerStep, NetworkSpec, VolumeSpec};
use super::workspace::WorkspaceSource;
use super::{container, files, ready};
use crate::engine::{Apply, Failure, FailureClass, Progress};
use crate::image::{Choice, Fetch};
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber, SeatValues, SeatVariable};
use crate::plan::{Action, Fingerprint, Operation};
use crate::provider::labels::{self, Ownership};
use crate::secret::{EventKey, derive};

/// Everything that calls on an engine need besides the plan.
pub struct Applier {
    /// The engine.
    pub client: Client,
    /// The environment. `sweep` has none, and creates nothing.
    pub environment: Option<Arc<Environment>>,
    /// Where seats' secrets come from.
    pub key: Option<Arc<EventKey>>,
    /// The workspace's first files, fetched when the first container wants them.
    pub workspace: WorkspaceSource,
    /// How images are fetched.
    pub images: Fetch,
}

/// One seat's own values.
struct Values<'a> {
    environment: &'a Environment,
    key: &'a EventKey,
    seat: SeatNumber,
}

impl SeatValues for Values<'_> {
    fn value(&self, variable: &SeatVariable) -> String {
        match variable {
            SeatVariable::Seat => self.seat.get().to_string(),
            SeatVariable::SeatPadded => self.seat.to_string(),
            SeatVariable::Group => self.environment.group_of(self.seat).to_string(),
            SeatVariable::Secret(purpose) => {
                derive(self.key, &self.environment.name, self.seat, purpose, 0)
                    .expose_secret()
                    .to_owned()
            }
        }
    }
}

/// The values of one seat's variables.
pub fn seat_values<'a>(
    environment: &'a Environment,
    key: &'a EventKey,
    seat: SeatNumber,
) -> impl SeatValues + 'a {
    Values {
        environment,
        key,
        seat,
    }
}

impl Apply<Docker> for Applier {
    async fn apply(&self, action: &Action<Docker>, progress: &Progress) -> Result<(), Failure> {
        let name = &*action.key.name;
        match &action.operation {
            Operation::Delete(id) => self.delete(action.key.kind, id).await,
            Operation::Bring(step) => match step {
                DockerStep::FetchImage(choice) => self.fetch(choice, progress).await,
                DockerStep::CreateNetwork(spec) => self.create_network(name, spec).await,
                DockerStep::CreateVolume(spec) => self.create_volume(name, spec).await,
                DockerStep::CreateContainer(spec) => self.create_container(name, spec).await,
                DockerStep::Connect(spec, network) => self.connect(name, spec, network).await,
                DockerStep::Fill(spec) => self.fill(name, spec).await,
                DockerStep::Start => self.start(name).await,
                DockerStep::Unpause => self.unpause(name).await,
                DockerStep::Restart => self.restart(name).await,
                DockerStep::Rename(id) => self.rename(id, name).await,
                DockerStep::AwaitReady(spec, timeout) => {
                    self.await_ready(name, spec, *timeout, progress).await
                }
                DockerStep::AwaitRunning => ready::await_running(&self.client, name).await,
                DockerStep::AwaitExit(timeout) => {
                    ready::await_exit(&self.client, name, *timeout).await
                }
            },
        }
    }
}

impl Applier {
    fn environment(&self) -> &Environment {
        self.environment
            .as_deref()
            .expect("only a plan made from an environment creates anything")
    }

    fn values(&self, seat: SeatNumber) -> impl SeatValues + '_ {
        let key = self
            .key
            .as_deref()
            .expect("only a plan made with an event key creates containers");
        seat_values(self.environment(), key, seat)
    }

    /// Our labels and Compose's: every call that creates something carries both.
    fn labels(
        &self,
        seat: SeatNumber,
        service: Option<&str>,
        fingerprint: &Fingerprint,
        expires: Timestamp,
        compose: &[(&str, &str)],
    ) -> HashMap<String, String> {
        let environment = self.environment();
        let ownership = Ownership {
            environment: environment.name.clone(),
            owner: Owner::Seat(seat),
            service: service.map(str::to_owned),
            expires: Some(expires),
            fingerprint: Some(fingerprint.clone()),
            key: self.key.as_ref().map(|key| key.fingerprint()),
        };
        ownership
            .write()
            .chain([(
                "com.docker.compose.project".to_owned(),
                names::project(&environment.name, seat),
            )])
            .chain(
                compose.iter().map(|(name, value)| {
                    (format!("com.docker.compose.{name}"), (*value).to_owned())
                }),
            )
            .collect()
    }

    async fn fetch(&self, choice: &Choice, progress: &Progress) -> Result<(), Failure> {
        self.images.fetch(&self.client, choice, progress).await
    }

    async fn create_network(&self, name: &str, spec: &NetworkSpec) -> Result<(), Failure> {
        const CALL: &str = "create network";
        // Engines give one name to two networks if asked twice, so a call whose outcome is unknown
        // must not be made again without a look.
        match self
            .client
            .inspect_network(name, None::<InspectNetworkOptions>)
            .await
        {
            Ok(network) => {
                return self.adopt(name, network.labels.as_ref(), &spec.fingerprint, CALL);
            }
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(failure(CALL, &error)),
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            internal: Some(spec.internal),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig {
                    subnet: Some(spec.subnet.to_string()),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            labels: Some(self.labels(
                spec.seat,
                None,
                &spec.fingerprint,
                spec.expires,
                &[("network", &spec.name)],
            )),
            ..Default::default()
        };
        match self.client.create_network(request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(CALL, &error)),
        }
    }

    async fn create_volume(&self, name: &str, spec: &VolumeSpec) -> Result<(), Failure> {
        // Creating a volume that exists returns it as it is: its labels tell whose it is.
        const CALL: &str = "create volume";
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(self.labels(
                spec.seat,
                None,
                &spec.fingerprint,
                spec.expires,
                &[("volume", &spec.name)],
            )),
            ..Default::default()
        };
        let volume = self
            .client
            .create_volume(request)
            .await
            .map_err(|error| failure(CALL, &error))?;
        self.adopt(name, Some(&volume.labels), &spec.fingerprint, CALL)
    }

    async fn create_container(&self, name: &str, spec: &ContainerSpec) -> Result<(), Failure> {
        const CALL: &str = "create container";
        let environment = self.environment();
        let service = spec.service.name.as_str();
        let file = environment.stack.file.display().to_string();
        let labels = self.labels(
            spec.seat,
            Some(service),
            &spec.fingerprint,
            spec.expires,
            &[
                ("service", service),
                ("container-number", "1"),
                ("oneoff", "False"),
                ("config-hash", spec.fingerprint.as_str()),
                ("project.config_files", &file),
            ],
        );
        let body = container::body(environment, spec, &self.values(spec.seat), labels);
        let options = CreateContainerOptions {
            name: Some(name.to_owned()),
            platform: spec.service.platform.clone().unwrap_or_default(),
        };
        match self.client.create_container(Some(options), body).await {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => {
                let existing = self
                    .client
                    .inspect_container(name, None::<InspectContainerOptions>)
                    .await
                    .map_err(|error| failure(CALL, &error))?;
                let labels = existing.config.and_then(|config| config.labels);
                self.adopt(name, labels.as_ref(), &spec.fingerprint, CALL)
            }
            Err(error) => Err(failure(CALL, &error)),
        }
    }

    /// What has the name already is ours, from an attempt whose answer was lost or from another
    /// `up`, or it is somebody's, and then it stays as it is.
    fn adopt(
        &self,
        name: &str,
        labels: Option<&HashMap<String, String>>,
        wanted: &Fingerprint,
        call: &str,
    ) -> Result<(), Failure> {
        let ownership =
            labels.and_then(|labels| Ownership::read(|name| labels.get(name).map(String::as_str)));
        let message = match ownership {
            Some(ownership)
                if ownership.environment == self.environment().name
                    && ownership.fingerprint.as_ref() == Some(wanted) =>
            {
                return Ok(());
            }
            Some(_) => format!("{name} was made in the meantime, and otherwise than it should be"),
            None => format!(
                "{name} exists and is not ours: it has no label {}",
                labels::ENVIRONMENT
            ),
        };
        Err(Failure::new(FailureClass::Conflict, call, message)
            .with_hint("run the same command again to see how things are now"))
    }

    async fn connect(
        &self,
        name: &str,
        spec: &ContainerSpec,
        network: &str,
    ) -> Result<(), Failure> {
        let attachment = &spec.service.networks[network];
        let endpoint = container::endpoint(&spec.service, attachment, &self.values(spec.seat));
        let request = NetworkConnectRequest {
            container: name.to_owned(),
            endpoint_config: Some(endpoint),
        };
        let network = names::network(&self.environment().name, spec.seat, network);
        match self.client.connect_network(&network, request).await {
            Ok(()) => Ok(()),
            Err(error) if super::errors::message(&error).contains("already exists in network") => {
                Ok(())
            }
            Err(error) => Err(failure("connect container", &error)),
        }
    }

    /// Files go in before the first start. Those of the workspace go in once in its life: the
    /// marker says that they are there, whatever a participant made of them since.
    async fn fill(&self, name: &str, spec: &ContainerSpec) -> Result<(), Failure> {
        const CALL: &str = "copy files";
        let packed = |result: std::io::Result<Vec<u8>>| {
            result.map_err(|error| {
                Failure::new(
                    FailureClass::Invalid,
                    CALL,
                    format!("can't pack them: {error}"),
                )
            })
        };
        if !spec.service.files.is_empty() {
            let archive = packed(files::injected(&spec.service, &self.values(spec.seat)))?;
            self.upload(name, "/", archive).await?;
        }
        let files = self.environment().workspace.files.as_ref();
        if let (Some(path), Some(source)) = (&spec.service.seatbox.workspace, files) {
            let marker = ContainerArchiveInfoOptions {
                path: format!("{path}/{}", files::WORKSPACE_MARKER),
            };
            match self
                .client
                .get_container_archive_info(name, Some(marker))
                .await
            {
                Ok(_) => return Ok(()),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(failure(CALL, &error)),
            }
            let directory = self.workspace.directory(source).await?;
            let owner = owner_of(&spec.service);
            let archive = tokio::task::spawn_blocking(move || files::workspace(&directory, owner))
                .await
                .unwrap_or_else(|error| Err(std::io::Error::other(error)));
            self.upload(name, path, packed(archive)?).await?;
        }
        Ok(())
    }

    async fn upload(&self, name: &str, path: &str, archive: Vec<u8>) -> Result<(), Failure> {
        let options = UploadToContainerOptions {
            path: path.to_owned(),
            ..Default::default()
        };
        self.client
            .upload_to_container(name, Some(options), bollard::body_full(archive.into()))
            .await
            .map_err(|error| failure("copy files", &error))
    }

    async fn start(&self, name: &str) -> Result<(), Failure> {
        match self
            .client
            .start_container(name, None::<StartContainerOptions>)
            .await
        {
            Ok(()) => Ok(()),
            Err(error) if is_not_modified(&error) => Ok(()),
            Err(error) => Err(failure("start container", &error)),
        }
    }

    async fn unpause(&self, name: &str) -> Result<(), Failure> {
        match self.client.unpause_container(name).await {
            Ok(()) => Ok(()),
            Err(error) if super::errors::message(&error).contains("is not paused") => Ok(()),
            Err(error) => Err(failure("unpause container", &error)),
        }
    }

    /// The engine calls a container unhealthy from when it is paused until its next check, long
    /// after it goes on. One whose check passes now needs no restart.
    async fn restart(&self, name: &str) -> Result<(), Failure> {
        if ready::passes_its_check(&self.client, name).await {
            return Ok(());
        }
        self.client
            .restart_container(name, None::<RestartContainerOptions>)
            .await
            .map_err(|error| failure("restart container", &error))
    }

    async fn rename(&self, id: &str, name: &str) -> Result<(), Failure> {
        let options = RenameContainerOptions {
            name: name.to_owned(),
        };
        match self.client.rename_container(id, options).await {
            Ok(()) => Ok(()),
            Err(error) if super::errors::message(&error).contains("same name") => Ok(()),
            Err(error) => Err(failure("rename container", &error)),
        }
    }

    async fn await_ready(
        &self,
        name: &str,
        spec: &ContainerSpec,
        timeout: std::time::Duration,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let values = self.values(spec.seat);
        let test = check(&spec.service, &values);
        let result = ready::await_ready(&self.client, name, &test, timeout, progress).await;
        // What a service writes may quote a password.
        result.map_err(|failure| redact(failure, spec, &values))
    }

    /// Whether the check of that seat's service passes now.
    pub async fn passes(&self, container: &str, seat: SeatNumber, service: &str) -> bool {
        let services = &self.environment().stack.services;
        let Some(service) = services.values().find(|s| s.name.as_str() == service) else {
            return false;
        };
        let test = check(service, &self.values(seat));
        ready::passes(&self.client, container, &test).await
    }

    async fn delete(&self, kind: DockerKind, id: &str) -> Result<(), Failure> {
        let (call, result) = match kind {
            DockerKind::Container => {
                let options = RemoveContainerOptions {
                    force: true,
                    v: true,
                    ..Default::default()
                };
                (
                    "remove container",
                    self.client.remove_container(id, Some(options)).await,
                )
            }
            DockerKind::Network => ("remove network", self.client.remove_network(id).await),
            DockerKind::Volume => (
                "remove volume",
                self.client
                    .remove_volume(id, None::<RemoveVolumeOptions>)
                    .await,
            ),
            DockerKind::Image => return Ok(()),
        };
        match result {
            Ok(()) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error)
                if is_conflict(&error)
                    && super::errors::message(&error).contains("is already in progress") =>
            {
                // Somebody else removes it; it is gone when the next look finds nothing.
                Err(Failure {
                    class: FailureClass::Connection,
                    ..failure(call, &error)
                })
            }
            Err(error) => Err(failure(call, &error)),
        }
    }
}

/// A service's check with the seat's values in it, in the engine's form.
fn check(service: &crate::model::Service, values: &dyn SeatValues) -> Vec<String> {
    service
        .healthcheck
        .iter()
        .flat_map(|check| &check.test)
        .map(|text| text.render(values))
        .collect()
}

/// Who owns a workspace's first files: the service's user, where it is given in numbers.
fn owner_of(service: &crate::model::Service) -> (u64, u64) {
    let Some(user) = service.user.as_ref().and_then(|user| user.as_literal()) else {
        return (0, 0);
    };
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let user = user.parse().unwrap_or(0);
    (user, group.parse().unwrap_or(user))
}

/// Takes the seat's secrets out of what a service said.
fn redact(mut failure: Failure, spec: &ContainerSpec, values: &dyn SeatValues) -> Failure {
    for variable in secrets(&spec.service) {
        let secret = values.value(&variable);
        failure.message = failure.message.replace(&secret, "***");
    }
    failure
}

fn secrets(service: &crate::model::Service) -> Vec<SeatVariable> {
    use crate::model::text::Segment;
    service
        .environment
        .values()
        .chain(service.files.iter().filter_map(|file| match &file.content {
            crate::model::stack::FileContent::Text(text) => Some(text),
            crate::model::stack::FileContent::Bytes(_) => None,
        }))
        .chain(service.command.iter().flatten())
        .chain(service.healthcheck.iter().flat_map(|check| &check.test))
        .flat_map(|text| text.segments())
        .filter_map(|segment| match segment {
            Segment::Variable(variable @ SeatVariable::Secret(_)) => Some(variable.clone()),
            _ => None,
        })
        .collect()
}
