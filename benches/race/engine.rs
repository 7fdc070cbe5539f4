//! The engine, and what of it is the benchmark's.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions,
    RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions,
};
use futures_util::stream::{self, StreamExt as _};
use seatbox::provider::docker::connect::{self, Engine};

use crate::Result;
use crate::setting::PREFIX;

/// The label that every side's resources carry: Compose's own, which Seatbox writes as well.
pub const PROJECT: &str = "com.docker.compose.project";
/// The label with the service.
pub const SERVICE: &str = "com.docker.compose.service";

/// How often is looked for what a killed program's last calls may still make.
const LOOKS: u32 = 5;

/// The engine that the `docker` command would use.
pub async fn connect() -> Result<Engine> {
    let endpoint = connect::resolve(|name| std::env::var(name).ok(), Path::new("/"))?;
    Ok(connect::connect(&endpoint).await?)
}

/// A container of a side.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its Compose project, which tells the side and the seat.
    pub project: String,
    /// Its service.
    pub service: String,
    /// The engine's words on its state.
    pub status: String,
}

/// The containers of the benchmark whose project begins so.
pub async fn containers(docker: &Docker, prefix: &str) -> Result<Vec<Container>> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([(
            "label".to_owned(),
            vec![PROJECT.to_owned()],
        )])),
        ..Default::default()
    };
    let found = docker.list_containers(Some(options)).await?;
    let ours = found.into_iter().filter_map(|container| {
        let labels = container.labels.unwrap_or_default();
        let project = labels.get(PROJECT)?.clone();
        project.starts_with(prefix).then(|| Container {
            id: container.id.unwrap_or_default(),
            project,
            service: labels.get(SERVICE).cloned().unwrap_or_default(),
            status: container.status.unwrap_or_default(),
        })
    });
    Ok(ours.collect())
}

fn is_ours(labels: Option<&HashMap<String, String>>, prefix: &str) -> bool {
    labels
        .and_then(|labels| labels.get(PROJECT))
        .is_some_and(|project| project.starts_with(prefix))
}

async fn networks(docker: &Docker, prefix: &str) -> Result<Vec<String>> {
    let found = docker.list_networks(None::<ListNetworksOptions>).await?;
    let ours = found
        .into_iter()
        .filter(|network| is_ours(network.labels.as_ref(), prefix));
    Ok(ours.filter_map(|network| network.id).collect())
}

async fn volumes(docker: &Docker, prefix: &str) -> Result<Vec<String>> {
    let found = docker.list_volumes(None::<ListVolumesOptions>).await?;
    let ours = found
        .volumes
        .unwrap_or_default()
        .into_iter()
        .filter(|volume| is_ours(Some(&volume.labels), prefix));
    Ok(ours.map(|volume| volume.name).collect())
}

/// What is left of those whose project begins so, counted by kind.
pub async fn left(docker: &Docker, prefix: &str) -> Result<BTreeMap<&'static str, usize>> {
    let mut left = BTreeMap::from([
        ("containers", containers(docker, prefix).await?.len()),
        ("networks", networks(docker, prefix).await?.len()),
        ("volumes", volumes(docker, prefix).await?.len()),
    ]);
    left.retain(|_, count| *count > 0);
    Ok(left)
}

/// Takes away, by force, what belongs to projects that begin so, so many at once.
pub async fn remove(docker: &Docker, prefix: &str, width: usize) -> Result {
    let containers = containers(docker, prefix).await?;
    let removals = stream::iter(containers).map(|container| {
        let options = RemoveContainerOptions {
            force: true,
            v: true,
            ..Default::default()
        };
        async move { docker.remove_container(&container.id, Some(options)).await }
    });
    for removal in removals.buffer_unordered(width).collect::<Vec<_>>().await {
        removal?;
    }
    let removals = stream::iter(networks(docker, prefix).await?)
        .map(|id| async move { docker.remove_network(&id).await });
    for removal in removals.buffer_unordered(width).collect::<Vec<_>>().await {
        removal?;
    }
    let removals = stream::iter(volumes(docker, prefix).await?).map(|name| async move {
        docker
            .remove_volume(&name, None::<RemoveVolumeOptions>)
            .await
    });
    for removal in removals.buffer_unordered(width).collect::<Vec<_>>().await {
        removal?;
    }
    Ok(())
}

/// Takes away whatever of the benchmark there is, images included, until two looks find nothing.
pub async fn sweep(docker: &Docker) -> Result {
    let mut clean = 0;
    let mut last = Ok(());
    for _ in 0..LOOKS {
        if left(docker, PREFIX).await?.is_empty() {
            clean += 1;
            if clean == 2 {
                break;
            }
        } else {
            clean = 0;
            // What fails now may work after the next look: others were at it too.
            last = remove(docker, PREFIX, 8).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if clean < 2 {
        last?;
        return Err(format!("left behind: {:?}", left(docker, PREFIX).await?).into());
    }
    let images = docker.list_images(None::<ListImagesOptions>).await?;
    for reference in images.into_iter().flat_map(|image| image.repo_tags) {
        if reference.starts_with(PREFIX) {
            let options = RemoveImageOptions {
                force: true,
                ..Default::default()
            };
            docker.remove_image(&reference, Some(options), None).await?;
        }
    }
    Ok(())
}
