//! A plan without AWS: as for an account that has nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::desired::{Surroundings, desired};
use super::ecs::parameters::Account;
use super::observe::Observed;
use super::scheme::Aws;
use crate::engine::Failure;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Mode, Plan, converge};

/// What `up` would do for `seats` in an empty account at `now`. Nobody is asked, and the plan says so.
///
/// # Errors
/// What of the environment its provider can't do.
pub fn plan(
    environment: &Environment,
    seats: &[SeatNumber],
    now: Timestamp,
) -> Result<Plan<Aws>, Failure> {
    let region = environment.aws.region.as_deref();
    let account = Account {
        partition: "aws".to_owned(),
        region: region.unwrap_or("region").to_owned(),
        id: "account".to_owned(),
    };
    // Which zones there are is for AWS to say; how many are wanted is known.
    let zones: Vec<Arc<str>> = (1..=environment.aws.zones)
        .map(|number| format!("zone {number}").into())
        .collect();
    let wanted = desired(
        environment,
        seats,
        &Surroundings {
            account: &account,
            observed: &Observed::default(),
            zones: &zones,
            // It tells whether what exists was made with another one; nothing does.
            key: "",
            expires: environment.lifetime.expires(now),
        },
    )?;
    let mut plan = converge(&wanted.desired, Vec::new(), &Mode::Repair);
    plan.seats = seats.to_vec();
    plan.notices = vec![
        "planned as for an empty account: AWS was not asked what there is, what it offers, and how \
         much the account may have"
            .to_owned(),
    ];
    plan.notices.extend(wanted.notices);
    Ok(plan)
}
