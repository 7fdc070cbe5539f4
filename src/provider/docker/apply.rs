//! Making a plan's calls on an engine. Each can be made again when nobody knows whether it worked.

use std::sync::Arc;
use std::time::Duration;

use bollard::Docker as Client;
use bollard::errors::Error;
use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{
    ContainerArchiveInfoOptions, RemoveContainerOptions, RemoveVolumeOptions,
    RenameContainerOptions, RestartContainerOptions, StartContainerOptions,
    UploadToContainerOptions,
};
use bytes::Bytes;

use super::create::{Refused, Unanswered};
use super::errors::{
    failure, is_being_removed, is_connected, is_lost, is_named_so, is_not_found, is_not_modified,
    is_not_paused,
};
use super::names;
use super::ready::Readiness;
use super::scheme::{ContainerSpec, Docker, DockerKind, DockerStep};
use super::snapshot::copies::Copies;
use super::{container, ready, snapshot};
use crate::engine::{Apply, Failure, FailureClass, Progress};
use crate::image::{Choice, Fetch};
use crate::model::stack::Protocol;
use crate::model::{Environment, SeatNumber, SeatValues, SeatVariable, Service, Text};
use crate::plan::{Action, Operation};
use crate::provider::files;
use crate::provider::labels::Ownership;
use crate::provider::values::seat_values;
use crate::provider::workspace::{WorkspaceSource, owner_of};
use crate::secret::EventKey;

/// Everything that calls on an engine need besides the plan.
pub struct Applier {
    /// The engine.
    pub client: Client,
    /// Whether the engine's network is this host's, so that services can be reached from here.
    pub is_local: bool,
    /// The environment. `sweep` has none, and creates nothing.
    pub environment: Option<Arc<Environment>>,
    /// Where seats' secrets come from.
    pub key: Option<Arc<EventKey>>,
    /// The workspace's first files, fetched when the first container wants them.
    pub workspace: WorkspaceSource,
    /// How images are fetched.
    pub images: Fetch,
    /// Volumes whose creation was asked for and not answered.
    pub unanswered: Unanswered,
    /// Volumes that snapshots fill.
    pub copies: Copies,
    /// Addresses that networks can't have.
    pub refused: Refused,
}

impl Apply<Docker> for Applier {
    async fn apply(&self, action: &Action<Docker>, progress: &Progress) -> Result<(), Failure> {
        let name = &*action.key.name;
        let step = match &action.operation {
            Operation::Delete(id) => return self.delete(action.key.kind, id).await,
            Operation::Bring(step) => step,
        };
        match step {
            DockerStep::FetchImage(choice) => self.fetch(choice, progress).await,
            DockerStep::MakeSnapshot(spec) => snapshot::make(self, spec, progress).await,
            DockerStep::CreateNetwork(spec) => self.create_network(name, spec).await,
            DockerStep::CreateVolume(spec) => self.create_volume(name, spec).await,
            DockerStep::CreateContainer(spec) => self.create_container(name, spec).await,
            DockerStep::Connect(spec, network) => self.connect(name, spec, network).await,
            DockerStep::Fill(spec) => self.fill(name, spec).await,
            DockerStep::Start => self.start(name).await,
            DockerStep::Unpause => self.unpause(name).await,
            DockerStep::Restart => self.restart(name).await,
            DockerStep::Rename(id) => self.rename(id, name).await,
            // What a service writes may quote a password.
            DockerStep::AwaitReady(spec, timeout) => {
                let values = self.values(spec.seat);
                let readiness = self.readiness(&spec.service, &values, *timeout);
                ready::await_ready(&self.client, name, &readiness, progress)
                    .await
                    .map_err(|failure| self.redact(failure, spec))
            }
            DockerStep::AwaitRunning(spec) => ready::await_running(&self.client, name)
                .await
                .map_err(|failure| self.redact(failure, spec)),
            DockerStep::AwaitExit(spec, timeout) => ready::await_exit(&self.client, name, *timeout)
                .await
                .map_err(|failure| self.redact(failure, spec)),
        }
    }
}

impl Applier {
    pub(super) fn environment(&self) -> &Environment {
        self.environment
            .as_deref()
            .expect("only a plan made from an environment creates anything")
    }

    pub(super) fn values(&self, seat: SeatNumber) -> impl SeatValues + '_ {
        let key = self
            .key
            .as_deref()
            .expect("only a plan made with an event key creates containers");
        seat_values(self.environment(), key, seat)
    }

    /// How to see that a service is ready.
    pub(super) fn readiness(
        &self,
        service: &Service,
        values: &dyn SeatValues,
        timeout: Duration,
    ) -> Readiness {
        let render = |texts: &Vec<Text>| texts.iter().map(|text| text.render(values)).collect();
        let snapshot = service.seatbox.snapshot.as_ref();
        // In the workspace nothing listens before a participant makes it.
        let listens = self.is_local && service.seatbox.workspace.is_none();
        let targets = service.ports.iter().map(|port| port.target);
        Readiness {
            test: check(service, values),
            personalize: snapshot.map(|snapshot| render(&snapshot.personalize)),
            ports: targets
                .chain(service.expose.iter().copied())
                .filter(|port| listens && port.protocol == Protocol::Tcp)
                .map(|port| port.number)
                .collect(),
            timeout,
        }
    }

    async fn fetch(&self, choice: &Choice, progress: &Progress) -> Result<(), Failure> {
        self.images.fetch(&self.client, choice, progress).await
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
            Err(error) if is_connected(&error) => Ok(()),
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
            self.upload(name, "/", archive.into()).await?;
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
            let owner = owner_of(&spec.service);
            let archive = self.workspace.archive(source, owner).await?;
            self.upload(name, path, archive).await?;
        }
        Ok(())
    }

    async fn upload(&self, name: &str, path: &str, archive: Bytes) -> Result<(), Failure> {
        let options = UploadToContainerOptions {
            path: path.to_owned(),
            ..Default::default()
        };
        self.client
            .upload_to_container(name, Some(options), bollard::body_full(archive))
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
            Err(error) if is_lost(&error) => Err(self.give_up(name, &error).await?),
            Err(error) => Err(failure("start container", &error)),
        }
    }

    /// Takes away a container that its engine can never start again, so that the next look finds it
    /// missing. What is to last is on volumes.
    async fn give_up(&self, name: &str, error: &Error) -> Result<Failure, Failure> {
        let ours = &self.environment().name;
        let labels = self.container_labels(name).await?.unwrap_or_default();
        let ownership = Ownership::read(|name| labels.get(name).map(String::as_str));
        if ownership.is_none_or(|ownership| ownership.environment != *ours) {
            return Ok(failure("start container", error));
        }
        self.delete(DockerKind::Container, name).await?;
        Ok(Failure {
            class: FailureClass::NotFound,
            ..failure("start container", error)
        }
        .with_hint("its engine lost track of it while it was restarted; it has to be made anew"))
    }

    async fn unpause(&self, name: &str) -> Result<(), Failure> {
        match self.client.unpause_container(name).await {
            Ok(()) => Ok(()),
            Err(error) if is_not_paused(&error) => Ok(()),
            Err(error) => Err(failure("unpause container", &error)),
        }
    }

    /// The engine calls a container unhealthy from when it is paused until its next check, long
    /// after it goes on. One whose check passes now needs no restart.
    async fn restart(&self, name: &str) -> Result<(), Failure> {
        if ready::passes(&self.client, name).await {
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
            Err(error) if is_named_so(&error) => Ok(()),
            Err(error) => Err(failure("rename container", &error)),
        }
    }

    /// Takes the seat's secrets out of what a service said, and then cuts it to a length that fits a
    /// summary.
    fn redact(&self, mut failure: Failure, spec: &ContainerSpec) -> Failure {
        const LONGEST: usize = 300;
        let values = self.values(spec.seat);
        for variable in secrets(&spec.service) {
            let secret = values.value(&variable);
            failure.message = failure.message.replace(&secret, "***");
        }
        if failure.message.chars().count() > LONGEST {
            failure.message = failure.message.chars().take(LONGEST).chain(['…']).collect();
        }
        failure
    }

    pub(super) async fn delete(&self, kind: DockerKind, id: &str) -> Result<(), Failure> {
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
            DockerKind::Volume | DockerKind::Lease => (
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
            Err(error) if is_being_removed(&error) => {
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

/// A service's variables with the seat's values in them, as `NAME=value`.
pub(super) fn variables(service: &Service, values: &dyn SeatValues) -> Vec<String> {
    service
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={}", value.render(values)))
        .collect()
}

/// A service's check with the seat's values in it, in the engine's form.
pub(super) fn check(service: &Service, values: &dyn SeatValues) -> Vec<String> {
    service
        .healthcheck
        .iter()
        .flat_map(|check| &check.test)
        .map(|text| text.render(values))
        .collect()
}

fn secrets(service: &Service) -> Vec<SeatVariable> {
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
