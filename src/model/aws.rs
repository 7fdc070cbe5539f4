//! What an environment says of AWS.

use std::path::PathBuf;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// What both AWS providers need.
#[derive(Debug, Clone, Serialize)]
pub struct AwsSettings {
    /// The region; what the AWS configuration of this machine says where there is none.
    pub region: Option<String>,
    /// The addresses from which seats are reached. Nobody else reaches them.
    pub venue: Vec<Ipv4Net>,
    /// The addresses of the environment's VPC.
    pub network: Ipv4Net,
    /// How many availability zones the seats are spread over.
    pub zones: u8,
}

/// What only the EC2 provider needs.
#[derive(Debug, Clone, Serialize)]
pub struct Ec2Settings {
    /// What instances are made from.
    pub image: MachineImage,
    /// Instance types, the first that has capacity wins.
    pub types: Vec<String>,
    /// How instances are paid for.
    pub market: Market,
    /// The size of an instance's disk in GiB.
    pub disk_gib: u32,
    /// An instance profile for the seats, whose credentials participants then have.
    pub instance_profile: Option<String>,
    /// A configuration file for `ssh`, where seats are reached through another host.
    pub ssh_config: Option<PathBuf>,
    /// Where instances install from.
    pub mirrors: Ec2Mirrors,
}

/// Where instances install from, in place of the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ec2Mirrors {
    /// A mirror of the distribution's packages, as a URL.
    pub apt: Option<String>,
    /// A directory that has Go's archives, as a URL.
    pub go: Option<String>,
    /// Where Go gets modules: URLs, `direct` and `off`, with commas or bars between them.
    pub goproxy: Option<String>,
}

/// What only the ECS provider needs.
#[derive(Debug, Clone, Serialize)]
pub struct EcsSettings {
    /// Where tasks run.
    pub capacity: Capacity,
    /// The CPU units of a task, 1024 of which are a vCPU; as many as its services may use together
    /// where nothing is said.
    pub cpu_units: Option<u32>,
}

/// A machine image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineImage {
    /// The one that a parameter of Parameter Store names.
    Parameter(String),
    /// The one with that id.
    Id(String),
}

/// How instances are paid for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// By the second, for as long as one wants.
    #[default]
    OnDemand,
    /// For less, and AWS may end it with two minutes' notice.
    Spot,
}

/// Where tasks run.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// On Fargate.
    #[default]
    Fargate,
    /// On Fargate's spare capacity, for less; AWS may end it with two minutes' notice.
    FargateSpot,
    /// On container instances that are in the environment's cluster.
    Ec2,
}
