//! One seat's stack as the archive that `seatbox-receive` takes in its instance.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use bytes::Bytes;
use serde_json::json;

use crate::engine::Failure;
use crate::model::stack::{ContainerPort, FileContent, Mount, MountSource, Protocol};
use crate::model::{Environment, SeatNumber, SeatValues, Service, Stack};
use crate::provider::workspace::{WorkspaceSource, owner_of};
use crate::stack::export::{Export, ExportedFile, PortAssignment, export};

/// Where an instance keeps the files of its workspace, as Compose reads it (seatbox-stack gives the
/// variable). Docker mounts this directory as a volume, so that removing the volume leaves it.
const WORKSPACE: &str = "${SEATBOX_STATE}/workspace";

/// Where an instance's own sshd listens.
const SSH_PORT: u16 = 22;

/// How long a block of an archive is, in bytes.
const BLOCK: usize = 512;

/// An archive in pieces, so that all seats can share the one of the workspace's files.
#[derive(Clone)]
pub struct Bundle(Vec<Bytes>);

impl Bundle {
    /// The pieces, one after the other. They hold secrets.
    pub fn pieces(&self) -> &[Bytes] {
        &self.0
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.0.iter().map(Bytes::len).sum();
        write!(f, "Bundle({bytes} bytes)")
    }
}

/// The archive for one seat.
///
/// # Errors
/// The workspace's first files can't be had. It has failed for every seat then.
pub async fn guest_bundle(
    environment: &Environment,
    seat: SeatNumber,
    values: &(dyn SeatValues + Sync),
    workspace: &WorkspaceSource,
) -> Result<Bundle, Failure> {
    let mut inside = environment.clone();
    // The instance is the seat's own, and who reaches it is its security group's matter.
    inside.docker.ports.address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    for service in inside.stack.services.values_mut() {
        put_in_files(service, values);
    }
    let exported = export(&inside, seat, &published(&environment.stack), values);
    let files = match (&environment.workspace.files, environment.stack.workspace()) {
        (Some(files), Some((service, _))) => {
            Some(workspace.archive(files, owner_of(service)).await?)
        }
        _ => None,
    };
    Ok(Bundle(pack(&environment.stack, exported, files)))
}

/// The host port of every published port: its own number, as long as that is free.
pub fn published(stack: &Stack) -> Vec<PortAssignment> {
    let ports = |service: &Service| {
        let service_name = service.name.clone();
        let ports = service.ports.clone().into_iter();
        ports.map(move |port| (service_name.clone(), port))
    };
    let all: Vec<_> = stack.services.values().flat_map(ports).collect();
    let fixed = all.iter().filter_map(|(_, port)| {
        let number = port.published?;
        Some((number, port.target.protocol))
    });
    let mut taken: Vec<(u16, Protocol)> = fixed.chain([(SSH_PORT, Protocol::Tcp)]).collect();
    let mut assignments = Vec::new();
    for (service, port) in all {
        let ContainerPort { number, protocol } = port.target;
        let free = |host: &u16| !taken.contains(&(*host, protocol));
        // Above the well-known ones, where the next number might be another service's.
        let after = number.saturating_add(10_000)..=u16::MAX;
        let host = match port.published {
            Some(fixed) => Some(fixed),
            None => std::iter::once(number).chain(after).find(free),
        };
        let Some(host) = host else { continue };
        taken.push((host, protocol));
        assignments.push(PortAssignment {
            service,
            target: port.target,
            host,
        });
    }
    assignments
}

/// Gives the seat's values to texts that become files in a container. Compose would write them there
/// itself, but with another owner and mode than the stack says, and not at all for a user that the
/// instance does not know; a file of the instance's it mounts as it is.
fn put_in_files(service: &mut Service, values: &dyn SeatValues) {
    for file in &mut service.files {
        if let FileContent::Text(text) = &file.content {
            file.content = FileContent::Bytes(text.render(values).into_bytes());
        }
    }
}

fn pack(stack: &Stack, exported: Export, workspace: Option<Bytes>) -> Vec<Bytes> {
    const ROOT: (u64, u64) = (0, 0);
    let own = |path: &str, bytes: Vec<u8>| ExportedFile {
        path: path.into(),
        bytes,
        mode: 0o600,
        owner: ROOT,
    };
    let (overrides, inside) = overrides(stack);
    let mut files = vec![
        own("compose.yaml", exported.compose.into_bytes()),
        own("compose.override.yaml", overrides.into_bytes()),
        own(".env", exported.environment.into_bytes()),
        own("expected", expected(stack).into_bytes()),
    ];
    files.extend(exported.files);
    let last = archive(&[own("complete", Vec::new())]);
    let Some(workspace) = workspace else {
        return vec![without_end(archive(&files)), last];
    };
    files.push(own("workspace.path", inside.into_bytes()));
    // By hand, for an archive of its own for every seat would be as many copies of it.
    let mut header = header(workspace.len(), 0o600, ROOT);
    let named = header.set_path("workspace.tar");
    named.expect("a short path fits in a header");
    header.set_cksum();
    let padding = vec![0; workspace.len().next_multiple_of(BLOCK) - workspace.len()];
    vec![
        without_end(archive(&files)),
        Bytes::copy_from_slice(header.as_bytes()),
        workspace,
        padding.into(),
        last,
    ]
}

fn archive(files: &[ExportedFile]) -> Bytes {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = header(file.bytes.len(), file.mode, file.owner);
        archive
            .append_data(&mut header, &file.path, file.bytes.as_slice())
            .expect("nothing fails that writes to memory");
    }
    let bytes = archive.into_inner();
    bytes.expect("nothing fails that writes to memory").into()
}

/// An archive without the two empty blocks at its end, so that others can follow.
fn without_end(archive: Bytes) -> Bytes {
    archive.slice(..archive.len() - 2 * BLOCK)
}

fn header(size: usize, mode: u32, (user, group): (u64, u64)) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_uid(user);
    header.set_gid(group);
    header
}

/// What must have become of each service, as `seatbox-stack ready` reads it.
fn expected(stack: &Stack) -> String {
    let line = |service: &Service| {
        let wanted = if stack.awaits_end_of(service) {
            "completed"
        } else {
            "running"
        };
        format!("{wanted} {}\n", service.name)
    };
    stack.services.values().map(line).collect()
}

/// The Compose file that puts the workspace in a directory of the instance, and where in that
/// directory the workspace begins.
fn overrides(stack: &Stack) -> (String, String) {
    // Compose takes no file without anything in it.
    let mut document = json!({"services": {}});
    let mut inside = String::new();
    // A workspace is always on a named volume: the reader sees to that.
    if let (Some((service, path)), Some(volume)) = (stack.workspace(), stack.workspace_volume()) {
        document["volumes"][volume] = json!({
            "driver_opts": {"type": "none", "o": "bind", "device": WORKSPACE},
        });
        let here = |mount: &&Mount| match &mount.source {
            MountSource::Volume { name, .. } => {
                name == volume && Path::new(path).starts_with(&mount.target)
            }
            _ => false,
        };
        let mount = service.mounts.iter().rfind(here);
        let rest = mount.and_then(|mount| Path::new(path).strip_prefix(&mount.target).ok());
        inside = rest.map_or(String::new(), |rest| rest.display().to_string());
    }
    (format!("{document:#}\n"), inside)
}

#[cfg(test)]
#[path = "guest_bundle_tests.rs"]
mod tests;
