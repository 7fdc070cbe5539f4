//! What can't be deleted as long as something needs it.

use serde_json::json;

use super::made::{arns, cluster, network, with};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

#[test]
fn a_network_is_taken_away_from_its_instances_on_and_in_no_other_order() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let before = emulator.listing();
    let network = network(&client);
    proxy.set(|settings| settings.dependencies = true);
    let interface = [
        ("NetworkInterface.1.DeviceIndex", "0"),
        ("NetworkInterface.1.AssociatePublicIpAddress", "true"),
        ("NetworkInterface.1.SubnetId", &*network.subnets[0]),
        ("NetworkInterface.1.SecurityGroupId.1", &network.group),
    ];
    let launch = network.launch(2, 2);
    let launch: Vec<_> = launch
        .iter()
        .filter(|(name, _)| !name.starts_with('S'))
        .cloned()
        .collect();
    let ids = client
        .ec2("RunInstances", &with(&launch, &interface))
        .texts("instanceId");

    let delete = |action, parameters: &[(&str, &str)]| {
        client
            .try_query("ec2", action, parameters)
            .expect("an answer arrives")
            .code()
    };
    let group = || delete("DeleteSecurityGroup", &[("GroupId", &network.group)]);
    let subnet = |index: usize| delete("DeleteSubnet", &[("SubnetId", &network.subnets[index])]);
    let gateway = [
        ("InternetGatewayId", &*network.gateway),
        ("VpcId", &network.vpc),
    ];
    let detach = || delete("DetachInternetGateway", &gateway);
    let vpc = || delete("DeleteVpc", &[("VpcId", &network.vpc)]);
    for code in [group(), subnet(0), detach(), vpc()] {
        assert_eq!(code, "DependencyViolation");
    }
    assert_eq!(subnet(1), "", "nothing is in it");
    client.ec2(
        "TerminateInstances",
        &[("InstanceId.1", &ids[0]), ("InstanceId.2", &ids[1])],
    );
    let interfaces = client.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(
        interfaces.texts("networkInterfaceId").len(),
        0,
        "they go with the instances"
    );
    assert_eq!(
        vpc(),
        "DependencyViolation",
        "a group, a subnet and a gateway are left"
    );
    assert_eq!(group(), "");
    assert_eq!(subnet(0), "");
    assert_eq!(vpc(), "DependencyViolation", "a gateway is left");
    assert_eq!(detach(), "");
    assert_eq!(delete("DeleteInternetGateway", &gateway[..1]), "");
    assert_eq!(vpc(), "");
    assert_eq!(emulator.listing(), before);
}

#[test]
fn a_group_that_another_one_names_can_not_be_deleted() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let other = [
        ("GroupName", "t-other"),
        ("GroupDescription", "t"),
        ("VpcId", &*network.vpc),
    ];
    let other = client.ec2("CreateSecurityGroup", &other).text("groupId");
    let rule = [
        ("GroupId", &*other),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.Groups.1.GroupId", &network.group),
    ];
    client.ec2("AuthorizeSecurityGroupIngress", &rule);
    proxy.set(|settings| settings.dependencies = true);

    let named = [("GroupId", &*network.group)];
    let refused = client
        .try_query("ec2", "DeleteSecurityGroup", &named)
        .expect("an answer arrives");
    assert_eq!(refused.code(), "DependencyViolation");
    client.ec2("DeleteSecurityGroup", &[("GroupId", &other)]);
    client.ec2("DeleteSecurityGroup", &named);
}

#[test]
fn a_cluster_and_its_network_are_held_by_tasks_until_these_are_stopped() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    proxy.set(|settings| settings.dependencies = true);
    let tasks = arns(&client.json("ecs", "RunTask", &network.run(2)));

    let cluster = || {
        let reply = client.try_json("ecs", "DeleteCluster", &json!({"cluster": "t-cluster"}));
        reply.expect("an answer arrives").code()
    };
    let group = || {
        let named = [("GroupId", &*network.group)];
        let reply = client.try_query("ec2", "DeleteSecurityGroup", &named);
        reply.expect("an answer arrives").code()
    };
    assert_eq!(
        (cluster(), group()),
        (
            "ClusterContainsTasksException".into(),
            "DependencyViolation".into()
        )
    );
    for task in &tasks {
        client.json(
            "ecs",
            "StopTask",
            &json!({"cluster": "t-cluster", "task": task}),
        );
    }
    assert_eq!((cluster(), group()), (String::new(), String::new()));
}
