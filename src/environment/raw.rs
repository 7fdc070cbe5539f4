//! What an environment file may say, word for word.
//!
//! Every field is optional here, for a layer gives what it likes; what must be there is checked
//! once the layers are one. The comments are the descriptions of the JSON Schema, so they speak to
//! whoever writes a file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::aws::{Capacity, Market};
use crate::model::environment::{ImageSource, ProviderKind};

/// One event's sandboxes: how many seats, for how long, where, and what runs in each.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Seatbox environment", extend("required" = ["version", "name", "stack"]))]
pub struct RawEnvironment {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "it is looked at before anything else is read")]
    pub version: Option<u32>,
    /// The environment's name, in every container's name and label: a-z, 0-9 and hyphens, at most
    /// 40 characters.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: Option<String>,
    /// The event that the seats are for.
    pub event: Option<RawEvent>,
    /// How many seats there are.
    pub seats: Option<RawSeats>,
    /// How long the seats live: from `up` (`12h`, `2d`), or until a moment
    /// (`2026-12-01T20:00:00+08:00`). At most 90 days. Default: 12h.
    pub lifetime: Option<String>,
    /// Where the seats live. Default: docker.
    pub provider: Option<ProviderKind>,
    /// What runs in each seat: the path of a Compose file, or more about it.
    #[schemars(with = "Option<Short<RawStack>>")]
    pub stack: Option<RawStack>,
    /// Where images come from.
    pub images: Option<RawImages>,
    /// The files that participants begin with.
    pub workspace: Option<RawWorkspace>,
    /// What one service may use where the stack sets no limit.
    pub limits: Option<RawLimits>,
    /// What a stack may loosen. Everything is closed at first.
    pub isolation: Option<RawIsolation>,
    /// Settings of the Docker provider.
    pub docker: Option<RawDocker>,
    /// Settings of both AWS providers.
    pub aws: Option<RawAws>,
    /// Settings of the EC2 provider: an instance for each seat.
    pub ec2: Option<RawEc2>,
    /// Settings of the ECS provider: a task for each seat.
    pub ecs: Option<RawEcs>,
}

/// A value with a short form: just a text.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "it is there for its schema: the short form is expanded before it is read"
)]
pub enum Short<T> {
    /// The short form.
    Text(String),
    /// The form with all its fields.
    Full(T),
}

/// A value that is written as a number or with a unit.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "it is there for its schema: both forms are read as text"
)]
pub enum Quantity {
    /// With a unit, or in quotes.
    Text(String),
    /// A bare number.
    Number(f64),
}

/// The event.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEvent {
    /// What it is called. Default: the environment's name.
    pub title: Option<String>,
    /// When it begins: `2024-10-19T09:00`, in its time zone.
    pub starts: Option<String>,
    /// When it ends: `2024-10-19T17:30`, in its time zone.
    pub ends: Option<String>,
    /// Its time zone by its IANA name, `Asia/Shanghai`. Default: UTC.
    pub time_zone: Option<String>,
    /// The language of its participants as a BCP 47 tag, `zh-CN`. Default: en.
    pub locale: Option<String>,
}

/// The seats.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSeats {
    /// Seats for participants; with the spares at most 10000. Default: 1.
    #[schemars(range(min = 1, max = 10000))]
    pub count: Option<u32>,
    /// Participants to one assistant. Default: 12.
    #[schemars(range(min = 1))]
    pub group_size: Option<u32>,
    /// Further seats for whoever's breaks, numbered after the others. Default: 0.
    #[schemars(range(max = 9999))]
    pub spares: Option<u32>,
}

/// The stack.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStack {
    /// A Compose file, relative to this file.
    pub file: Option<String>,
    /// A built-in stack by its name, `go-redis-postgres`, instead of a file.
    pub template: Option<String>,
    /// Values for `${NAME}` in the Compose file.
    pub variables: Option<IndexMap<String, String>>,
    /// The profiles whose services run too.
    pub profiles: Option<Vec<String>>,
}

/// The images.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawImages {
    /// Where to get an image that the engine does not have, in order. Default: registry, recipe.
    pub sources: Option<Vec<ImageSource>>,
    /// Registries to ask first, as `host[:port][/path]`.
    pub mirrors: Option<Vec<String>>,
    /// A directory of further recipes, relative to this file.
    pub recipes: Option<String>,
}

/// The workspace.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWorkspace {
    /// Where its files come from: the path of a directory, or more about them.
    #[schemars(with = "Option<Short<RawFiles>>")]
    pub files: Option<RawFiles>,
}

/// The source of files: a directory, or a git repository.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFiles {
    /// A directory, relative to this file.
    pub directory: Option<String>,
    /// The URL of a git repository, without a password in it.
    pub git: Option<String>,
    /// A branch, tag or commit of the git repository. Default: its default branch.
    pub revision: Option<String>,
}

/// Limits of one service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLimits {
    /// Memory, swap included: `512MiB`, `512m`, `1g`. At least 6 MiB. Default: 512MiB.
    #[schemars(with = "Option<Quantity>")]
    pub memory: Option<String>,
    /// CPUs: `1.0`, `0.5`. Default: 1.0.
    #[schemars(with = "Option<Quantity>")]
    pub cpus: Option<String>,
    /// Processes and threads. Default: 256.
    #[schemars(range(min = 1))]
    pub pids: Option<u64>,
}

/// What a stack may loosen.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawIsolation {
    /// Linux capabilities that a stack may add: `SYS_PTRACE` for a debugger.
    pub capabilities: Option<Vec<String>>,
    /// Values of `security_opt` that a stack may set.
    pub security_opt: Option<Vec<String>>,
    /// Directories of the host that a stack may mount, relative to this file.
    pub bind_mounts: Option<Vec<String>>,
    /// Whether programs may gain privileges, as sudo does. Default: false.
    pub new_privileges: Option<bool>,
    /// Whether seats reach the internet. Without it no port is published. Default: true.
    pub internet: Option<bool>,
}

/// The Docker provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDocker {
    /// The private IPv4 range that the seats' networks are cut from. Default: 10.213.0.0/16.
    pub subnets: Option<String>,
    /// The prefix length of one network. Default: 27.
    #[schemars(range(min = 8, max = 29))]
    pub subnet_prefix: Option<u8>,
    /// The host ports of published ports: one block a seat.
    pub ports: Option<RawPorts>,
}

/// The host ports.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPorts {
    /// The host address to publish on. Default: 127.0.0.1.
    pub address: Option<String>,
    /// The first port of seat 1. Default: 20000.
    #[schemars(range(min = 1024))]
    pub first: Option<u16>,
    /// How many ports each seat has. Default: 10.
    #[schemars(range(min = 1))]
    pub per_seat: Option<u16>,
}

/// AWS.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAws {
    /// The region, `ap-southeast-1`. Default: that of this machine's AWS configuration.
    pub region: Option<String>,
    /// The addresses from which seats are reached, `203.0.113.0/24`: the venue's, and yours. Nobody
    /// else reaches them.
    pub venue: Option<Vec<String>>,
    /// The private IPv4 range of the environment's VPC. Default: 10.214.0.0/16.
    pub network: Option<String>,
    /// How many availability zones the seats are spread over. Default: 2.
    #[schemars(range(min = 2, max = 6))]
    pub zones: Option<u8>,
}

/// The EC2 provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEc2 {
    /// What instances are made from: `ubuntu-22.04`, `ubuntu-24.04`, `debian-13`, the id of an image
    /// (`ami-…`), or the name of a public parameter that holds one (`/aws/service/…`). Default:
    /// ubuntu-22.04.
    pub image: Option<String>,
    /// Instance types, tried in order where one has no capacity. Default: t3.small,
    /// t3a.small.
    pub types: Option<Vec<String>>,
    /// How instances are paid for. Default: on-demand.
    pub market: Option<Market>,
    /// The size of an instance's disk: `16GiB`. Default: 16GiB.
    #[schemars(with = "Option<Quantity>")]
    pub disk: Option<String>,
    /// An instance profile whose credentials each seat has. Default: none.
    pub instance_profile: Option<String>,
    /// A configuration file for `ssh`, relative to this file, where seats are reached through another
    /// host.
    pub ssh_config: Option<String>,
    /// What is nearer to the instances than the places they install from.
    pub mirrors: Option<RawEc2Mirrors>,
}

/// Mirrors for what instances install.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEc2Mirrors {
    /// A mirror of the distribution's packages: `https://mirror.example/ubuntu`. Default: the image's
    /// own.
    pub apt: Option<String>,
    /// A directory that has Go's archives. Default: https://go.dev/dl/.
    pub go: Option<String>,
    /// Where an instance's Go gets modules, as in GOPROXY: `https://goproxy.example,direct`. Default:
    /// Go's own.
    pub goproxy: Option<String>,
}

/// The ECS provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEcs {
    /// Where tasks run. Default: fargate.
    pub capacity: Option<Capacity>,
    /// The CPUs of a task, which its services share: 0.25, 0.5, 1, 2, 4, 8 or 16. They are paid for
    /// whether they are used or not. Default: 1.
    #[schemars(with = "Option<Quantity>")]
    pub cpus: Option<String>,
}
