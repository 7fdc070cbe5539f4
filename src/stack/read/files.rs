//! `configs` and `secrets`: files that are put into a container before it starts.

use std::path::Path;

use indexmap::IndexMap;

use super::process::lookup;
use super::reader::Reader;
use super::unsupported::Part;
use crate::model::stack::{FileContent, InjectedFile};
use crate::yaml::{Node, Place, Value};

/// Which of the two an injected file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `configs`.
    Config,
    /// `secrets`.
    Secret,
}

impl Kind {
    /// The attribute's name.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Config => "configs",
            Self::Secret => "secrets",
        }
    }

    fn one(self) -> &'static str {
        match self {
            Self::Config => "a config",
            Self::Secret => "a secret",
        }
    }
}

/// What a file declares by name; nothing where its content is wrong.
pub type Declared = IndexMap<String, Option<FileContent>>;

/// The configs or secrets at the top of the file.
pub fn declared(r: &Reader<'_>, node: &Node, kind: Kind) -> Declared {
    let mut all = IndexMap::new();
    for (name, place, value) in r.every_pair(node, kind.attribute()) {
        all.insert(name.to_owned(), content(r, place, value, kind));
    }
    all
}

fn content(r: &Reader<'_>, at: &Place, node: &Node, kind: Kind) -> Option<FileContent> {
    const KNOWN: [&str; 3] = ["file", "content", "environment"];
    let what = kind.one();
    let mut sources = 0;
    let mut content = None;
    for (key, place, value) in r.mapping(node, what)? {
        sources += usize::from(KNOWN.contains(&key));
        match key {
            "file" => {
                content = r
                    .word(value, "`file`")
                    .and_then(|path| r.host_path(path, &value.place))
                    .and_then(|path| read_bounded(r, &value.place, &path))
                    .map(FileContent::Bytes);
            }
            "content" => content = r.secret_text(value, "`content`").map(FileContent::Text),
            "environment" => {
                content = r
                    .word(value, "`environment`")
                    .and_then(|name| lookup(r, &value.place, name))
                    .map(FileContent::Text);
            }
            "external" if value.value == Value::Bool(false) => {}
            _ => r.refuse_key(place, Part::File, what, key, &KNOWN),
        }
    }
    if sources != 1 {
        r.fail(
            at,
            format!("{what} needs one of `file`, `content` and `environment`"),
        );
    }
    content
}

/// Reads a file whole; an error is noted where it can't be, or is too large.
pub fn read_bounded(r: &Reader<'_>, place: &Place, path: &Path) -> Option<Vec<u8>> {
    r.files.borrow_mut().push(path.to_owned());
    crate::yaml::read_bytes(path)
        .map_err(|error| {
            r.fail(place, format!("`{}`: {}", path.display(), error.message));
        })
        .ok()
}

/// The configs or secrets of a service, with the place of each.
pub fn used(
    r: &Reader<'_>,
    node: &Node,
    kind: Kind,
    declared: &Declared,
) -> Vec<(InjectedFile, Place)> {
    r.list(node, kind.attribute())
        .iter()
        .filter_map(|item| {
            let file = match &item.value {
                Value::Mapping(_) => long(r, item, kind, declared),
                _ => {
                    let name = r.word(item, kind.one())?;
                    injected(r, &item.place, name, None, kind, declared)
                }
            };
            file.map(|file| (file, item.place.clone()))
        })
        .collect()
}

fn injected(
    r: &Reader<'_>,
    place: &Place,
    name: &str,
    target: Option<String>,
    kind: Kind,
    declared: &Declared,
) -> Option<InjectedFile> {
    let Some(content) = declared.get(name) else {
        let known: Vec<&str> = declared.keys().map(String::as_str).collect();
        r.undeclared(place, kind.one(), kind.attribute(), name, &known);
        return None;
    };
    let directory = match kind {
        Kind::Config => "/",
        Kind::Secret => "/run/secrets/",
    };
    let target = target.unwrap_or_else(|| format!("{directory}{name}"));
    Some(InjectedFile {
        target,
        content: content.clone()?,
        uid: 0,
        gid: 0,
        mode: 0o444,
    })
}

fn long(r: &Reader<'_>, node: &Node, kind: Kind, declared: &Declared) -> Option<InjectedFile> {
    const KNOWN: [&str; 5] = ["source", "target", "uid", "gid", "mode"];
    let what = kind.one();
    let (mut source, mut target, mut uid, mut gid, mut mode) = (None, None, None, None, None);
    for (key, place, value) in r.mapping(node, what)? {
        match key {
            "source" => source = r.word(value, "`source`"),
            "target" => target = r.word(value, "`target`").map(|text| (text, &value.place)),
            "uid" => uid = r.number(value, "`uid`", "a user's number"),
            "gid" => gid = r.number(value, "`gid`", "a group's number"),
            "mode" => mode = r.mode(value, "`mode`"),
            _ => r.unknown_key(place, what, key, &KNOWN),
        }
    }
    if node.get("source").is_none() {
        r.fail(&node.place, format!("this use of {what} has no `source`"));
    }
    let target = match target {
        // A secret's target may be a file's name below /run/secrets.
        Some((name, place)) if kind == Kind::Secret && !name.starts_with('/') => {
            Some(r.container_path(&format!("/run/secrets/{name}"), place, "`target`")?)
        }
        Some((path, place)) => Some(r.container_path(path, place, "`target`")?),
        None => None,
    };
    let file = injected(r, &node.place, source?, target, kind, declared)?;
    Some(InjectedFile {
        uid: uid.unwrap_or(file.uid),
        gid: gid.unwrap_or(file.gid),
        mode: mode.unwrap_or(file.mode),
        ..file
    })
}
