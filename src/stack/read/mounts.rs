//! `volumes` of a service, and `tmpfs`.

use std::path::{Path, PathBuf};

use super::reader::{Reader, shorten};
use crate::model::stack::{Mount, MountSource};
use crate::stack::isolation::{bind_path, normal};
use crate::yaml::{Node, Place, Value};

/// The options that `tmpfs:` takes behind the colon (tmpfs(5) and mount(8)).
const TMPFS_OPTIONS: [&str; 18] = [
    "size",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "rw",
    "ro",
    "exec",
    "noexec",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "sync",
    "async",
    "noatime",
    "relatime",
];

impl Reader<'_> {
    /// A path of this machine that the file names: from the stack's directory, unless absolute.
    pub fn host_path(&self, text: &str, place: &Place) -> Option<PathBuf> {
        if text.contains('\0') {
            self.fail(place, "a path can't hold a zero byte");
            return None;
        }
        let path = match text.strip_prefix("~/") {
            Some(below) => match self.process.get("HOME") {
                Some(home) => Path::new(home).join(below),
                None => {
                    self.fail(place, "`~` means HOME, which is not set");
                    return None;
                }
            },
            None => PathBuf::from(text),
        };
        if path.is_absolute() {
            return Some(normal(&path));
        }
        match self.directory {
            Some(directory) => Some(normal(&directory.join(path))),
            None => {
                let hint = "write the stack to a file (`seatbox init` does), and name that";
                let message = "a built-in stack has no directory that a path could start from";
                self.fail_hint(place, message, hint);
                None
            }
        }
    }

    /// Notes that isolation forbids something.
    pub fn isolated(&self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        let problem = crate::stack::interpolate::Problem::new(message).hint(hint);
        self.report_as("stack::isolation", place, problem);
    }

    fn bind(&self, text: &str, place: &Place, create: bool) -> Option<MountSource> {
        let path = self.host_path(text, place)?;
        match bind_path(&path, &self.isolation.bind_mounts, self.process) {
            Ok(path) => Some(MountSource::Bind { path, create }),
            Err(message) => {
                let hint = "use a named volume; directories that seats may share with the host \
                            are listed under `isolation.bind_mounts` of the environment file";
                self.isolated(place, message, hint);
                None
            }
        }
    }
}

/// `volumes` of a service, with the place of each.
pub fn volumes(r: &Reader<'_>, node: &Node) -> Vec<(Mount, Place)> {
    r.list(node, "volumes")
        .iter()
        .filter_map(|item| {
            let mount = match &item.value {
                Value::Mapping(_) => long(r, item),
                _ => short(r, item),
            };
            mount.map(|mount| (mount, item.place.clone()))
        })
        .collect()
}

/// `[source:]target[:options]`.
fn short(r: &Reader<'_>, node: &Node) -> Option<Mount> {
    let text = r.word(node, "a volume")?;
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => {
            let hint = "write name:/path, ./directory:/path or name:/path:ro";
            r.fail_hint(&node.place, "a volume has too many colons", hint);
            return None;
        }
    };
    let target = r.container_path(target, &node.place, "a volume's target")?;
    let (mut read_only, mut nocopy) = (false, false);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            "nocopy" => nocopy = true,
            other => {
                let hint = "there are ro, rw and nocopy";
                let message = format!("a volume has no option `{}` here", shorten(other));
                r.fail_hint(&node.place, message, hint);
            }
        }
    }
    let source = match source {
        None => MountSource::Anonymous,
        Some("") => {
            r.fail(&node.place, "a volume's source is empty");
            return None;
        }
        Some(source) if source.starts_with(['.', '/', '~']) => r.bind(source, &node.place, true)?,
        Some(name) => MountSource::Volume {
            name: name.to_owned(),
            nocopy,
        },
    };
    Some(Mount {
        target,
        source,
        read_only,
    })
}

fn long(r: &Reader<'_>, node: &Node) -> Option<Mount> {
    const KNOWN: [&str; 7] = [
        "type",
        "source",
        "target",
        "read_only",
        "volume",
        "bind",
        "tmpfs",
    ];
    let (mut kind, mut source, mut target, mut read_only) = (None, None, None, false);
    let (mut nocopy, mut create, mut size, mut mode) = (false, true, None, None);
    let mut options: Option<(&str, &Place)> = None;
    for (key, place, value) in r.mapping(node, "a volume")? {
        match key {
            "type" => kind = r.word(value, "`type`"),
            "source" => source = r.word(value, "`source`"),
            "target" => {
                target = r
                    .word(value, "`target`")
                    .and_then(|text| r.container_path(text, &value.place, "`target`"));
            }
            "read_only" => read_only = r.boolean(value, "`read_only`").unwrap_or(false),
            "volume" | "bind" | "tmpfs" => {
                options = Some((key, place));
                for (option, place, value) in r.mapping(value, key).unwrap_or_default() {
                    match (key, option) {
                        ("volume", "nocopy") => {
                            nocopy = r.boolean(value, "`nocopy`").unwrap_or(false);
                        }
                        ("bind", "create_host_path") => {
                            create = r.boolean(value, "`create_host_path`").unwrap_or(true);
                        }
                        ("tmpfs", "size") => size = r.bytes(value, "`size`"),
                        ("tmpfs", "mode") => mode = r.mode(value, "`mode`"),
                        ("volume", _) => r.unknown_key(place, "a volume", option, &["nocopy"]),
                        ("bind", _) => {
                            r.unknown_key(place, "a bind", option, &["create_host_path"])
                        }
                        _ => r.unknown_key(place, "a tmpfs", option, &["size", "mode"]),
                    }
                }
            }
            _ => r.unknown_key(place, "a volume", key, &KNOWN),
        }
    }
    if let (Some((options, place)), Some(kind)) = (options, kind)
        && options != kind
    {
        r.fail(
            place,
            format!("a mount of type {} has no `{options}`", shorten(kind)),
        );
    }
    for key in ["type", "target"] {
        if node.get(key).is_none() {
            r.fail(&node.place, format!("this volume has no `{key}`"));
        }
    }
    let source = match (kind?, source) {
        ("volume", Some(name)) => MountSource::Volume {
            name: name.to_owned(),
            nocopy,
        },
        ("volume", None) => MountSource::Anonymous,
        ("bind", Some(path)) => {
            let place = node
                .get("source")
                .map_or(&node.place, |source| &source.place);
            r.bind(path, place, create)?
        }
        ("bind", None) => {
            r.fail(&node.place, "this bind has no `source`");
            return None;
        }
        ("tmpfs", None) => MountSource::Tmpfs {
            size,
            mode,
            options: None,
        },
        ("tmpfs", Some(_)) => {
            r.fail(&node.place, "a tmpfs has no source");
            return None;
        }
        (other, _) => {
            let message = format!("`{}` is no type of a mount here", shorten(other));
            r.fail_hint(&node.place, message, "there are volume, bind and tmpfs");
            return None;
        }
    };
    Some(Mount {
        target: target?,
        source,
        read_only,
    })
}

/// `tmpfs`: a path or a list of them, options behind a colon.
pub fn tmpfs(r: &Reader<'_>, node: &Node) -> Vec<(Mount, Place)> {
    let mut mounts = Vec::new();
    for item in r.list_or_one(node, "tmpfs") {
        let Some(text) = r.word(item, "tmpfs") else {
            continue;
        };
        let (path, options) = match text.split_once(':') {
            Some((path, options)) => (path, Some(options)),
            None => (text, None),
        };
        for option in options.unwrap_or_default().split(',') {
            let name = option.split('=').next().unwrap_or_default();
            if !name.is_empty() && !TMPFS_OPTIONS.contains(&name) {
                r.unknown_key(&item.place, "tmpfs", name, &TMPFS_OPTIONS);
            }
        }
        if let Some(target) = r.container_path(path, &item.place, "tmpfs") {
            let source = MountSource::Tmpfs {
                size: None,
                mode: None,
                options: options.filter(|text| !text.is_empty()).map(str::to_owned),
            };
            let mount = Mount {
                target,
                source,
                read_only: false,
            };
            mounts.push((mount, item.place.clone()));
        }
    }
    mounts
}
