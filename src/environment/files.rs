//! What an environment takes from the machine it is on: files, recipes, mounts, mirrors.

use std::path::{Path, PathBuf};

use super::checker::Checker;
use super::raw::{RawFiles, RawImages, RawIsolation, RawWorkspace};
use crate::model::environment::{ImagePolicy, ImageSource, Isolation, Workspace, WorkspaceFiles};

/// Sockets of engines. Whoever has one has the machine.
const ENGINE_SOCKETS: [&str; 5] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
];

pub(super) fn images(c: &mut Checker<'_>, raw: RawImages) -> ImagePolicy {
    let mirrors = raw.mirrors.unwrap_or_default();
    for (index, mirror) in mirrors.iter().enumerate() {
        if !is_mirror(mirror) {
            let path = format!("images.mirrors.{index}");
            let hint = "write host, host:port or host/path, such as mirror.example:5000";
            c.problem(
                &path,
                "environment::mirror",
                "this is not a registry's address",
                hint,
            );
        }
    }
    let recipes = raw.recipes.map(|text| {
        let path = c.path(&text);
        check_directory(c, "images.recipes", &path);
        path
    });
    let mut sources: Vec<ImageSource> = Vec::new();
    for (index, source) in raw.sources.unwrap_or_default().into_iter().enumerate() {
        if sources.contains(&source) {
            let path = format!("images.sources.{index}");
            c.problem(
                &path,
                "environment::images",
                "this source is here twice",
                "",
            );
        } else {
            sources.push(source);
        }
    }
    ImagePolicy {
        sources,
        mirrors,
        recipes,
        bundled: Vec::new(),
    }
}

/// `host[:port][/path]`: no scheme, no credentials, nothing that is no part of an image's name.
fn is_mirror(text: &str) -> bool {
    let (address, path) = match text.split_once('/') {
        Some((address, path)) => (address, Some(path)),
        None => (text, None),
    };
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let word = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.len() <= 253
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    word(host, b".-")
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        && path.is_none_or(|path| path.split('/').all(|part| word(part, b"._-")))
}

pub(super) fn workspace(c: &mut Checker<'_>, raw: RawWorkspace) -> Workspace {
    let Some(RawFiles {
        directory,
        git,
        revision,
    }) = raw.files
    else {
        return Workspace::default();
    };
    let code = "environment::workspace";
    if revision.is_some() && git.is_none() {
        let message = "a revision is one of a git repository";
        c.problem("workspace.files.revision", code, message, "give `git` too");
    }
    if revision
        .as_deref()
        .is_some_and(|text| text.is_empty() || text.starts_with('-'))
    {
        let message = "this is not a branch, tag or commit";
        c.problem("workspace.files.revision", code, message, "");
    }
    let files = match (directory, git) {
        (Some(_), Some(_)) => {
            let message = "the files come from a directory or from git, not from both";
            c.problem("workspace.files.git", code, message, "take one away");
            None
        }
        (Some(text), None) => {
            let path = c.path(&text);
            check_directory(c, "workspace.files.directory", &path);
            Some(WorkspaceFiles::Directory(path))
        }
        (None, Some(url)) => {
            check_git(c, &url);
            Some(WorkspaceFiles::Git { url, revision })
        }
        (None, None) => {
            if !c.has("workspace.files.directory") && !c.has("workspace.files.git") {
                let hint = "give `directory` or `git`";
                c.problem(
                    "workspace.files",
                    code,
                    "it does not say where files come from",
                    hint,
                );
            }
            None
        }
    };
    Workspace { files }
}

fn check_directory(c: &mut Checker<'_>, field: &str, path: &Path) {
    let code = "environment::directory";
    let hint = "the path is relative to the environment file";
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => c.problem(field, code, format!("`{shown}` is not a directory"), hint),
        Err(error) => {
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no directory `{shown}`"),
                _ => format!("the directory `{shown}` can't be read: {error}"),
            };
            c.problem(field, code, message, hint);
        }
    }
}

/// Only transports that fetch and do nothing else: git's `ext::` runs a command.
fn check_git(c: &mut Checker<'_>, url: &str) {
    let (field, code) = ("workspace.files.git", "environment::git");
    let (scheme, authority) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest.split('/').next().unwrap_or_default()),
        // git@host:path, as ssh has it.
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') && !path.starts_with(':') => ("ssh", host),
            _ => ("", ""),
        },
    };
    let known = matches!(scheme, "https" | "http" | "ssh" | "git" | "file");
    if !known || url.starts_with('-') || url.contains(|c: char| c.is_control() || c == ' ') {
        let hint = "write https://host/path.git or git@host:path.git";
        c.problem(field, code, "this is not the URL of a git repository", hint);
        return;
    }
    // ssh names the account to log in with; everything else before an @ is a credential.
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    if user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
        let message = "the URL has credentials in it, and a file is no place for them";
        let hint = "take them out; git's credential helpers and ssh keys are asked instead";
        c.problem(field, code, message, hint);
    }
}

pub(super) fn isolation(c: &mut Checker<'_>, raw: RawIsolation) -> Isolation {
    let capabilities = raw.capabilities.unwrap_or_default();
    let capabilities = capabilities
        .into_iter()
        .enumerate()
        .map(|(index, text)| capability(c, index, &text))
        .collect();
    let bind_mounts = raw.bind_mounts.unwrap_or_default();
    let bind_mounts = bind_mounts
        .into_iter()
        .enumerate()
        .map(|(index, text)| bind_mount(c, index, &text))
        .collect();
    Isolation {
        capabilities,
        security_opt: raw.security_opt.unwrap_or_default(),
        bind_mounts,
        new_privileges: raw.new_privileges.unwrap_or(false),
        internet: raw.internet.unwrap_or(true),
    }
}

fn capability(c: &mut Checker<'_>, index: usize, text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned();
    let path = format!("isolation.capabilities.{index}");
    let code = "environment::capability";
    if name == "ALL" {
        let message = "all capabilities would be no isolation at all";
        c.problem(&path, code, message, "name the ones that the stack needs");
    } else if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
        c.problem(
            &path,
            code,
            "this is not a Linux capability",
            "write for example SYS_PTRACE",
        );
    }
    name
}

fn bind_mount(c: &mut Checker<'_>, index: usize, text: &str) -> PathBuf {
    let path = c.path(text);
    let absolute = std::path::absolute(&path).unwrap_or(path);
    // A link is judged by what it leads to.
    let real = absolute.canonicalize().unwrap_or_else(|_| absolute.clone());
    let opens_engine = [&absolute, &real].into_iter().any(|path| {
        ENGINE_SOCKETS
            .iter()
            .any(|socket| Path::new(socket).starts_with(path) || path.starts_with(socket))
    });
    if text.is_empty() || opens_engine {
        let field = format!("isolation.bind_mounts.{index}");
        let message = "this would open the whole machine to every seat";
        let hint = "name a directory that has nothing but what the seats need";
        c.problem(&field, "environment::bind-mount", message, hint);
    }
    absolute
}
