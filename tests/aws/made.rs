//! What tests make by hand.

use serde_json::{Value, json};

use crate::support::aws::client::Client;
use crate::support::aws::images::JAMMY;

/// A network with a subnet in each of two zones.
pub struct Network {
    pub vpc: String,
    pub subnets: [String; 2],
    pub gateway: String,
    pub group: String,
}

/// Makes one, with all that tasks want of it.
pub fn network(client: &Client) -> Network {
    let vpc = client
        .ec2("CreateVpc", &[("CidrBlock", "10.214.0.0/16")])
        .text("vpcId");
    let names = [("VpcId", &*vpc), ("EnableDnsHostnames.Value", "true")];
    client.ec2("ModifyVpcAttribute", &names);
    let subnet = |block: &str, zone: &str| {
        let zone = format!("{}{zone}", client.region);
        let subnet = [
            ("VpcId", &*vpc),
            ("CidrBlock", block),
            ("AvailabilityZone", &zone),
        ];
        client.ec2("CreateSubnet", &subnet).text("subnetId")
    };
    let subnets = [subnet("10.214.0.0/20", "a"), subnet("10.214.16.0/20", "b")];
    let gateway = client
        .ec2("CreateInternetGateway", &[])
        .text("internetGatewayId");
    let attached = [("InternetGatewayId", &*gateway), ("VpcId", &vpc)];
    client.ec2("AttachInternetGateway", &attached);
    let group = [
        ("GroupName", "t-seats"),
        ("GroupDescription", "t"),
        ("VpcId", &vpc),
    ];
    let group = client.ec2("CreateSecurityGroup", &group).text("groupId");
    Network {
        vpc,
        subnets,
        gateway,
        group,
    }
}

impl Network {
    /// A launch of so many at least and at most, into the first zone.
    pub fn launch(&self, least: usize, most: usize) -> Vec<(String, String)> {
        let parameters = [
            ("ImageId", JAMMY.to_owned()),
            ("InstanceType", "t3.small".to_owned()),
            ("MinCount", least.to_string()),
            ("MaxCount", most.to_string()),
            ("SubnetId", self.subnets[0].clone()),
            ("SecurityGroupId.1", self.group.clone()),
        ];
        parameters
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// A launch of tasks on Fargate.
    pub fn run(&self, count: usize) -> Value {
        json!({
            "cluster": "t-cluster",
            "taskDefinition": "t-family",
            "launchType": "FARGATE",
            "count": count,
            "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": self.subnets,
                "securityGroups": [self.group],
                "assignPublicIp": "ENABLED",
            }},
        })
    }
}

/// A launch with something more, as the client takes it.
pub fn with<'a>(
    launch: &'a [(String, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let launch = launch
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    launch.chain(more.iter().copied()).collect()
}

/// The cluster `t-cluster`, and the task definition `t-family` with two containers of half a vCPU.
pub fn cluster(client: &Client) -> String {
    client.json("ecs", "CreateCluster", &json!({"clusterName": "t-cluster"}));
    let registered = client.json("ecs", "RegisterTaskDefinition", &definition("512", "1024"));
    let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str();
    arn.expect("it has a name").to_owned()
}

/// A task definition for Fargate.
pub fn definition(cpu: &str, memory: &str) -> Value {
    json!({
        "family": "t-family",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": cpu,
        "memory": memory,
        "containerDefinitions": [
            {"name": "db", "image": "t", "memory": 256, "healthCheck": {"command": ["CMD", "true"]}},
            {"name": "web", "image": "t", "memory": 256},
        ],
    })
}

/// The names of the tasks in an answer.
pub fn arns(answer: &Value) -> Vec<String> {
    let tasks = answer["tasks"].as_array().into_iter().flatten();
    tasks
        .filter_map(|task| task["taskArn"].as_str().map(str::to_owned))
        .collect()
}
