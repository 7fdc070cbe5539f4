//! More seats than one page of a list holds.

use serde_json::json;

use super::lab::alike;
use crate::aws::made::{cluster, network};

#[test]
fn the_status_of_1500_seats_costs_a_call_a_page() {
    const SEATS: usize = 1500;
    const PAGE: usize = 100;
    let lab = alike("tasks-many", u32::try_from(SEATS).unwrap());
    // By hand: running them is another matter.
    let client = lab.emulator.client();
    let network = network(&client);
    cluster(&client);
    let name = format!("seatbox-{}", lab.name);
    let tags = json!([
        {"key": "dev.seatbox.environment", "value": lab.name},
        {"key": "dev.seatbox.seat", "value": "shared"},
    ]);
    client.json(
        "ecs",
        "CreateCluster",
        &json!({"clusterName": name, "tags": tags}),
    );
    for seat in 1..=SEATS {
        let mut run = network.run(1);
        run["cluster"] = name.as_str().into();
        run["tags"] = json!([
            {"key": "dev.seatbox.environment", "value": lab.name},
            {"key": "dev.seatbox.seat", "value": seat.to_string()},
        ]);
        client.json("ecs", "RunTask", &run);
    }
    lab.proxy
        .set(|settings| settings.pages.longest = Some(PAGE));
    lab.proxy.counts().reset();
    let status = lab.json(&["status"]);
    assert_eq!(status["seats"].as_array().unwrap().len(), SEATS);
    let of = |action: &str| lab.proxy.counts().of(action).total();
    let looks = ["ListTasks", "DescribeTasks", "DescribeNetworkInterfaces"];
    assert_eq!(looks.map(of), [SEATS / PAGE; 3]);
    let others = lab.proxy.counts().total().total() - looks.len() * SEATS / PAGE;
    assert!(others <= 20, "{:#?}", lab.proxy.counts().by_action());
}
