//! What the program takes for AWS's limits, kept by somebody else.

use std::collections::HashMap;
use std::sync::Mutex;

use seatbox::provider::aws::limits::table::{Draw, draws};
use seatbox::provider::aws::limits::{Action, Manner, Service};

use super::call::Call;
use super::throttle::{Bucket, Charge, Table, units};

/// Buckets of the sizes that AWS publishes.
pub fn published() -> Table {
    let names: Mutex<HashMap<String, &'static str>> = Mutex::default();
    Box::new(move |call| {
        let mut names = names.lock().expect("nobody panics");
        let name = names
            .entry(call.action.clone())
            .or_insert_with(|| String::leak(call.action.clone()));
        let Some(action) = action(call, name) else {
            return Vec::new();
        };
        let charge = |draw: Draw| Charge {
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
        Service::Ecs if name == "RunTask" && call.text("launchType") == Some("FARGATE") => {
            action.called(Manner::Fargate)
        }
        _ => action,
    })
}
