//! The AWS providers' vocabulary for the planner: kinds of resources, and steps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::ecs::RoleKind;
use super::ecs::definition::{ContainerOverride, TaskDefinition};
use super::network::Rules;
use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber, Text};
use crate::plan::{Fingerprint, Kind, Lane, Scheme, Step};
use crate::provider::labels::Ownership;

/// The scheme of both AWS providers.
#[derive(Debug, Clone)]
pub struct Aws;

impl Scheme for Aws {
    type Kind = AwsKind;
    type Step = AwsStep;
}

/// Kinds of resources on AWS, in the order in which they are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwsKind {
    /// A parameter by which one run says that it makes the environment's network.
    Claim,
    /// A network.
    Vpc,
    /// A network's way to the internet.
    Gateway,
    /// A part of a network, in one availability zone.
    Subnet,
    /// Who may reach whom.
    SecurityGroup,
    /// Where services of tasks write.
    LogGroup,
    /// What a task may do.
    Role,
    /// Where tasks run.
    Cluster,
    /// A network that has all that belongs to it. It is nothing of AWS's: the claim says it.
    Network,
    /// A disk.
    Volume,
    /// A place on a network.
    Interface,
    /// A secret of a seat.
    Parameter,
    /// What a task is made from.
    Definition,
    /// A seat's services.
    Task,
    /// A machine.
    Instance,
    /// What runs in a machine. It is nothing of AWS's: a tag of the instance says it.
    Stack,
}

impl fmt::Display for AwsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Claim => "claim",
            Self::Vpc => "VPC",
            Self::Gateway => "internet gateway",
            Self::Subnet => "subnet",
            Self::SecurityGroup => "security group",
            Self::LogGroup => "log group",
            Self::Role => "role",
            Self::Cluster => "cluster",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Interface => "interface",
            Self::Parameter => "parameter",
            Self::Definition => "task definition",
            Self::Task => "task",
            Self::Instance => "instance",
            Self::Stack => "stack",
        })
    }
}

/// How many calls that serve one resource each are under way at once is for the limiter to say. Those
/// that wait there for their action's bucket must leave room for calls of other actions.
const WAITING: usize = 1000;

const CREATIONS: Lane = Lane::new("creations", WAITING);
/// All of them wait for the same bucket, most of the time for the instances in it.
const LAUNCHES: Lane = Lane::new("launches", 16).serving(MOST_LAUNCHED);
const CHECKS: Lane = Lane::new("checks", 20_000);
/// Each is a program of its own, `ssh`.
const CONNECTIONS: Lane = Lane::new("connections", 24);
/// Each API has its own rate, and none of them waits for another one's.
const PARAMETERS: Lane = Lane::new("parameters", 16);
const DEFINITIONS: Lane = Lane::new("definitions", 16);
const TASKS: Lane = Lane::new("tasks", 32);
const PARAMETER_DELETIONS: Lane = Lane::new("parameter-deletions", 4).serving(MOST_PARAMETERS);
const STOPS: Lane = Lane::new("stops", 20_000);
/// Seats that are ready at about the same time, or while a call is under way, are marked by one call.
const MARKS: Lane = Lane::new("marks", 1)
    .serving(MOST_TAGGED)
    .lingering(Duration::from_millis(300));
const DELETIONS: Lane = Lane::new("deletions", WAITING);
const TERMINATIONS: Lane = Lane::new("terminations", 8).serving(MOST_TERMINATED);

/// How many seats one RunInstances call makes at most: their public keys must fit in its user data,
/// of which there are 16 KiB (Amazon EC2 user guide, "Run commands when you launch an EC2 instance").
pub const MOST_LAUNCHED: usize = 100;
/// How many instances one TerminateInstances call takes at most (Amazon EC2 API reference,
/// "TerminateInstances": it may fail for more than 1000; half of that is as good).
pub const MOST_TERMINATED: usize = 500;

/// How many parameters one call takes that reads or deletes several (AWS Systems Manager API reference,
/// "GetParameters", "DeleteParameters").
pub const MOST_PARAMETERS: usize = 10;
/// How many resources one CreateTags call takes (Amazon EC2 API reference, "CreateTags").
pub const MOST_TAGGED: usize = 1000;

impl Kind for AwsKind {
    fn delete_lane(self) -> Lane {
        match self {
            Self::Instance => TERMINATIONS,
            Self::Stack => CONNECTIONS,
            Self::Parameter => PARAMETER_DELETIONS,
            Self::Task => STOPS,
            _ => DELETIONS,
        }
    }
}

/// What is said of every resource in the call that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Whose it is.
    pub owner: Owner,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The fingerprint of the event key, where its secrets come from that.
    pub key: Option<Arc<str>>,
    /// When it may be swept away. No part of the fingerprint.
    pub expires: Timestamp,
}

impl Marks {
    /// The same as what tags say.
    pub fn ownership(&self, environment: &EnvironmentName) -> Ownership {
        Ownership {
            environment: environment.clone(),
            owner: self.owner,
            service: None,
            expires: Some(self.expires.into()),
            fingerprint: Some(self.fingerprint.clone()),
            key: self.key.as_deref().map(str::to_owned),
        }
    }
}

/// What a subnet is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetSpec {
    /// What is said of it.
    pub marks: Marks,
    /// Its addresses.
    pub range: Ipv4Net,
    /// Its availability zone.
    pub zone: Arc<str>,
}

/// What an instance is made from, besides the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchSpec {
    /// What is said of it.
    pub marks: Marks,
    /// Its seat.
    pub seat: SeatNumber,
    /// Its place among the environment's subnets, unless that has no capacity.
    pub zone: usize,
    /// The instances that the seat has had, as far as AWS remembers them: what is launched now is
    /// none of those.
    pub before: Vec<Arc<str>>,
}

/// A secret of a seat, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// What is said of it.
    pub marks: Marks,
    /// Its seat.
    pub seat: SeatNumber,
    /// Its name.
    pub name: Arc<str>,
    /// What it holds, once it has the seat's values.
    pub text: Text,
}

/// What a task definition is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionSpec {
    /// What is said of it.
    pub marks: Marks,
    /// The request, but for its tags.
    pub definition: TaskDefinition,
}

/// What a task is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSpec {
    /// What is said of it.
    pub marks: Marks,
    /// The family of its definition.
    pub family: Arc<str>,
    /// What is otherwise than in the definition.
    pub overrides: Vec<ContainerOverride>,
    /// The tasks that the seat has: what is run now is none of those.
    pub before: Vec<Arc<str>>,
    /// How long it may take to be ready.
    pub patience: Duration,
    /// Whether it says that it is healthy.
    pub has_checks: bool,
    /// Its CPU units, 1024 of which are a vCPU.
    pub cpu: u32,
}

/// What is to run in an instance, besides the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSpec {
    /// Its seat.
    pub seat: SeatNumber,
    /// How long it may take to be ready.
    pub patience: Duration,
}

/// A step of bringing a resource up.
#[derive(Debug, Clone)]
pub enum AwsStep {
    /// Says that this run makes the network, whose claim said that when it was planned, and waits for
    /// another run that does.
    Claim(Arc<Marks>, Option<Arc<str>>),
    /// Creates the VPC.
    CreateVpc(Arc<Marks>),
    /// Gives what has an address in the VPC a name, which Fargate asks for.
    EnableNames,
    /// Creates an internet gateway.
    CreateGateway(Arc<Marks>),
    /// Attaches it to the VPC.
    Attach,
    /// Leads whatever is not for the VPC through it.
    Route,
    /// Creates a subnet.
    CreateSubnet(Arc<SubnetSpec>),
    /// Creates the security group.
    CreateGroup(Arc<Marks>),
    /// Has the group, which lets in those, let in whom the environment names, and nobody else.
    SetRules(Arc<Rules>),
    /// Says that the network is complete.
    Finish,
    /// Launches an instance.
    Launch(Arc<LaunchSpec>),
    /// Waits until an instance runs.
    AwaitRunning,
    /// Creates a log group.
    CreateLogGroup(Arc<Marks>),
    /// Has what is written to it kept for a while only.
    Retain,
    /// Creates a role.
    CreateRole(Arc<Marks>, RoleKind),
    /// Says what a role may do.
    Permit(RoleKind),
    /// Creates a cluster.
    CreateCluster(Arc<Marks>),
    /// Puts a secret where the seat's task finds it.
    PutParameter(Arc<ParameterSpec>),
    /// Registers a task definition.
    Register(Arc<DefinitionSpec>),
    /// Runs a task.
    RunTask(Arc<TaskSpec>),
    /// Waits until a task is ready.
    AwaitTask(Arc<TaskSpec>),
    /// Waits until an instance lets us in, and brings it its stack, the seat's secrets among it.
    Deliver(Arc<StackSpec>),
    /// Starts the stack in an instance.
    StartStack(Arc<StackSpec>),
    /// Waits until the stack is ready.
    AwaitStack(Arc<StackSpec>),
    /// Notes at the instance that it has this stack.
    Mark(Fingerprint),
}

impl fmt::Display for AwsStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Claim(..) => "take",
            Self::CreateVpc(_)
            | Self::CreateGateway(_)
            | Self::CreateSubnet(_)
            | Self::CreateGroup(_) => "create",
            Self::EnableNames => "name",
            Self::Attach => "attach",
            Self::Route => "route",
            Self::SetRules(_) => "open",
            Self::Finish => "finish",
            Self::Launch(_) => "launch",
            Self::AwaitRunning => "await",
            Self::CreateLogGroup(_) | Self::CreateRole(..) | Self::CreateCluster(_) => "create",
            Self::Retain => "retain",
            Self::Permit(_) => "permit",
            Self::PutParameter(_) => "put",
            Self::Register(_) => "register",
            Self::RunTask(_) => "run",
            Self::AwaitTask(_) => "await",
            Self::Deliver(_) => "deliver",
            Self::StartStack(_) => "start",
            Self::AwaitStack(_) => "check",
            Self::Mark(_) => "mark",
        })
    }
}

impl Step for AwsStep {
    fn lane(&self) -> Lane {
        match self {
            Self::Launch(_) => LAUNCHES,
            Self::AwaitRunning | Self::AwaitTask(_) => CHECKS,
            Self::PutParameter(_) => PARAMETERS,
            Self::Register(_) => DEFINITIONS,
            Self::RunTask(_) => TASKS,
            Self::Deliver(_) | Self::StartStack(_) | Self::AwaitStack(_) => CONNECTIONS,
            Self::Mark(_) => MARKS,
            _ => CREATIONS,
        }
    }

    fn is_check(&self) -> bool {
        matches!(
            self,
            Self::AwaitRunning | Self::AwaitTask(_) | Self::AwaitStack(_)
        )
    }

    fn group(&self) -> u64 {
        match self {
            Self::Launch(spec) => spec.zone as u64,
            _ => 0,
        }
    }
}
