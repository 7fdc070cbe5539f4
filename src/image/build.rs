//! Making an image by a recipe: mmdebstrap fills a root, and the engine loads it as one layer.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bollard::Docker as Client;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::Recipe;
use super::archive::Layered;
use crate::engine::{Failure, FailureClass, Progress};

const CALL: &str = "build image";
/// Where Debian's packages come from, unless `SEATBOX_DEBIAN_MIRROR` names a nearer place.
const ARCHIVE: &str = "http://deb.debian.org/debian";
/// Debian's keys: on Ubuntu they lie beside that one's own, which mmdebstrap would take.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// A merged /usr without the package that merges it, which would bring all of Perl (48 MB).
const MERGED_USR: &str = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";
/// What dpkg's excludes do not reach, since the first packages come before them, and what is this
/// machine's and not the image's.
const CLEAN_UP: &str = r#"find "$1/usr/share/doc" ! -type d ! -name copyright -delete; rm -rf "$1/etc/hostname" "$1/etc/resolv.conf" "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/usr/share/info/* "$1"/usr/share/lintian/*"#;

/// Makes the recipe's image on this machine and loads it into the engine, under its name.
pub async fn build(client: &Client, recipe: &Recipe, progress: &Progress) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("seatbox-image-")
        .tempdir_in(workshop())
        .map_err(|error| unwritable(&error))?;
    lay_out(recipe, directory.path()).map_err(|error| unwritable(&error))?;
    let layer = directory.path().join("layer.tar");
    bootstrap(recipe, &directory, &layer, progress).await?;
    progress.report("loading", None, None);
    let created = Timestamp::now();
    let image = Layered {
        name: Some(&recipe.name),
        below: &[],
        layer: &layer,
    };
    image
        .load(client, CALL, |digest| image_config(recipe, digest, created))
        .await
        .map(drop)
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(
        FailureClass::Capacity,
        CALL,
        format!("can't write to the temporary directory: {error}"),
    )
}

/// Where images are made: in memory where that has room, since a root is many small files that a
/// disk is asked to keep safe one by one (12.5 s against 22 s for the smallest root), or else in the
/// usual temporary directory.
fn workshop() -> PathBuf {
    const ROOM: u64 = 3 << 30;
    let memory = Path::new("/dev/shm");
    match rustix::fs::statvfs(memory) {
        Ok(room) if room.f_bavail.saturating_mul(room.f_frsize) >= ROOM => memory.to_owned(),
        _ => std::env::temp_dir(),
    }
}

/// Writes what mmdebstrap's hooks need: the recipe's scripts and files, and what dpkg leaves out.
fn lay_out(recipe: &Recipe, directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // mmdebstrap gives up its privileges where it can, and must still read what is here.
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?;
    // Nobody needs the half-made root after a power cut. The recipe's own configuration files come
    // before the packages', and stay.
    let always = ["force-unsafe-io\n", "force-confold\n"].map(str::to_owned);
    let excludes = recipe
        .exclude
        .iter()
        .map(|path| format!("path-exclude={path}\n"));
    let keeps = recipe
        .keep
        .iter()
        .map(|path| format!("path-include={path}\n"));
    std::fs::write(
        directory.join("dpkg.cfg"),
        always
            .into_iter()
            .chain(excludes)
            .chain(keeps)
            .collect::<String>(),
    )?;
    for script in ["prepare.sh", "customize.sh"] {
        if let Some(content) = recipe.files.get(script) {
            let path = directory.join(script);
            std::fs::write(&path, content)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    std::fs::write(directory.join("rootfs.tar"), rootfs(&recipe.files)?)
}

/// The recipe's own files as an archive of root's. Templates carry no modes: what is a script or
/// lies in a directory of programs can be run, the rest can be read.
fn rootfs(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let Some(inside) = path.strip_prefix("rootfs/") else {
            continue;
        };
        let executable = format!("/{inside}").contains("/bin/") || inside.ends_with(".sh");
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if executable { 0o755 } else { 0o644 });
        archive.append_data(&mut header, inside, content.as_slice())?;
    }
    archive.into_inner()
}

/// The arguments to mmdebstrap.
fn arguments(recipe: &Recipe, directory: &Path, layer: &Path, mirror: &str) -> Vec<String> {
    let place = directory.display();
    let mut arguments = vec![
        format!("--variant={}", recipe.variant),
        "--format=tar".to_owned(),
        format!("--include={}", recipe.packages.join(",")),
        "--skip=cleanup/run".to_owned(),
        "--setup-hook=mkdir -p \"$1/etc/dpkg/dpkg.cfg.d\"".to_owned(),
        format!("--setup-hook=upload {place}/dpkg.cfg /etc/dpkg/dpkg.cfg.d/seatbox"),
        format!("--essential-hook=tar-in {place}/rootfs.tar /"),
    ];
    if Path::new(MERGED_USR).is_dir() {
        arguments.push(format!("--hook-dir={MERGED_USR}"));
    }
    if recipe.files.contains_key("prepare.sh") {
        arguments.push(format!("--essential-hook={place}/prepare.sh"));
    }
    if recipe.files.contains_key("customize.sh") {
        arguments.push(format!("--customize-hook={place}/customize.sh"));
    }
    arguments.push(format!("--customize-hook={CLEAN_UP}"));
    arguments.extend([recipe.suite.clone(), layer.display().to_string()]);
    let updates = format!("{}-updates", recipe.suite);
    let parts = [recipe.suite.as_str(), updates.as_str()];
    for part in parts
        .into_iter()
        .chain(recipe.pockets.iter().map(String::as_str))
    {
        arguments.push(format!("deb [signed-by={KEYRING}] {mirror} {part} main"));
    }
    arguments.push(format!(
        "deb [signed-by={KEYRING}] {mirror}-security {}-security main",
        recipe.suite
    ));
    arguments
}

async fn bootstrap(
    recipe: &Recipe,
    directory: &TempDir,
    layer: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let broken = |message: String| Failure::new(FailureClass::Broken, CALL, message);
    if !Path::new(KEYRING).exists() {
        return Err(broken(format!("Debian's keys are missing ({KEYRING})"))
            .with_hint("install debian-archive-keyring"));
    }
    let mirror = std::env::var("SEATBOX_DEBIAN_MIRROR").unwrap_or_else(|_| ARCHIVE.to_owned());
    let mut child = Command::new("mmdebstrap")
        .args(arguments(
            recipe,
            directory.path(),
            layer,
            mirror.trim_end_matches('/'),
        ))
        .current_dir(directory.path())
        .env("TMPDIR", directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // It ends its whole process group when it is interrupted, which must not be ours.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => broken("mmdebstrap is not installed".to_owned()).with_hint(
                "install mmdebstrap (Debian, Ubuntu), or get the images from a registry",
            ),
            _ => broken(format!("can't run mmdebstrap: {error}")),
        })?;
    let mut group = ProcessGroup(child.id());
    let mut errors = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(step) = line.strip_prefix("I: ") {
                progress.report(step.to_owned(), None, None);
            } else if line.starts_with("E: ") || line.starts_with("dpkg: error") {
                errors.push(line);
            }
        }
    }
    let status = child
        .wait()
        .await
        .map_err(|error| broken(error.to_string()))?;
    group.0 = None;
    if status.success() {
        return Ok(());
    }
    let why = errors
        .first()
        .map_or("it gave no reason", |line| line.as_str());
    Err(broken(format!("mmdebstrap failed: {why}")).with_hint(
        "Debian's archive must be reachable; SEATBOX_DEBIAN_MIRROR names another place for it",
    ))
}

/// The processes of a build that is under way. When it is given up they all end: the leader alone
/// would leave the others behind with a half-made root.
struct ProcessGroup(Option<u32>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let leader = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(leader) = leader {
            // It is gone already, or it goes now: there is nothing else to do about it.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::TERM);
        }
    }
}

/// The engine's name of this machine's architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What the engine is told of the image.
fn image_config(recipe: &Recipe, digest: &str, created: Timestamp) -> serde_json::Value {
    let config = &recipe.config;
    let keys = |list: &[String]| -> serde_json::Map<String, serde_json::Value> {
        list.iter().map(|key| (key.clone(), json!({}))).collect()
    };
    let created = created.to_string();
    json!({
        "created": created,
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Env": config.env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
            "Entrypoint": (!config.entrypoint.is_empty()).then_some(&config.entrypoint),
            "Cmd": config.cmd,
            "ExposedPorts": keys(&config.expose),
            "Volumes": (!config.volumes.is_empty()).then(|| keys(&config.volumes)),
            "WorkingDir": config.workdir,
            "User": config.user,
            "StopSignal": config.stop_signal,
            "Labels": {
                "org.opencontainers.image.title": recipe.name,
                "org.opencontainers.image.description": recipe.description,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [digest] },
        "history": [{ "created": created, "created_by": "seatbox recipe" }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Recipes;

    #[test]
    fn the_archive_has_root_owned_files_of_which_programs_can_be_run() {
        let files = BTreeMap::from([
            ("customize.sh".to_owned(), b"no part of it".to_vec()),
            ("rootfs/etc/motd".to_owned(), b"hello".to_vec()),
            (
                "rootfs/usr/local/bin/entry".to_owned(),
                b"#!/bin/sh".to_vec(),
            ),
        ]);
        let archive = rootfs(&files).unwrap();
        let modes: Vec<(String, u32)> = tar::Archive::new(archive.as_slice())
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, entry.header().mode().unwrap())
            })
            .collect();
        assert_eq!(
            modes,
            [
                ("etc/motd".to_owned(), 0o644),
                ("usr/local/bin/entry".to_owned(), 0o755)
            ]
        );
    }

    #[test]
    fn backports_and_security_updates_are_among_the_sources() {
        let recipes = Recipes::built_in();
        let recipe = recipes.named("seatbox.local/golang:1.23").unwrap();
        let arguments = arguments(
            recipe,
            Path::new("/t"),
            Path::new("/t/layer.tar"),
            "http://mirror.example/debian",
        );
        let sources: Vec<&String> = arguments
            .iter()
            .filter(|argument| argument.starts_with("deb "))
            .collect();
        assert!(
            sources
                .iter()
                .any(|line| line.contains(" bookworm-backports main"))
        );
        assert!(sources.iter().any(|line| {
            line.contains("http://mirror.example/debian-security bookworm-security main")
        }));
    }
}
