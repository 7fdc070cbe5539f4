//! An image with a database in it, so that the bare loop can do without any first start.

use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptions, CreateContainerOptions, StartContainerOptions, StopContainerOptions,
};
use futures_util::StreamExt as _;

use crate::Result;
use crate::engine::{PROJECT, SERVICE};
use crate::setting::PREFIX;

/// Outside the image's volume: what is in a volume does not get into an image, and is copied file
/// by file for every container.
const DATA: &str = "/var/lib/postgresql/initialised";
/// The password that comes with the data. It protects nothing: the benchmark's seats are gone soon.
pub const PASSWORD: &str = "initialised";
/// How long the one first start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An image with a database in it.
#[derive(Clone)]
pub struct Initialised {
    image: Arc<str>,
}

impl Initialised {
    /// Makes it: starts a database as a seat's is, lets it end, and keeps what is then in its
    /// container.
    pub async fn make(docker: &Docker, seat: &ContainerCreateBody) -> Result<Self> {
        let project = format!("{PREFIX}initialise");
        let mut body = seat.clone();
        prepare(&mut body);
        body.labels = Some(
            [
                (PROJECT.to_owned(), project.clone()),
                (SERVICE.to_owned(), "postgres".to_owned()),
            ]
            .into(),
        );
        body.networking_config = None;
        let host = body.host_config.get_or_insert_default();
        host.network_mode = Some("none".to_owned());
        host.port_bindings = None;
        host.restart_policy = None;
        let options = CreateContainerOptions {
            name: Some(project.clone()),
            ..Default::default()
        };
        let id = docker.create_container(Some(options), body).await?.id;
        docker
            .start_container(&id, None::<StartContainerOptions>)
            .await?;
        wait_for_first_start(docker, &id).await?;
        docker
            .stop_container(&id, None::<StopContainerOptions>)
            .await?;
        let options = CommitContainerOptions {
            container: Some(id),
            repo: Some(format!("{PREFIX}postgres")),
            tag: Some("initialised".to_owned()),
            ..Default::default()
        };
        docker
            .commit_container(options, ContainerConfig::default())
            .await?;
        crate::engine::remove(docker, &project, 1).await?;
        Ok(Self {
            image: format!("{PREFIX}postgres:initialised").into(),
        })
    }

    /// Lets a seat's database begin with it.
    pub fn put_into(&self, body: &mut ContainerCreateBody) {
        let is_database = body
            .labels
            .as_ref()
            .and_then(|labels| labels.get(SERVICE))
            .is_some_and(|service| service == "postgres");
        if is_database {
            prepare(body);
            body.image = Some(self.image.to_string());
        }
    }
}

/// Lets a database have its data in its container, with the common password.
fn prepare(body: &mut ContainerCreateBody) {
    let variables = body.env.get_or_insert_default();
    variables.retain(|variable| !variable.starts_with("POSTGRES_PASSWORD="));
    variables.push(format!("POSTGRES_PASSWORD={PASSWORD}"));
    variables.push(format!("PGDATA={DATA}"));
    if let Some(mounts) = body
        .host_config
        .as_mut()
        .and_then(|host| host.mounts.as_mut())
    {
        mounts.clear();
    }
}

async fn wait_for_first_start(docker: &Docker, id: &str) -> Result {
    use bollard::query_parameters::LogsOptions;
    let options = LogsOptions {
        follow: true,
        stdout: true,
        stderr: true,
        ..Default::default()
    };
    let mut said = String::new();
    let wait = async {
        let mut logs = docker.logs(id, Some(options));
        while let Some(piece) = logs.next().await {
            said.push_str(&piece?.to_string());
            let initialised = said.find("ready for start up");
            let accepting = said.rfind("ready to accept connections");
            if initialised.is_some() && initialised < accepting {
                return Ok(());
            }
        }
        Err(format!("the database ended before it was ready:\n{said}").into())
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(result) => result,
        Err(_) => Err("the database does not get ready".into()),
    }
}
