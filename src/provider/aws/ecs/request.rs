//! Task definitions and overrides as aws-sdk-ecs takes them: it reads no JSON.

use std::collections::HashMap;

use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionInputBuilder;
use aws_sdk_ecs::types;
use indexmap::IndexMap;

use super::definition::{
    ContainerDefinition, ContainerOverride, HealthCheck, LinuxParameters, LogConfiguration,
    RestartPolicy, Secret, Tag, TaskDefinition, Variable,
};

/// A request to register `definition`, to be sent with `send_with`.
///
/// # Errors
///
/// None, for all that a request needs is in a definition; the library asks for it.
pub fn register(
    definition: TaskDefinition,
) -> Result<RegisterTaskDefinitionInputBuilder, BuildError> {
    // Field by field, so that a new one is not forgotten here.
    let TaskDefinition {
        family,
        network_mode,
        requires_compatibilities,
        cpu,
        memory,
        execution_role_arn,
        task_role_arn,
        container_definitions,
        volumes,
        ephemeral_storage,
        runtime_platform,
        tags: definition_tags,
    } = definition;
    let containers: Result<Vec<_>, _> = container_definitions.into_iter().map(container).collect();
    let volume = |volume: super::definition::Volume| types::Volume::builder().name(volume.name);
    Ok(RegisterTaskDefinitionInputBuilder::default()
        .family(family)
        .network_mode(network_mode.as_str().into())
        .set_requires_compatibilities(some(
            requires_compatibilities
                .iter()
                .map(|name| name.as_str().into()),
        ))
        .cpu(cpu)
        .memory(memory)
        .set_execution_role_arn(execution_role_arn)
        .set_task_role_arn(task_role_arn)
        .set_container_definitions(Some(containers?))
        .set_volumes(some(volumes.into_iter().map(|one| volume(one).build())))
        .set_ephemeral_storage(ephemeral_storage.map(|storage| {
            types::EphemeralStorage::builder()
                .size_in_gib(number(storage.size_in_gib))
                .build()
        }))
        .set_runtime_platform(runtime_platform.map(|platform| {
            types::RuntimePlatform::builder()
                .operating_system_family(platform.operating_system_family.as_str().into())
                .cpu_architecture(platform.cpu_architecture.as_str().into())
                .build()
        }))
        .set_tags(tags(definition_tags)))
}

/// Tags of anything that ECS makes.
pub fn tags(tags: Vec<Tag>) -> Option<Vec<types::Tag>> {
    let each = tags.into_iter();
    some(each.map(|tag| types::Tag::builder().key(tag.key).value(tag.value).build()))
}

/// What RunTask changes.
pub fn overrides(overrides: Vec<ContainerOverride>) -> types::TaskOverride {
    let of = |one: ContainerOverride| {
        types::ContainerOverride::builder()
            .name(one.name)
            .set_environment(variables(one.environment))
            .build()
    };
    types::TaskOverride::builder()
        .set_container_overrides(some(overrides.into_iter().map(of)))
        .build()
}

fn container(definition: ContainerDefinition) -> Result<types::ContainerDefinition, BuildError> {
    let ContainerDefinition {
        name,
        image,
        essential,
        cpu,
        memory,
        memory_reservation,
        command,
        entry_point,
        environment,
        secrets,
        port_mappings,
        health_check,
        depends_on,
        restart_policy,
        log_configuration,
        mount_points,
        user,
        working_directory,
        readonly_root_filesystem,
        linux_parameters,
        ulimits,
        system_controls,
        stop_timeout,
        docker_labels,
    } = definition;
    let secret = |secret: Secret| {
        let builder = types::Secret::builder().name(secret.name);
        builder.value_from(secret.value_from).build()
    };
    let dependency = |on: super::definition::Dependency| {
        types::ContainerDependency::builder()
            .container_name(on.container_name)
            .condition(on.condition.as_str().into())
            .build()
    };
    let ulimit = |limit: super::definition::Ulimit| {
        types::Ulimit::builder()
            .name(limit.name.as_str().into())
            .soft_limit(number(limit.soft_limit))
            .hard_limit(number(limit.hard_limit))
            .build()
    };
    Ok(types::ContainerDefinition::builder()
        .name(name)
        .image(image)
        .essential(essential)
        .cpu(number(cpu))
        .set_memory(memory.map(number))
        .set_memory_reservation(memory_reservation.map(number))
        .set_command(command)
        .set_entry_point(entry_point)
        .set_environment(variables(environment))
        .set_secrets(all(secrets.into_iter().map(secret))?)
        .set_port_mappings(some(port_mappings.into_iter().map(|port| {
            types::PortMapping::builder()
                .container_port(port.container_port.into())
                .protocol(port.protocol.as_str().into())
                .build()
        })))
        .set_health_check(health_check.map(health).transpose()?)
        .set_depends_on(all(depends_on.into_iter().map(dependency))?)
        .set_restart_policy(restart_policy.map(restart).transpose()?)
        .set_log_configuration(log_configuration.map(logs).transpose()?)
        .set_mount_points(some(mount_points.into_iter().map(|mount| {
            types::MountPoint::builder()
                .source_volume(mount.source_volume)
                .container_path(mount.container_path)
                .read_only(mount.read_only)
                .build()
        })))
        .set_user(user)
        .set_working_directory(working_directory)
        .set_readonly_root_filesystem(readonly_root_filesystem)
        .set_linux_parameters(linux_parameters.map(linux).transpose()?)
        .set_ulimits(all(ulimits.into_iter().map(ulimit))?)
        .set_system_controls(some(system_controls.into_iter().map(|control| {
            types::SystemControl::builder()
                .namespace(control.namespace)
                .value(control.value)
                .build()
        })))
        .set_stop_timeout(stop_timeout.map(number))
        .set_docker_labels(map(docker_labels))
        .build())
}

fn health(check: HealthCheck) -> Result<types::HealthCheck, BuildError> {
    types::HealthCheck::builder()
        .set_command(Some(check.command))
        .interval(number(check.interval))
        .timeout(number(check.timeout))
        .retries(number(check.retries))
        .set_start_period(check.start_period.map(number))
        .build()
}

fn restart(policy: RestartPolicy) -> Result<types::ContainerRestartPolicy, BuildError> {
    types::ContainerRestartPolicy::builder()
        .enabled(policy.enabled)
        .set_ignored_exit_codes(some(policy.ignored_exit_codes.into_iter().map(i32::from)))
        .set_restart_attempt_period(policy.restart_attempt_period.map(number))
        .build()
}

fn logs(logs: LogConfiguration) -> Result<types::LogConfiguration, BuildError> {
    types::LogConfiguration::builder()
        .log_driver(logs.log_driver.as_str().into())
        .set_options(map(logs.options))
        .build()
}

fn linux(parameters: LinuxParameters) -> Result<types::LinuxParameters, BuildError> {
    let tmpfs = |mount: super::definition::Tmpfs| {
        types::Tmpfs::builder()
            .container_path(mount.container_path)
            .size(number(mount.size))
            .set_mount_options(some(mount.mount_options))
            .build()
    };
    let capabilities = parameters.capabilities.map(|capabilities| {
        types::KernelCapabilities::builder()
            .set_add(some(capabilities.add))
            .set_drop(some(capabilities.drop))
            .build()
    });
    Ok(types::LinuxParameters::builder()
        .set_capabilities(capabilities)
        .set_init_process_enabled(parameters.init_process_enabled)
        .set_tmpfs(all(parameters.tmpfs.into_iter().map(tmpfs))?)
        .build())
}

fn variables(variables: Vec<Variable>) -> Option<Vec<types::KeyValuePair>> {
    let of = |one: Variable| {
        let builder = types::KeyValuePair::builder().name(one.name);
        builder.value(one.value).build()
    };
    some(variables.into_iter().map(of))
}

/// A list, where there is something in it.
fn some<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    Some(items.into_iter().collect()).filter(|items: &Vec<T>| !items.is_empty())
}

fn all<T>(
    items: impl Iterator<Item = Result<T, BuildError>>,
) -> Result<Option<Vec<T>>, BuildError> {
    Ok(some(items.collect::<Result<Vec<_>, _>>()?))
}

fn map(map: IndexMap<String, String>) -> Option<HashMap<String, String>> {
    Some(map.into_iter().collect()).filter(|map: &HashMap<_, _>| !map.is_empty())
}

/// The library's numbers are signed and of 32 bits.
fn number(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
