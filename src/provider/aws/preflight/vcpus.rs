//! Room for instances: quotas count virtual processors, family by family, and those of the spot market
//! apart from the others.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, Instance, InstanceLifecycleType};

use super::need::Need;
use super::quota::{self, Quota, Room};
use super::types::{self, Types};
use crate::engine::Failure;
use crate::model::aws::Market;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::preflight::{Check, Verdict};

/// Families that have a quota together, by the letters that their types begin with.
struct Family {
    letters: &'static [&'static str],
    on_demand: (&'static str, &'static str),
    spot: (&'static str, &'static str),
}

/// "Amazon EC2 service quotas" (docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html).
const FAMILIES: [Family; 6] = [
    Family {
        letters: &["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"],
        on_demand: (
            "L-1216C47A",
            "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        ),
        spot: (
            "L-34B43A08",
            "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
        ),
    },
    Family {
        letters: &["f"],
        on_demand: ("L-74FC7D96", "Running On-Demand F instances"),
        spot: ("L-88CF9481", "All F Spot Instance Requests"),
    },
    Family {
        letters: &["g", "gr", "vt"],
        on_demand: ("L-DB2E81BA", "Running On-Demand G and VT instances"),
        spot: ("L-3819A6DF", "All G and VT Spot Instance Requests"),
    },
    Family {
        letters: &["inf"],
        on_demand: ("L-1945791B", "Running On-Demand Inf instances"),
        spot: ("L-B5D1601B", "All Inf Spot Instance Requests"),
    },
    Family {
        letters: &["p"],
        on_demand: ("L-417A185B", "Running On-Demand P instances"),
        spot: ("L-7212CCBC", "All P Spot Instance Requests"),
    },
    Family {
        letters: &["x"],
        on_demand: ("L-7295265B", "Running On-Demand X instances"),
        spot: ("L-E3A00192", "All X Spot Instance Requests"),
    },
];

/// The quota that an instance of this type counts in.
pub fn quota_of(kind: &str, market: Market) -> Option<Quota> {
    let letters = kind.split(|c: char| !c.is_ascii_lowercase()).next()?;
    let family = FAMILIES
        .iter()
        .find(|family| family.letters.contains(&letters))?;
    let (code, name) = match market {
        Market::OnDemand => family.on_demand,
        Market::Spot => family.spot,
    };
    Some(Quota {
        service: "ec2",
        code,
        name,
        unit: "vCPUs",
    })
}

/// An instance that counts in a quota.
#[derive(Debug)]
pub struct Running {
    id: String,
    kind: String,
}

/// Asks for the room for a type; there is nothing to ask where it is not known which quota that counts in.
pub async fn look(session: &Session, kind: &str, market: Market) -> Option<Room<Running>> {
    let quota = quota_of(kind, market)?;
    Some(Room::ask(session, quota, running(session, quota)).await)
}

/// That it is not known which quota a type counts in.
pub fn unknown(kind: &str) -> Check {
    let message = format!("which quota {kind} counts in is not known here");
    Check::new("quota", Verdict::Unknown, message)
}

/// Whether there is room for what the plan launches. It is judged by `kind`, the type that is asked for
/// first: where a quota is used up, no other type is tried.
pub async fn check(
    session: &Session,
    need: &Need,
    kind: &str,
    room: &Room<Running>,
    types: &Types,
) -> Check {
    let quota = room.quota;
    let used = match &room.running {
        Ok(running) => used(session, need, running, types).await,
        Err(failure) => Err(failure.clone()),
    };
    let each = types.get(kind).map(|info| info.vcpus);
    match (&room.value, used, each) {
        (&Ok(value), Ok(used), Some(each)) => {
            let seats = value.saturating_sub(used).checked_div(each);
            let need = need.instances * each;
            quota::judge(session, quota, value, used, need, seats.unwrap_or_default())
        }
        (Err(failure), ..) => quota::unknown(quota, failure),
        (_, Err(failure), _) => quota::unknown(quota, &failure),
        (.., None) => {
            let message = format!(
                "{} ({}): how large {kind} is is not known",
                quota.name, quota.code
            );
            Check::new("quota", Verdict::Unknown, message)
        }
    }
}

/// All instances of the account that count in that quota, whosever they are.
async fn running(session: &Session, quota: Quota) -> Result<Vec<Running>, Failure> {
    let counted = |instance: Instance| {
        let kind = instance.instance_type.as_ref()?.as_str().to_owned();
        let counts = quota_of(&kind, market_of(&instance)) == Some(quota);
        let id = instance.instance_id.filter(|_| counts)?;
        Some(Running { id, kind })
    };
    let running = Filter::builder()
        .name("instance-state-name")
        .values("pending")
        .values("running")
        .build();
    let request = |token| {
        let request = session.ec2.describe_instances().filters(running.clone());
        request.max_results(1000).set_next_token(token).send()
    };
    session
        .pages(Action::ec2("DescribeInstances"), request, |page| {
            let reservations = page.reservations.unwrap_or_default().into_iter();
            let instances = reservations.flat_map(|of| of.instances.unwrap_or_default());
            (instances.filter_map(counted).collect(), page.next_token)
        })
        .await
}

/// How much of a quota is used, when what the plan takes away has gone.
async fn used(
    session: &Session,
    need: &Need,
    running: &[Running],
    known: &Types,
) -> Result<u64, Failure> {
    let counted: Vec<&str> = running
        .iter()
        .filter(|instance| !need.freed.contains(&*instance.id))
        .map(|instance| &*instance.kind)
        .collect();
    let missing: BTreeSet<&str> = counted
        .iter()
        .copied()
        .filter(|kind| !known.contains_key(*kind))
        .collect();
    let missing: Vec<String> = missing.into_iter().map(str::to_owned).collect();
    let others = types::describe(session, &missing).await?;
    let size = |kind: &str| known.get(kind).or_else(|| others.get(kind));
    Ok(counted
        .into_iter()
        .filter_map(|kind| Some(size(kind)?.vcpus))
        .sum())
}

fn market_of(instance: &Instance) -> Market {
    match instance.instance_lifecycle {
        Some(InstanceLifecycleType::Spot) => Market::Spot,
        _ => Market::OnDemand,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_count_in_their_familys_quota() {
        let code = |kind, market| quota_of(kind, market).map(|quota| quota.code);
        for kind in [
            "t3.small",
            "m7i-flex.large",
            "c6gn.xlarge",
            "im4gn.large",
            "r8g.metal",
        ] {
            assert_eq!(code(kind, Market::OnDemand), Some("L-1216C47A"), "{kind}");
            assert_eq!(code(kind, Market::Spot), Some("L-34B43A08"), "{kind}");
        }
        assert_eq!(code("g4dn.xlarge", Market::OnDemand), Some("L-DB2E81BA"));
        assert_eq!(code("inf2.xlarge", Market::Spot), Some("L-B5D1601B"));
        for kind in ["mac2.metal", "u-6tb1.112xlarge", "hpc7a.96xlarge", ""] {
            assert_eq!(code(kind, Market::OnDemand), None, "{kind}");
        }
    }
}
