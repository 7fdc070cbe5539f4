//! The buckets that AWS publishes, and what each call takes from them. All of them are an account's
//! in one region, but for IAM's, which are the account's in its whole partition.
//!
//! "EC2" below is "Request throttling for the Amazon EC2 API"
//! (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html), "ECS" is "Request throttling for
//! the Amazon ECS API" (docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html),
//! "Fargate" is "AWS Fargate throttling quotas"
//! (docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html). A quota of so many calls a
//! second, without a burst beside it, is a bucket that holds one second's calls.

use std::fmt;

/// A service of AWS that seats need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Instances and networks.
    Ec2,
    /// Clusters, task definitions, tasks.
    Ecs,
    /// Roles.
    Iam,
    /// Log groups.
    Logs,
    /// What an account may have.
    ServiceQuotas,
    /// Parameters.
    Ssm,
    /// Who one is.
    Sts,
    /// The Resource Groups Tagging API.
    Tagging,
}

/// What a call of one name takes from other buckets than another of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Manner {
    /// As most calls are.
    Plain,
    /// A listing of EC2's without filter and without page size.
    Unfiltered,
    /// A launch on Fargate.
    Fargate,
    /// A launch on Fargate Spot.
    FargateSpot,
}

/// An action of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Action {
    /// Whose it is.
    pub service: Service,
    /// Its name, as AWS spells it: `RunInstances`.
    pub name: &'static str,
    /// How it is called.
    pub manner: Manner,
}

impl Action {
    /// The action of this name, called as usual: listings of EC2's with a filter or a page size, tasks
    /// on instances.
    pub const fn new(service: Service, name: &'static str) -> Self {
        Self {
            service,
            name,
            manner: Manner::Plain,
        }
    }

    /// An action of EC2, called as usual.
    pub const fn ec2(name: &'static str) -> Self {
        Self::new(Service::Ec2, name)
    }

    /// An action of ECS, called as usual.
    pub const fn ecs(name: &'static str) -> Self {
        Self::new(Service::Ecs, name)
    }

    /// An action of IAM, called as usual.
    pub const fn iam(name: &'static str) -> Self {
        Self::new(Service::Iam, name)
    }

    /// An action of CloudWatch Logs, called as usual.
    pub const fn logs(name: &'static str) -> Self {
        Self::new(Service::Logs, name)
    }

    /// An action of Systems Manager, called as usual.
    pub const fn ssm(name: &'static str) -> Self {
        Self::new(Service::Ssm, name)
    }

    /// The same, called in another manner.
    pub const fn called(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Whether it changes something.
    pub fn changes(self) -> bool {
        !is_read(self.name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match self.service {
            Service::Ec2 => "ec2",
            Service::Ecs => "ecs",
            Service::Iam => "iam",
            Service::Logs => "logs",
            Service::ServiceQuotas => "servicequotas",
            Service::Ssm => "ssm",
            Service::Sts => "sts",
            Service::Tagging => "tag",
        };
        write!(f, "{service}:{}", self.name)?;
        match self.manner {
            Manner::Plain => Ok(()),
            Manner::Unfiltered => write!(f, " (unfiltered)"),
            Manner::Fargate => write!(f, " (Fargate)"),
            Manner::FargateSpot => write!(f, " (Fargate Spot)"),
        }
    }
}

/// How much a bucket holds, and how fast it fills again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The tokens that it holds when it is full.
    pub capacity: f64,
    /// The tokens that come back in a second.
    pub refill_per_second: f64,
}

/// Which bucket it is: those with equal names are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketName {
    service: Service,
    /// The action that has it for itself, or what those that share it are called.
    pool: &'static str,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counts {
    Requests,
    UnfilteredRequests,
    Resources,
}

/// What a call takes from a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// One token.
    Call,
    /// A token for each instance or task in it.
    Unit,
}

impl Cost {
    /// The tokens for a call with so many instances or tasks.
    pub fn of(self, units: u32) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Unit => f64::from(units),
        }
    }
}

/// A bucket that a call takes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Which.
    pub name: BucketName,
    /// How AWS made it.
    pub bucket: Bucket,
    /// How much is taken.
    pub cost: Cost,
}

/// The buckets that a call of `action` takes from, that which the fewest actions share last.
pub fn draws(action: Action) -> Vec<Draw> {
    match action.service {
        Service::Ec2 => ec2(action),
        Service::Ecs => ecs(action),
        service => {
            let (pool, bucket) = match service {
                Service::Ssm => ssm(action.name),
                Service::Logs => (action.name, logs(action.name)),
                Service::ServiceQuotas => (action.name, service_quotas(action.name)),
                Service::Iam => (action.name, iam(action.name)),
                // "IAM and AWS STS quotas": 600 requests a second, all operations together.
                Service::Sts => ("all", bucket(600.0, 600.0)),
                // Nothing found that is published: ours.
                _ => (action.name, bucket(5.0, 5.0)),
            };
            vec![requests(service, pool, bucket)]
        }
    }
}

const fn bucket(capacity: f64, refill_per_second: f64) -> Bucket {
    Bucket {
        capacity,
        refill_per_second,
    }
}

const fn requests(service: Service, pool: &'static str, bucket: Bucket) -> Draw {
    draw(service, pool, Counts::Requests, bucket)
}

const fn draw(service: Service, pool: &'static str, counts: Counts, bucket: Bucket) -> Draw {
    let cost = match counts {
        Counts::Resources => Cost::Unit,
        Counts::Requests | Counts::UnfilteredRequests => Cost::Call,
    };
    Draw {
        name: BucketName {
            service,
            pool,
            counts,
        },
        bucket,
        cost,
    }
}

fn is_read(name: &str) -> bool {
    ["Describe", "List", "Search", "Get"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// EC2. Each action has its own buckets, whatever its category.
fn ec2(action: Action) -> Vec<Draw> {
    let name = action.name;
    if action.manner == Manner::Unfiltered && has_unfiltered_bucket(name) {
        // EC2, "Unfiltered and unpaginated non-mutating actions".
        let bucket = bucket(50.0, 10.0);
        return vec![draw(Service::Ec2, name, Counts::UnfilteredRequests, bucket)];
    }
    let mut draws = vec![requests(Service::Ec2, name, ec2_requests(name))];
    // EC2, "Resource token bucket sizes and refill rates".
    let resources = match name {
        "RunInstances" | "StartInstances" => Some(bucket(1000.0, 2.0)),
        "TerminateInstances" | "StopInstances" => Some(bucket(1000.0, 20.0)),
        _ => None,
    };
    draws.extend(resources.map(|bucket| draw(Service::Ec2, name, Counts::Resources, bucket)));
    draws
}

fn has_unfiltered_bucket(name: &str) -> bool {
    matches!(
        name,
        "DescribeInstances"
            | "DescribeInstanceStatus"
            | "DescribeNetworkInterfaces"
            | "DescribeSecurityGroups"
            | "DescribeSnapshots"
            | "DescribeSpotInstanceRequests"
            | "DescribeVolumes"
    )
}

fn ec2_requests(name: &str) -> Bucket {
    match name {
        // EC2, "Uncategorized actions": those that a seat may need.
        "RunInstances" | "StartInstances" => bucket(5.0, 2.0),
        "CreateTags" | "DeleteTags" => bucket(100.0, 10.0),
        "TerminateInstances"
        | "AssociateIamInstanceProfile"
        | "DisassociateIamInstanceProfile"
        | "CreateLaunchTemplateVersion"
        | "ModifyLaunchTemplate"
        | "CreateNetworkInterface"
        | "DeleteNetworkInterface"
        | "ModifyNetworkInterfaceAttribute"
        | "ModifyInstanceMetadataOptions"
        | "CreateSnapshot"
        | "CreateSnapshots"
        | "DeleteSnapshot"
        | "CreateVolume"
        | "DeleteVolume"
        | "DeregisterImage" => bucket(100.0, 5.0),
        "CopyImage" => bucket(100.0, 1.0),
        "CreateNatGateway" | "DeleteNatGateway" => bucket(10.0, 1.0),
        "CreateVpcEndpoint" | "DeleteVpcEndpoints" | "ModifyVpcEndpoint" => bucket(4.0, 0.3),
        // EC2, "Non-mutating actions".
        _ if is_read(name) => bucket(100.0, 20.0),
        // EC2, "Mutating actions", which StopInstances is one of; the resource-intensive ones
        // (CreateKeyPair, AuthorizeSecurityGroupIngress, …) have buckets of this size, too.
        _ => bucket(50.0, 5.0),
    }
}

/// ECS. The actions of a category share its bucket.
fn ecs(action: Action) -> Vec<Draw> {
    let (pool, shared) = match action.name {
        "CreateCluster"
        | "DeleteCluster"
        | "PutClusterCapacityProviders"
        | "UpdateCluster"
        | "UpdateClusterSettings" => ("cluster modify", bucket(20.0, 1.0)),
        "DescribeClusters" | "ListClusters" => ("cluster read", bucket(50.0, 20.0)),
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => {
            ("task definition modify", bucket(20.0, 1.0))
        }
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies" => {
            ("task definition read", bucket(50.0, 20.0))
        }
        "DeleteTaskDefinitions" => ("task definition deletion", bucket(5.0, 1.0)),
        "TagResource" | "UntagResource" => ("tag modify", bucket(20.0, 10.0)),
        "ListTagsForResource" => ("tag read", bucket(50.0, 20.0)),
        "RunTask" | "StartTask" | "StopTask" | "ExecuteCommand" => {
            ("cluster resource modify", bucket(100.0, 40.0))
        }
        "DescribeTasks" | "ListTasks" | "DescribeContainerInstances" | "ListContainerInstances" => {
            ("cluster resource read", bucket(100.0, 20.0))
        }
        "CreateService" | "DeleteService" | "UpdateService" => {
            ("service modify", bucket(50.0, 5.0))
        }
        "DescribeServices" | "ListServices" => ("service read", bucket(100.0, 20.0)),
        // The remaining categories' figures, the smallest of them for what changes something.
        other if is_read(other) => (other, bucket(50.0, 20.0)),
        other => (other, bucket(10.0, 1.0)),
    };
    let mut draws = vec![requests(Service::Ecs, pool, shared)];
    let launches = match action.manner {
        Manner::Fargate => "Fargate launches",
        Manner::FargateSpot => "Fargate Spot launches",
        Manner::Plain | Manner::Unfiltered => return draws,
    };
    // Fargate: 20 calls of RunTask a second, "burst and sustained", and tasks by how they are paid.
    let calls = requests(Service::Ecs, "Fargate RunTask", bucket(20.0, 20.0));
    let launches = draw(
        Service::Ecs,
        launches,
        Counts::Resources,
        bucket(100.0, 20.0),
    );
    draws.extend([calls, launches]);
    draws
}

/// "AWS Systems Manager endpoints and quotas" (docs.aws.amazon.com/general/latest/gr/ssm.html), at the
/// default throughput, as others quote that page: 40 a second for the three ways to read together, 3
/// to put and 3 to delete. The rest is not published: ours.
fn ssm(name: &'static str) -> (&'static str, Bucket) {
    match name {
        "GetParameter" | "GetParameters" | "GetParametersByPath" => {
            ("parameter read", bucket(40.0, 40.0))
        }
        "PutParameter" | "DeleteParameter" | "DeleteParameters" => (name, bucket(3.0, 3.0)),
        _ => (name, bucket(5.0, 5.0)),
    }
}

/// "CloudWatch Logs quotas"
/// (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html): the smallest of all
/// regions where they differ, and 5 is what most of its actions have. FilterLogEvents' 5 are from "How do
/// I determine throttling in my CloudWatch logs?" (repost.aws/knowledge-center/cloudwatch-logs-throttling),
/// too, which says that they can't be raised.
fn logs(name: &str) -> Bucket {
    match name {
        "CreateLogGroup" | "DeleteLogGroup" | "DescribeLogGroups" | "GetLogEvents" => {
            bucket(10.0, 10.0)
        }
        "CreateLogStream" => bucket(50.0, 50.0),
        "DeleteLogStream" => bucket(15.0, 15.0),
        "DescribeLogStreams" => bucket(25.0, 25.0),
        _ => bucket(5.0, 5.0),
    }
}

/// "Service quotas for Service Quotas"
/// (docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html): so many a second, and as
/// many again in one burst. What is not read is ours.
fn service_quotas(name: &str) -> Bucket {
    match name {
        "ListServiceQuotas" | "ListAWSDefaultServiceQuotas" => bucket(20.0, 10.0),
        _ if is_read(name) => bucket(10.0, 5.0),
        _ => bucket(1.0, 1.0),
    }
}

/// IAM's buckets are not published: ours.
fn iam(name: &str) -> Bucket {
    if is_read(name) {
        bucket(10.0, 5.0)
    } else {
        bucket(5.0, 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(action: Action) -> Vec<(f64, f64)> {
        draws(action)
            .iter()
            .map(|draw| (draw.bucket.capacity, draw.bucket.refill_per_second))
            .collect()
    }

    fn name_of(action: Action) -> BucketName {
        draws(action)[0].name
    }

    #[test]
    fn launches_of_instances_are_counted_by_call_and_by_instance() {
        let draws = draws(Action::new(Service::Ec2, "RunInstances"));
        assert_eq!(
            sizes(Action::new(Service::Ec2, "RunInstances")),
            [(5.0, 2.0), (1000.0, 2.0)]
        );
        assert_eq!((draws[0].cost, draws[1].cost), (Cost::Call, Cost::Unit));
        let ends = sizes(Action::new(Service::Ec2, "TerminateInstances"));
        assert_eq!(ends, [(100.0, 5.0), (1000.0, 20.0)]);
        let stops = sizes(Action::new(Service::Ec2, "StopInstances"));
        assert_eq!(stops, [(50.0, 5.0), (1000.0, 20.0)]);
    }

    #[test]
    fn actions_that_ec2_does_not_name_fall_into_its_categories() {
        let describe = Action::new(Service::Ec2, "DescribeInstances");
        assert_eq!(sizes(describe), [(100.0, 20.0)]);
        let unfiltered = describe.called(Manner::Unfiltered);
        assert_eq!(sizes(unfiltered), [(50.0, 10.0)]);
        assert_ne!(name_of(describe), name_of(unfiltered));
        // Only seven listings have the smaller bucket.
        let vpcs = Action::new(Service::Ec2, "DescribeVpcs").called(Manner::Unfiltered);
        assert_eq!(sizes(vpcs), [(100.0, 20.0)]);
        assert_eq!(sizes(Action::new(Service::Ec2, "CreateVpc")), [(50.0, 5.0)]);
    }

    #[test]
    fn actions_of_one_category_of_ecs_share_a_bucket_and_those_of_ec2_do_not() {
        let of_ecs = |name| name_of(Action::new(Service::Ecs, name));
        assert_eq!(
            of_ecs("RegisterTaskDefinition"),
            of_ecs("DeregisterTaskDefinition")
        );
        assert_eq!(of_ecs("RunTask"), of_ecs("StopTask"));
        assert_ne!(of_ecs("RunTask"), of_ecs("DescribeTasks"));
        let of_ec2 = |name| name_of(Action::new(Service::Ec2, name));
        assert_ne!(of_ec2("CreateVpc"), of_ec2("CreateSubnet"));
        let of_ssm = |name| name_of(Action::new(Service::Ssm, name));
        assert_eq!(of_ssm("GetParameter"), of_ssm("GetParametersByPath"));
    }

    #[test]
    fn a_launch_on_fargate_takes_from_three_buckets() {
        let run = Action::new(Service::Ecs, "RunTask");
        assert_eq!(sizes(run), [(100.0, 40.0)]);
        let fargate = draws(run.called(Manner::Fargate));
        let spot = draws(run.called(Manner::FargateSpot));
        assert_eq!(
            sizes(run.called(Manner::Fargate)),
            [(100.0, 40.0), (20.0, 20.0), (100.0, 20.0)]
        );
        assert_eq!(fargate[1].name, spot[1].name);
        assert_ne!(fargate[2].name, spot[2].name);
    }

    #[test]
    fn an_action_is_written_as_in_a_policy() {
        let action = Action::new(Service::Tagging, "GetResources");
        assert_eq!(action.to_string(), "tag:GetResources");
        let action = Action::new(Service::Ecs, "RunTask").called(Manner::Fargate);
        assert_eq!(action.to_string(), "ecs:RunTask (Fargate)");
    }
}
