//! Lists in pages.

use serde_json::json;

use super::made::{arns, cluster, network, with};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;

#[test]
fn instances_come_in_pages_of_instances_however_they_were_launched() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let mut made = Vec::new();
    for count in [7, 1, 4] {
        let launch = network.launch(count, count);
        made.extend(
            client
                .ec2("RunInstances", &with(&launch, &[]))
                .texts("instanceId"),
        );
    }
    proxy.set(|settings| settings.pages.longest = Some(1000));
    assert_eq!(
        client.ec2("DescribeInstances", &[]).texts("instanceId"),
        made
    );

    let mut seen = Vec::new();
    let mut lengths = Vec::new();
    let mut next = None::<String>;
    loop {
        let mut parameters = vec![("MaxResults", "5")];
        parameters.extend(next.as_deref().map(|token| ("NextToken", token)));
        let page = client.ec2("DescribeInstances", &parameters);
        let ids = page.texts("instanceId");
        lengths.push(ids.len());
        seen.extend(ids);
        next = page.texts("nextToken").into_iter().next();
        if next.is_none() {
            break;
        }
    }
    assert_eq!(lengths, [5, 5, 2]);
    assert_eq!(seen, made);

    proxy.set(|settings| settings.pages.longest = Some(2));
    let page = client.ec2("DescribeInstances", &[("MaxResults", "5")]);
    assert_eq!(page.texts("instanceId"), made[..2]);
    let named = [
        ("InstanceId.1", &*made[0]),
        ("InstanceId.2", &made[1]),
        ("InstanceId.3", &made[9]),
    ];
    assert_eq!(
        client
            .ec2("DescribeInstances", &named)
            .texts("instanceId")
            .len(),
        3
    );
    let wrong = client.try_query("ec2", "DescribeInstances", &[("NextToken", "t")]);
    assert_eq!(wrong.expect("an answer arrives").code(), "InvalidNextToken");
}

#[test]
fn a_long_list_arrives_as_a_whole_where_the_emulator_cuts_it() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    let launch = network.launch(1, 1);
    for _ in 0..105 {
        client.ec2("RunInstances", &with(&launch, &[]));
    }
    proxy.set(|settings| settings.pages.longest = Some(1000));
    assert_eq!(
        client
            .ec2("DescribeInstances", &[])
            .texts("instanceId")
            .len(),
        105
    );
    let interfaces = client.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(interfaces.texts("networkInterfaceId").len(), 105);
}

#[test]
fn tasks_and_parameters_come_in_pages_too() {
    let emulator = Emulator::start();
    let proxy = Proxy::before(&emulator);
    let client = proxy.client();
    let network = network(&client);
    cluster(&client);
    let tasks = arns(&client.json("ecs", "RunTask", &network.run(7)));
    for seat in 0..12 {
        let parameter = json!({"Name": format!("/t/{seat}"), "Value": "v", "Type": "String"});
        client.json("ssm", "PutParameter", &parameter);
    }
    proxy.set(|settings| settings.pages.longest = Some(100));

    let mut seen = Vec::new();
    let mut call = json!({"cluster": "t-cluster", "maxResults": 3});
    let mut pages = 0;
    loop {
        let mut page = client.json("ecs", "ListTasks", &call);
        pages += 1;
        seen.append(page["taskArns"].as_array_mut().expect("there is a list"));
        if page["nextToken"].is_null() {
            break;
        }
        call["nextToken"] = page["nextToken"].take();
    }
    assert_eq!(pages, 3);
    assert_eq!(json!(seen), json!(tasks));

    let first = client.json("ssm", "DescribeParameters", &json!({}));
    assert_eq!(first["Parameters"].as_array().map(Vec::len), Some(10));
    let rest = json!({"NextToken": first["NextToken"]});
    let rest = client.json("ssm", "DescribeParameters", &rest);
    assert_eq!(rest["Parameters"].as_array().map(Vec::len), Some(2));
    let many = client.try_json("ssm", "DescribeParameters", &json!({"MaxResults": 51}));
    assert_eq!(
        many.expect("an answer arrives").code(),
        "InvalidParameterException"
    );
}
