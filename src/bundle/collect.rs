//! Gathering an environment's files in a directory, so that the environment loads from there.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::error::{Error, Result};
use super::manifest::{
    DirectoryEntry, FILES, FileEntry, LinkEntry, MAX_FILES, WORKSPACE, Workspace,
};
use crate::environment::{self, Overrides};
use crate::model::Environment;
use crate::model::environment::WorkspaceFiles;
use crate::model::stack::MountSource;
use crate::provider::workspace::clone;

/// The environment's files, as they are in a bundle.
#[derive(Debug, Default)]
pub struct Collected {
    /// The path of the environment file.
    pub file: String,
    /// All files.
    pub files: Vec<FileEntry>,
    /// The workspace's directories and those of recipes.
    pub directories: Vec<DirectoryEntry>,
    /// Links in the workspace.
    pub links: Vec<LinkEntry>,
    /// The workspace's first files.
    pub workspace: Option<Workspace>,
    /// What a person should know of what is not among them.
    pub notices: Vec<String>,
    /// What is being written, by device and number: no part of the environment, wherever it lies.
    written: Vec<(u64, u64)>,
    cancel: CancellationToken,
}

/// Copies all files that the environment of `file` needs to below `root`, and makes sure that the
/// environment loads from there as it did. `to` is where the bundle will be.
///
/// # Errors
///
/// [`Error::Refused`] where it would not, and where a file can't be read; [`Error::Interrupted`]
/// once `cancel` is cancelled.
pub async fn collect(
    environment: &Environment,
    file: &Path,
    overrides: &Overrides,
    root: &Path,
    to: &Path,
    cancel: &CancellationToken,
) -> Result<Collected> {
    let written = [root, to]
        .into_iter()
        .filter_map(|path| path.metadata().ok());
    let mut collected = Collected {
        written: written.map(|known| (known.dev(), known.ino())).collect(),
        cancel: cancel.clone(),
        ..Collected::default()
    };
    let files = environment.workspace.files.as_ref();
    if let Some(WorkspaceFiles::Git { url, revision }) = files {
        let directory = tokio::select! {
            directory = clone(url, revision.as_deref()) => directory?,
            () = cancel.cancelled() => return Err(Error::Interrupted),
        };
        collected.tree(directory.path(), WORKSPACE, root, Links::Kept)?;
        collected.workspace = Some(Workspace {
            directory: WORKSPACE.to_owned(),
            git: Some(url.clone()),
            revision: revision.clone(),
        });
    }
    collected.environment(environment, file, root)?;
    check(environment, overrides, root, &mut collected)?;
    Ok(collected)
}

/// What is done about symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// They stay links.
    Kept,
    /// What they lead to is taken.
    Followed,
}

impl Collected {
    fn environment(&mut self, environment: &Environment, file: &Path, root: &Path) -> Result {
        let file = lexical(file)?;
        let mut places = vec![(file.clone(), file.clone())];
        if let Some((stack, others)) = environment.stack.sources.split_first() {
            let stack = lexical(stack)?;
            // Paths in a stack start from its real directory, and stay the same from its place in
            // the bundle.
            let parent = stack.parent().unwrap_or(Path::new("/"));
            let real = parent.canonicalize().map_err(Error::io(parent.display()))?;
            for other in others {
                let place = tidy(&parent.join(relative(&real, other)));
                places.push((other.clone(), place));
            }
            places.push((stack.clone(), stack));
        }
        let mut trees = Vec::new();
        if let Some(WorkspaceFiles::Directory(directory)) = &environment.workspace.files {
            trees.push((lexical(directory)?, Links::Kept));
        }
        if let Some(directory) = &environment.images.recipes {
            trees.push((lexical(directory)?, Links::Followed));
        }
        let tops = places
            .iter()
            .filter_map(|(_, place)| place.parent())
            .chain(trees.iter().map(|(tree, _)| tree.as_path()));
        let top = common(tops);
        let inside = |place: &Path| {
            let below = place.strip_prefix(&top).unwrap_or(place);
            text(&Path::new(FILES).join(below))
        };
        self.file = inside(&file)?;
        for (tree, links) in &trees {
            let place = inside(tree)?;
            self.tree(tree, &place, root, *links)?;
            if *links == Links::Kept {
                self.workspace = Some(Workspace {
                    directory: place,
                    git: None,
                    revision: None,
                });
            }
        }
        for (path, place) in places {
            let place = inside(&place)?;
            if !is_there(root, &place) {
                self.file(&path, &place, root)?;
            }
        }
        Ok(())
    }

    /// Takes what is in a directory, but for its `.git`, as the workspace's packer does.
    fn tree(&mut self, from: &Path, place: &str, root: &Path, links: Links) -> Result {
        let failed = || Error::io(from.display());
        std::fs::create_dir_all(root.join(place)).map_err(Error::io(place))?;
        let mode = from.metadata().map_err(failed())?.permissions().mode() & 0o777;
        // The recipes may lie in the workspace, and are taken once.
        if self.directories.iter().all(|known| known.path != place) {
            let path = place.to_owned();
            self.directories.push(DirectoryEntry { path, mode });
        }
        let mut entries = from
            .read_dir()
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(failed())?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            if self.cancel.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let path = entry.path();
            let below = text(&Path::new(place).join(entry.file_name()))?;
            if entry.file_name() == ".git" && links == Links::Kept {
                continue;
            }
            let metadata = match links {
                Links::Kept => path.symlink_metadata(),
                Links::Followed => path.metadata(),
            };
            let metadata = metadata.map_err(Error::io(path.display()))?;
            if self.written.contains(&(metadata.dev(), metadata.ino())) {
                continue;
            }
            if metadata.is_dir() {
                self.tree(&path, &below, root, links)?;
            } else if metadata.is_symlink() {
                let target = path.read_link().map_err(Error::io(path.display()))?;
                self.links.push(LinkEntry {
                    path: below,
                    target: text(&target)?,
                });
            } else if metadata.is_file() && !is_there(root, &below) {
                self.file(&path, &below, root)?;
            }
            // Sockets, pipes and devices are nothing that a workspace can begin with.
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, place: &str, root: &Path) -> Result {
        if self.files.len() + self.links.len() + self.directories.len() >= MAX_FILES {
            return Err(Error::refused(
                format!("the environment has more than {MAX_FILES} files"),
                "keep in the workspace's directory what participants need",
            ));
        }
        if let Some(parent) = Path::new(place).parent() {
            std::fs::create_dir_all(root.join(parent)).map_err(Error::io(place))?;
        }
        let copied = copy(from, &root.join(place)).map_err(Error::io(from.display()))?;
        let (size, sha256, metadata) = copied;
        self.files.push(FileEntry {
            path: place.to_owned(),
            size,
            sha256,
            mode: metadata.permissions().mode() & 0o777,
            modified: u64::try_from(metadata.mtime()).unwrap_or(0),
        });
        Ok(())
    }
}

/// Whether that place has been filled: a workspace may hold the environment file itself.
fn is_there(root: &Path, place: &str) -> bool {
    root.join(place).symlink_metadata().is_ok()
}

fn copy(from: &Path, to: &Path) -> io::Result<(u64, String, Metadata)> {
    let mut source = File::open(from)?;
    let metadata = source.metadata()?;
    let mut copy = Hashing {
        into: File::create_new(to)?,
        hash: Sha256::new(),
    };
    let size = io::copy(&mut source, &mut copy)?;
    Ok((size, crate::hex(&copy.hash.finalize()), metadata))
}

/// Writes, and computes the digest of what is written.
pub(super) struct Hashing<W> {
    pub(super) into: W,
    pub(super) hash: Sha256,
}

impl<W: io::Write> io::Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.into.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Loads the environment from its copies, and compares.
fn check(
    environment: &Environment,
    overrides: &Overrides,
    root: &Path,
    collected: &mut Collected,
) -> Result {
    let path = root.join(&collected.file);
    let here = |error: crate::diagnostic::Diagnostics| {
        let first = error.iter().next().map(|problem| problem.message.clone());
        Error::refused(
            format!(
                "the environment does not load from its files alone: {}",
                first.unwrap_or_default()
            ),
            "name its files by paths that start from the files that name them",
        )
    };
    let copy = environment::load(&path, overrides)
        .map_err(here)?
        .environment;
    let real = root.canonicalize().map_err(Error::io(root.display()))?;
    let inside = |path: &Path| {
        path.canonicalize()
            .is_ok_and(|path| path.starts_with(&real))
    };
    let directories = match &copy.workspace.files {
        Some(WorkspaceFiles::Directory(directory)) => Some(directory),
        _ => None,
    };
    let needed = copy
        .stack
        .sources
        .iter()
        .chain(directories)
        .chain(&copy.images.recipes);
    if let Some(outside) = needed.into_iter().find(|path| !inside(path)) {
        return Err(Error::refused(
            format!(
                "{} is named by a path of this machine, which the bundle's other machine does not \
                 have",
                outside.display()
            ),
            "name it by a path that starts from the file that names it",
        ));
    }
    let mut bound = false;
    for mount in copy
        .stack
        .services
        .values()
        .flat_map(|service| &service.mounts)
    {
        if let MountSource::Bind { path, .. } = &mount.source {
            if path.starts_with(&real) || path.starts_with(root) {
                return Err(Error::refused(
                    format!(
                        "the stack mounts a directory beside it at {}, and a bundle's files are \
                         there only while a command runs",
                        mount.target
                    ),
                    "put these files into the workspace, a config or an image",
                ));
            }
            bound = true;
        }
    }
    if bound {
        collected.notices.push(
            "the directories of this machine that the stack mounts are not in the bundle"
                .to_owned(),
        );
    }
    if serde_json::to_string(&copy.stack).ok() != serde_json::to_string(&environment.stack).ok() {
        return Err(Error::refused(
            "the stack reads otherwise from the bundle's files than from its own",
            "name its files by paths that start from the files that name them",
        ));
    }
    // Without what this machine's variables say, which the other one's do not.
    let bare = Overrides {
        variables: Vec::new(),
        ..overrides.clone()
    };
    let same = environment::load(&path, &bare)
        .is_ok_and(|loaded| same_images(&loaded.environment, environment));
    if !same {
        collected.notices.push(
            "variables of this machine's environment are not in the bundle, and the stack or the \
             environment file needs some: set them where the bundle is used"
                .to_owned(),
        );
    }
    Ok(())
}

fn same_images(one: &Environment, other: &Environment) -> bool {
    let images = |environment: &Environment| -> BTreeSet<String> {
        let services = environment.stack.services.values();
        services.map(|service| service.image.clone()).collect()
    };
    images(one) == images(other)
}

/// The path from the root, without `.` and `..`, and without asking the file system.
fn lexical(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(Error::io(path.display()))?;
    Ok(tidy(&path))
}

fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidied.pop();
            }
            other => tidied.push(other),
        }
    }
    tidied
}

/// The way from one directory to another place; both from the root.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// The innermost directory that holds all of those.
fn common<'a>(mut paths: impl Iterator<Item = &'a Path>) -> PathBuf {
    let first = paths.next().map(Path::to_owned).unwrap_or_default();
    paths.fold(first, |common, path| {
        let both = common.components().zip(path.components());
        both.take_while(|(one, other)| one == other)
            .map(|(one, _)| one)
            .collect()
    })
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::refused(
            format!("the name of {} is not UTF-8", path.display()),
            "rename it",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_innermost_directory_that_holds_all() {
        let top = |paths: &[&str]| common(paths.iter().map(Path::new));
        assert_eq!(top(&["/a/b", "/a/b/c"]), Path::new("/a/b"));
        assert_eq!(top(&["/a/b", "/a/bc"]), Path::new("/a"));
        assert_eq!(top(&["/a", "/b"]), Path::new("/"));
    }

    #[test]
    fn the_way_between_two_places_leads_up_and_down() {
        let way = |from, to| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b", "/a/b/c/d"), Path::new("c/d"));
        assert_eq!(way("/a/b", "/a/c"), Path::new("../c"));
        assert_eq!(tidy(Path::new("/a/b/../c/./d")), Path::new("/a/c/d"));
    }
}
