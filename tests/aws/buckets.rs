//! AWS's token buckets, of the sizes that it publishes, whatever seats are.

use std::collections::HashMap;
use std::sync::Mutex;

use seatbox::provider::aws::limits::table::draws;
use seatbox::provider::aws::limits::{Action, Manner, Service};

use super::ec2::lab::Lab;
use crate::support::aws::call::Call;
use crate::support::aws::throttle::{Bucket, Charge, Table, Throttle, units};
use crate::support::scale::record;

/// What the program takes for AWS's limits, kept by somebody else.
fn published() -> Table {
    let names: Mutex<HashMap<String, &'static str>> = Mutex::default();
    Box::new(move |call| {
        let mut names = names.lock().expect("nobody panics");
        let name = names
            .entry(call.action.clone())
            .or_insert_with(|| String::leak(call.action.clone()));
        let Some(action) = action(call, name) else {
            return Vec::new();
        };
        let charge = |draw: seatbox::provider::aws::limits::table::Draw| Charge {
            name: format!("{:?}", draw.name),
            bucket: Bucket {
                burst: draw.bucket.capacity,
                refill_per_second: draw.bucket.refill_per_second,
            },
            tokens: draw
                .cost
                .of(u32::try_from(units(call)).expect("no call is that large")),
        };
        draws(action).into_iter().map(charge).collect()
    })
}

fn action(call: &Call, name: &'static str) -> Option<Action> {
    let service = match &*call.service {
        "ec2" => Service::Ec2,
        "ecs" => Service::Ecs,
        "iam" => Service::Iam,
        "logs" => Service::Logs,
        "servicequotas" => Service::ServiceQuotas,
        "ssm" => Service::Ssm,
        "sts" => Service::Sts,
        "tagging" => Service::Tagging,
        _ => return None,
    };
    let action = Action::new(service, name);
    let is_filtered = call.text("Filter.1.Name").is_some() || call.text("MaxResults").is_some();
    Some(match service {
        Service::Ec2 if !is_filtered => action.called(Manner::Unfiltered),
        _ => action,
    })
}

/// Brings so many seats up and takes them away, within the buckets.
pub fn hold(lab: &Lab, seats: u32) {
    lab.proxy
        .set(|settings| settings.throttle = Throttle::by(published()));
    lab.proxy.counts().reset();
    lab.up();
    lab.assert_ids(seats);
    lab.json(&["status"]);
    lab.json(&["extend", "--by", "1h"]);
    lab.down();
    let total = lab.proxy.counts().total();
    let share = total.throttled * 100;
    assert!(
        share < total.total() * 2,
        "{total:?} {:#?}",
        lab.proxy.counts().by_action()
    );
    record(
        &format!("{}: AWS's buckets, {seats} seats", lab.seats),
        &format!(
            "all ready, none left; {} calls, {} throttled",
            total.total(),
            total.throttled
        ),
    );
}
