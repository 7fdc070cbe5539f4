//! What can only be checked when the whole file is read.

use std::path::Path;

use super::read::file::File;
use super::read::reader::Reader;
use super::read::service::Draft;
use super::variables::closest;
use crate::model::stack::{Condition, Mount, MountSource, Port};
use crate::model::text::Segment;
use crate::model::{SeatVariable, Service, Stack, Text};
use crate::yaml::Place;

/// Checks the services of the active profiles against each other and against what is declared.
pub fn check(r: &Reader<'_>, file: &File<'_>, active: &[&Draft<'_>]) {
    for draft in active {
        declared(r, file, draft);
        dependencies(r, file, active, draft);
        targets(r, draft);
        injected(r, draft);
    }
    cycles(r, active);
    published(r, active);
    workspaces(r, active);
}

fn declared(r: &Reader<'_>, file: &File<'_>, draft: &Draft<'_>) {
    let networks: Vec<&str> = file.networks.keys().map(String::as_str).collect();
    for name in draft.service.networks.keys() {
        if name != "default" && !file.networks.contains_key(name) {
            let place = draft
                .node
                .place_of(&["networks".into(), name.as_str().into()]);
            r.undeclared(&place, "a network", "networks", name, &networks);
        }
    }
    let volumes: Vec<&str> = file.volumes.keys().map(String::as_str).collect();
    for (mount, place) in &draft.mounts {
        if let MountSource::Volume { name, .. } = &mount.source
            && !file.volumes.contains_key(name)
        {
            r.undeclared(place, "a volume", "volumes", name, &volumes);
        }
    }
}

fn dependencies(r: &Reader<'_>, file: &File<'_>, active: &[&Draft<'_>], draft: &Draft<'_>) {
    for (name, dependency) in &draft.service.depends_on {
        let place = draft
            .node
            .place_of(&["depends_on".into(), name.as_str().into()]);
        if *name == draft.service.name {
            r.fail(&place, format!("`{name}` depends on itself"));
            continue;
        }
        let Some(other) = active.iter().find(|other| other.service.name == *name) else {
            if let Some(inactive) = file
                .services
                .iter()
                .find(|other| other.service.name == *name)
            {
                let profiles = inactive.profiles.join(", ");
                r.fail_hint(
                    &place,
                    format!("`{name}` is not active, since none of its profiles is selected"),
                    format!("select one of them ({profiles}) in the environment file"),
                );
                continue;
            }
            let names = file
                .services
                .iter()
                .map(|other| other.service.name.as_str());
            let hint = match closest(name.as_str(), names) {
                Some(right) => format!("did you mean `{right}`?"),
                None => "name a service of this file".to_owned(),
            };
            r.fail_hint(&place, format!("there is no service `{name}`"), hint);
            continue;
        };
        let check = other.service.healthcheck.as_ref();
        let off = check.is_none_or(|check| {
            check
                .test
                .first()
                .is_some_and(|first| first.as_literal() == Some("NONE"))
        });
        if dependency.condition == Condition::ServiceHealthy && off {
            r.fail_hint(
                &place,
                format!("`{name}` has no healthcheck, so it never gets healthy"),
                format!("give `{name}` a healthcheck, or depend on service_started"),
            );
        }
    }
}

/// Depth-first search; a service that is met again on the way down closes a cycle.
fn cycles(r: &Reader<'_>, active: &[&Draft<'_>]) {
    let index = |name: &str| {
        active
            .iter()
            .position(|draft| draft.service.name.as_str() == name)
    };
    let mut finished = vec![false; active.len()];
    for start in 0..active.len() {
        // The way down: a service, and how many of its dependencies are done.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((at, done)) = way.last_mut() {
            let (at, next) = (*at, active[*at].service.depends_on.get_index(*done));
            *done += 1;
            let Some((name, _)) = next.filter(|_| !finished[at]) else {
                finished[at] = true;
                way.pop();
                continue;
            };
            let Some(to) = index(name.as_str()).filter(|to| *to != at) else {
                continue;
            };
            if let Some(from) = way.iter().position(|(on_way, _)| *on_way == to) {
                let mut names: Vec<&str> = way[from..]
                    .iter()
                    .map(|(index, _)| active[*index].service.name.as_str())
                    .collect();
                names.push(name.as_str());
                let place = active[at]
                    .node
                    .place_of(&["depends_on".into(), name.as_str().into()]);
                let message = format!("services depend on each other: {}", names.join(" → "));
                r.fail(&place, message);
            } else if !finished[to] {
                way.push((to, 0));
            }
        }
    }
}

fn targets(r: &Reader<'_>, draft: &Draft<'_>) {
    let mounts = draft
        .mounts
        .iter()
        .map(|(mount, place)| (&mount.target, place));
    let files = draft
        .files
        .iter()
        .map(|(file, place)| (&file.target, place));
    let mut seen: Vec<&str> = Vec::new();
    for (target, place) in mounts.chain(files) {
        if target == "/" {
            r.fail(place, "nothing can be mounted over the container's root");
        } else if seen.contains(&target.as_str()) {
            r.fail(place, format!("two things are mounted at `{target}`"));
        }
        seen.push(target);
    }
}

/// A file is copied in before the container starts, so what it is copied to must be writable then,
/// must not be hidden by the start, and must not be the host's.
fn injected(r: &Reader<'_>, draft: &Draft<'_>) {
    for (file, place) in &draft.files {
        let above = draft
            .mounts
            .iter()
            .map(|(mount, _)| mount)
            .filter(|mount| Path::new(&file.target).starts_with(&mount.target))
            .max_by_key(|mount| mount.target.len());
        let target = &file.target;
        match above {
            None if draft.service.read_only => r.fail_hint(
                place,
                format!("`{target}` can't be put into a read-only container"),
                "mount a volume above it, or leave out `read_only`",
            ),
            None => {}
            Some(mount) => match &mount.source {
                MountSource::Tmpfs { .. } => r.fail_hint(
                    place,
                    format!(
                        "`{target}` would be hidden by the tmpfs at `{}`",
                        mount.target
                    ),
                    "choose another `target`",
                ),
                MountSource::Bind { .. } => r.fail_hint(
                    place,
                    format!("`{target}` would be written into a directory of the host"),
                    "choose another `target`",
                ),
                _ if mount.read_only => r.fail_hint(
                    place,
                    format!("`{target}` is in a volume that is mounted read-only"),
                    "choose another `target`",
                ),
                MountSource::Volume { .. } | MountSource::Anonymous => {}
            },
        }
    }
}

/// A snapshot is made once and copied to every seat, so what goes into it must be the same for all
/// of them, and there must be volumes of the service's own that take it.
pub fn snapshots(r: &Reader<'_>, stack: &Stack, active: &[&Draft<'_>]) {
    for draft in active {
        let Some(service) = stack.services.get(&draft.service.name) else {
            continue;
        };
        if service.seatbox.snapshot.is_some() {
            let place = draft
                .node
                .place_of(&["x-seatbox".into(), "snapshot".into()]);
            snapshot(r, stack, service, &place);
        }
    }
}

fn snapshot(r: &Reader<'_>, stack: &Stack, service: &Service, place: &Place) {
    if service.check().is_none_or(|check| check.test.is_empty()) {
        r.fail_hint(
            place,
            "a snapshot needs a healthcheck with a `test`",
            "it must fail as long as a seat's own password does not work",
        );
    }
    if service.snapshot_volumes().next().is_none() {
        r.fail_hint(
            place,
            "there is no volume that a snapshot could fill",
            "mount a named one where the service keeps its data",
        );
    }
    if let Some(other) = service.depends_on.keys().next() {
        r.fail_hint(
            place,
            format!("a snapshot is made of one service alone, and this one waits for `{other}`"),
            "leave the dependency or the snapshot out",
        );
    }
    for (name, _) in service.snapshot_volumes() {
        let has = |mount: &Mount| matches!(&mount.source, MountSource::Volume { name: other, .. } if other == name);
        let other = stack
            .services
            .values()
            .find(|other| other.name != service.name && other.mounts.iter().any(has));
        if let Some(other) = other {
            let other = &other.name;
            r.fail(
                place,
                format!("the volume `{name}` of this snapshot is mounted by `{other}` too"),
            );
        }
    }
    let varies = service
        .first_start_texts()
        .flat_map(Text::segments)
        .find_map(|segment| match segment {
            Segment::Variable(SeatVariable::Secret(_)) | Segment::Literal(_) => None,
            Segment::Variable(variable) => Some(variable.name()),
        });
    if let Some(variable) = varies {
        r.fail_hint(
            place,
            format!("a snapshot is the same for every seat, and this service uses ${variable}"),
            "leave the variable or the snapshot out",
        );
    }
}

fn published(r: &Reader<'_>, active: &[&Draft<'_>]) {
    let mut seen: Vec<(&Port, &str)> = Vec::new();
    for draft in active {
        for port in &draft.service.ports {
            let clash = seen.iter().find(|(other, _)| {
                port.published.is_some()
                    && other.published == port.published
                    && other.target.protocol == port.target.protocol
                    && (other.host_ip == port.host_ip
                        || [other.host_ip, port.host_ip]
                            .iter()
                            .any(|ip| ip.is_none_or(|ip| ip.is_unspecified())))
            });
            if let (Some((_, other)), Some(number)) = (clash, port.published) {
                let place = draft.node.place_of(&["ports".into()]);
                r.fail(
                    &place,
                    format!("the host port {number} is published by `{other}` too"),
                );
            }
            seen.push((port, draft.service.name.as_str()));
        }
    }
}

fn workspaces(r: &Reader<'_>, active: &[&Draft<'_>]) {
    let mut first: Option<&str> = None;
    for draft in active {
        if draft.service.seatbox.workspace.is_none() {
            continue;
        }
        if let Some(first) = first {
            let place = draft
                .node
                .place_of(&["x-seatbox".into(), "workspace".into()]);
            r.fail(
                &place,
                format!("`{first}` has the workspace already; a seat has one"),
            );
        }
        first = first.or(Some(draft.service.name.as_str()));
        let path = draft.service.seatbox.workspace.as_deref().unwrap_or("/");
        let holder = draft
            .mounts
            .iter()
            .map(|(mount, _)| mount)
            .filter(|mount| Path::new(path).starts_with(&mount.target))
            .max_by_key(|mount| mount.target.len());
        let named = holder.is_some_and(|mount| matches!(mount.source, MountSource::Volume { .. }));
        if !named {
            let place = draft
                .node
                .place_of(&["x-seatbox".into(), "workspace".into()]);
            r.fail_hint(
                &place,
                "the workspace is on no named volume, and would be lost with its container",
                format!("mount one there, as in `volumes: [workspace:{path}]`"),
            );
        }
    }
}
