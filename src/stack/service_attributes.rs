//! A service as the attributes of a Compose file: the reverse of reading it.

use super::emit::Yaml;
use super::export::{Pairs, Writer, plain};
use crate::model::Service;
use crate::model::stack::{
    Condition, Healthcheck, InjectedFile, Mount, MountSource, Port, Resources, Restart, Snapshot,
};

/// Every attribute of `service` that it has.
pub fn write(w: &Writer<'_>, service: &Service) -> Yaml {
    let mut map = Pairs::default();
    map.word("image", Some(&service.image));
    map.word("platform", service.platform.as_ref());
    if let Some(entrypoint) = &service.entrypoint {
        map.always("entrypoint", w.list(entrypoint));
    }
    if let Some(command) = &service.command {
        map.always("command", w.list(command));
    }
    map.flag("init", service.init);
    if let Some(user) = &service.user {
        map.put("user", w.text(user));
    }
    map.word("working_dir", service.working_dir.as_ref());
    if let Some(hostname) = &service.hostname {
        map.put("hostname", w.text(hostname));
    }
    map.put("environment", w.texts(&service.environment));
    map.put("configs", files(w, service));
    let (tmpfs, mounts) = mounts(&service.mounts);
    map.put("volumes", mounts);
    map.put("tmpfs", tmpfs);
    let ports = service
        .ports
        .iter()
        .map(|port| self::port(w, service, port));
    map.put("ports", Yaml::List(ports.collect()));
    let expose = service.expose.iter().map(|port| plain(port.to_string()));
    map.put("expose", Yaml::List(expose.collect()));
    let networks = service.networks.iter().map(|(name, attachment)| {
        let mut map = Pairs::default();
        map.put("aliases", w.list(&attachment.aliases));
        (name.clone(), map.done())
    });
    map.put("networks", Yaml::Map(networks.collect()));
    let depends_on = service.depends_on.iter().map(|(name, dependency)| {
        let condition = match dependency.condition {
            Condition::ServiceStarted => "service_started",
            Condition::ServiceHealthy => "service_healthy",
            Condition::ServiceCompletedSuccessfully => "service_completed_successfully",
        };
        (
            name.to_string(),
            Yaml::Map(vec![("condition".to_owned(), plain(condition))]),
        )
    });
    map.put("depends_on", Yaml::Map(depends_on.collect()));
    if let Some(check) = &service.healthcheck {
        map.always("healthcheck", healthcheck(w, check));
    }
    let resources = Yaml::Map(vec![(
        "resources".to_owned(),
        resources(&service.resources),
    )]);
    map.put("deploy", resources);
    let words = |words: &[String]| Yaml::List(words.iter().map(plain).collect());
    map.put("cap_drop", words(&service.cap_drop));
    map.put("cap_add", words(&service.cap_add));
    map.put("security_opt", words(&service.security_opt));
    map.flag("read_only", service.read_only);
    let ulimits = service.ulimits.iter().map(|(name, limit)| {
        let mut map = Pairs::default();
        map.raw("soft", Some(limit.soft));
        map.raw("hard", Some(limit.hard));
        (name.clone(), map.done())
    });
    map.put("ulimits", Yaml::Map(ulimits.collect()));
    let sysctls = service
        .sysctls
        .iter()
        .map(|(name, value)| (name.clone(), plain(value)));
    map.put("sysctls", Yaml::Map(sysctls.collect()));
    map.raw("shm_size", service.shm_size);
    map.word("stop_signal", service.stop_signal.as_ref());
    map.time("stop_grace_period", service.stop_grace_period);
    map.word("restart", restart(service.restart));
    map.put("labels", w.texts(&service.labels));
    let hosts = service
        .extra_hosts
        .iter()
        .map(|host| plain(host.replacen(':', "=", 1)));
    map.put("extra_hosts", Yaml::List(hosts.collect()));
    let mut own = Pairs::default();
    own.word("workspace", service.seatbox.workspace.as_ref());
    if let Some(shell) = &service.seatbox.shell {
        own.put("shell", words(shell));
    }
    own.time("ready_timeout", service.seatbox.ready_timeout);
    if let Some(snapshot) = &service.seatbox.snapshot {
        own.put("snapshot", self::snapshot(w, snapshot));
    }
    map.put("x-seatbox", own.done());
    map.done()
}

fn snapshot(w: &Writer<'_>, snapshot: &Snapshot) -> Yaml {
    let command = match snapshot.personalize.as_slice() {
        [form, shell] if form.as_literal() == Some("CMD-SHELL") => w.text(shell),
        [_, words @ ..] => w.list(words),
        [] => Yaml::List(Vec::new()),
    };
    let mut map = Pairs::default();
    map.put("personalize", command);
    map.done()
}

fn restart(restart: Restart) -> Option<String> {
    match restart {
        Restart::No => None,
        Restart::Always => Some("always".to_owned()),
        Restart::OnFailure { attempts: 0 } => Some("on-failure".to_owned()),
        Restart::OnFailure { attempts } => Some(format!("on-failure:{attempts}")),
        Restart::UnlessStopped => Some("unless-stopped".to_owned()),
    }
}

fn healthcheck(w: &Writer<'_>, check: &Healthcheck) -> Yaml {
    let mut map = Pairs::default();
    map.put("test", w.list(&check.test));
    map.time("interval", check.interval);
    map.time("timeout", check.timeout);
    map.raw("retries", check.retries);
    map.time("start_period", check.start_period);
    map.done()
}

fn resources(resources: &Resources) -> Yaml {
    let mut limits = Pairs::default();
    limits.cpus("cpus", resources.nano_cpus);
    limits.word("memory", resources.memory.map(|bytes| bytes.to_string()));
    limits.raw("pids", resources.pids);
    let mut reserved = Pairs::default();
    reserved.cpus("cpus", resources.nano_cpus_reservation);
    reserved.word(
        "memory",
        resources.memory_reservation.map(|bytes| bytes.to_string()),
    );
    let mut map = Pairs::default();
    map.put("limits", limits.done());
    map.put("reservations", reserved.done());
    map.done()
}

fn port(w: &Writer<'_>, service: &Service, port: &Port) -> Yaml {
    let planned = w
        .ports
        .iter()
        .find(|planned| planned.service == service.name && planned.target == port.target)
        .map(|planned| planned.host);
    let mut map = Pairs::default();
    map.raw("target", Some(port.target.number));
    map.word(
        "published",
        port.published.or(planned).map(|port| port.to_string()),
    );
    map.word(
        "host_ip",
        Some(port.host_ip.unwrap_or(w.address).to_string()),
    );
    map.word("protocol", Some(port.target.protocol.as_str()));
    map.done()
}

fn files(w: &Writer<'_>, service: &Service) -> Yaml {
    let entry = |(index, file): (usize, &InjectedFile)| {
        let name = format!("{}-{}", service.name, index + 1);
        w.config(&name, file);
        let mut map = Pairs::default();
        map.word("source", Some(name));
        map.word("target", Some(&file.target));
        map.word("uid", Some(file.uid.to_string()));
        map.word("gid", Some(file.gid.to_string()));
        map.raw("mode", Some(format_args!("0{:o}", file.mode)));
        map.done()
    };
    Yaml::List(service.files.iter().enumerate().map(entry).collect())
}

/// The mounts, those with options of `tmpfs:` first, which has no long form.
fn mounts(mounts: &[Mount]) -> (Yaml, Yaml) {
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for mount in mounts {
        let mut map = Pairs::default();
        let (mut options, mut kind) = (Pairs::default(), "volume");
        match &mount.source {
            MountSource::Tmpfs {
                options: Some(options),
                ..
            } => {
                short.push(plain(format!("{}:{options}", mount.target)));
                continue;
            }
            MountSource::Volume { name, nocopy } => {
                map.word("source", Some(name));
                options.flag("nocopy", *nocopy);
            }
            MountSource::Anonymous => {}
            MountSource::Bind { path, create } => {
                kind = "bind";
                map.word("source", Some(path.to_string_lossy()));
                options.raw("create_host_path", Some(create));
            }
            MountSource::Tmpfs { size, mode, .. } => {
                kind = "tmpfs";
                options.raw("size", *size);
                options.raw("mode", mode.map(|mode| format!("0{mode:o}")));
            }
        }
        map.word("target", Some(&mount.target));
        map.flag("read_only", mount.read_only);
        map.put(kind, options.done());
        let mut all = Pairs::default();
        all.word("type", Some(kind));
        let Yaml::Map(rest) = map.done() else {
            continue;
        };
        rest.into_iter()
            .for_each(|(key, value)| all.put(&key, value));
        long.push(all.done());
    }
    (Yaml::List(short), Yaml::List(long))
}
