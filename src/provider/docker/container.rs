//! From a service of a stack to what the engine is asked to create.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, Mount, MountBindOptions,
    MountTmpfsOptions, MountType, MountVolumeOptions, NetworkingConfig, PortBinding,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::apply::variables;
use super::names;
use super::ports;
use super::scheme::ContainerSpec;
use crate::model::Environment;
use crate::model::stack::{Attachment, Healthcheck, MountSource, Restart};
use crate::model::{SeatValues, Service, Text};

/// Raised whenever the same stack would make other containers than before, so that `up` after an
/// upgrade of Seatbox makes them anew.
pub const SPECIFICATION_VERSION: u32 = 1;

/// The request that creates a container, with the seat's own values in it. It holds secrets, in
/// its environment variables.
pub fn body(
    environment: &Environment,
    spec: &ContainerSpec,
    values: &dyn SeatValues,
    labels: HashMap<String, String>,
) -> ContainerCreateBody {
    let service = &*spec.service;
    let text = |text: &Text| text.render(values);
    let texts = |list: &[Text]| list.iter().map(text).collect::<Vec<_>>();
    ContainerCreateBody {
        image: Some(spec.image.to_string()),
        hostname: Some(
            service
                .hostname
                .as_ref()
                .map_or_else(|| service.name.to_string(), text),
        ),
        user: service.user.as_ref().map(text),
        env: Some(variables(service, values)),
        cmd: service.command.as_deref().map(texts),
        entrypoint: service.entrypoint.as_deref().map(texts),
        working_dir: service.working_dir.clone(),
        exposed_ports: Some(
            service
                .ports
                .iter()
                .map(|port| port.target)
                .chain(service.expose.iter().copied())
                .map(|port| port.to_string())
                .collect(),
        ),
        volumes: Some(
            service
                .mounts
                .iter()
                .filter(|mount| mount.source == MountSource::Anonymous)
                .map(|mount| mount.target.clone())
                .collect(),
        ),
        healthcheck: service
            .healthcheck
            .as_ref()
            .map(|check| health(check, &texts)),
        labels: Some(labels),
        stop_signal: service.stop_signal.clone(),
        stop_timeout: service
            .stop_grace_period
            .map(|period| i64::try_from(period.as_secs()).unwrap_or(i64::MAX)),
        // The first network; the others are connected one by one, which engines before API 1.44
        // can't do in this call.
        networking_config: service.networks.first().map(|(name, attachment)| {
            let name = names::network(&environment.name, spec.seat, name);
            NetworkingConfig {
                endpoints_config: Some(HashMap::from([(
                    name,
                    endpoint(service, attachment, values),
                )])),
            }
        }),
        host_config: Some(host_config(environment, spec)),
        ..Default::default()
    }
}

/// A container's place on a network: it is known there by its service's name and its aliases.
pub fn endpoint(
    service: &Service,
    attachment: &Attachment,
    values: &dyn SeatValues,
) -> EndpointSettings {
    EndpointSettings {
        aliases: Some(
            std::iter::once(service.name.to_string())
                .chain(attachment.aliases.iter().map(|alias| alias.render(values)))
                .collect(),
        ),
        ..Default::default()
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn health(check: &Healthcheck, texts: &dyn Fn(&[Text]) -> Vec<String>) -> HealthConfig {
    HealthConfig {
        test: Some(texts(&check.test)),
        interval: check.interval.map(nanos),
        timeout: check.timeout.map(nanos),
        retries: check.retries.map(i64::from),
        start_period: check.start_period.map(nanos),
        start_interval: None,
    }
}

fn host_config(environment: &Environment, spec: &ContainerSpec) -> HostConfig {
    let service = &*spec.service;
    let resources = &service.resources;
    HostConfig {
        memory: resources.memory.map(signed),
        // The same as memory: no swap on top of it.
        memory_swap: resources.memory.map(signed),
        memory_reservation: resources.memory_reservation.map(signed),
        nano_cpus: resources.nano_cpus.map(signed),
        pids_limit: resources.pids.map(signed),
        cap_drop: Some(service.cap_drop.clone()),
        cap_add: Some(service.cap_add.clone()),
        security_opt: Some(service.security_opt.clone()),
        readonly_rootfs: Some(service.read_only),
        init: Some(service.init),
        shm_size: service.shm_size.map(signed),
        sysctls: Some(service.sysctls.clone().into_iter().collect()),
        ulimits: Some(
            service
                .ulimits
                .iter()
                .map(|(name, limit)| ResourcesUlimits {
                    name: Some(name.clone()),
                    soft: Some(limit.soft),
                    hard: Some(limit.hard),
                })
                .collect(),
        ),
        extra_hosts: Some(service.extra_hosts.clone()),
        restart_policy: Some(restart(service.restart)),
        mounts: Some(mounts(environment, spec)),
        tmpfs: Some(tmpfs_with_options(service)),
        port_bindings: Some(port_bindings(environment, spec)),
        network_mode: Some(service.networks.first().map_or_else(
            || "none".to_owned(),
            |(name, _)| names::network(&environment.name, spec.seat, name),
        )),
        ..Default::default()
    }
}

fn restart(policy: Restart) -> RestartPolicy {
    let (name, attempts) = match policy {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
        Restart::OnFailure { attempts } => {
            (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(attempts)))
        }
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
    };
    RestartPolicy {
        name: Some(name),
        maximum_retry_count: attempts,
    }
}

fn mounts(environment: &Environment, spec: &ContainerSpec) -> Vec<Mount> {
    spec.service
        .mounts
        .iter()
        .filter_map(|mount| {
            let mut made = Mount {
                target: Some(mount.target.clone()),
                read_only: Some(mount.read_only),
                ..Default::default()
            };
            match &mount.source {
                MountSource::Volume { name, nocopy } => {
                    made.typ = Some(MountType::VOLUME);
                    made.source = Some(names::volume(&environment.name, spec.seat, name));
                    made.volume_options = Some(MountVolumeOptions {
                        no_copy: Some(*nocopy),
                        ..Default::default()
                    });
                }
                MountSource::Bind { path, create } => {
                    made.typ = Some(MountType::BIND);
                    made.source = Some(path.display().to_string());
                    made.bind_options = Some(MountBindOptions {
                        create_mountpoint: create.then_some(true),
                        ..Default::default()
                    });
                }
                MountSource::Tmpfs {
                    size,
                    mode,
                    options: None,
                } => {
                    made.typ = Some(MountType::TMPFS);
                    made.tmpfs_options = Some(MountTmpfsOptions {
                        size_bytes: size.map(signed),
                        mode: mode.map(i64::from),
                        options: None,
                    });
                }
                MountSource::Anonymous | MountSource::Tmpfs { .. } => return None,
            }
            Some(made)
        })
        .collect()
}

/// Those `tmpfs:` entries that give mount options in the engine's own words.
fn tmpfs_with_options(service: &Service) -> HashMap<String, String> {
    service
        .mounts
        .iter()
        .filter_map(|mount| match &mount.source {
            MountSource::Tmpfs {
                options: Some(options),
                ..
            } => Some((mount.target.clone(), options.clone())),
            _ => None,
        })
        .collect()
}

fn port_bindings(
    environment: &Environment,
    spec: &ContainerSpec,
) -> HashMap<String, Option<Vec<PortBinding>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for (port, host_port) in spec.service.ports.iter().zip(&spec.host_ports) {
        bindings
            .entry(port.target.to_string())
            .or_default()
            .get_or_insert_default()
            .push(PortBinding {
                host_ip: Some(ports::address(port, &environment.docker.ports).to_string()),
                host_port: Some(host_port.to_string()),
            });
    }
    bindings
}
