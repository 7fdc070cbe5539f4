//! Plans on the real engine that are not carried out.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use seatbox::environment::{Overrides, load};
use seatbox::image::Recipes;
use seatbox::model::{Environment, SeatNumber};
use seatbox::plan::{Mode, Operation};
use seatbox::provider::Provider as _;
use seatbox::provider::docker::DockerProvider;
use seatbox::provider::docker::scheme::DockerStep;
use seatbox::secret::EventKey;

use super::event::{Event, SMALL};
use super::support::engine;
use crate::support::desk::repository;

#[tokio::test]
async fn two_hundred_seats_have_two_hundred_networks_with_the_default_settings() {
    let now = Timestamp::now();
    let mut overrides = Overrides::new([], now);
    overrides.set = ["seats.count=200", "name=t-two-hundred"]
        .map(str::to_owned)
        .to_vec();
    let file = repository("environments/gopher-guangzhou-2024.yaml");
    let environment: Arc<Environment> = Arc::new(load(&file, &overrides).unwrap().environment);
    let key = Arc::new(EventKey::generate().unwrap());
    let recipes = Recipes::load(None).unwrap();
    let provider = DockerProvider::new(
        engine().await,
        Some(Arc::clone(&environment)),
        Some(key),
        recipes,
        now,
    );
    let observed = provider.observe().await.unwrap();
    let seats: Vec<SeatNumber> = environment.seat_numbers().collect();
    let plan = provider
        .converge(&observed, &seats, &Mode::Repair)
        .await
        .unwrap();
    let short_of_networks = plan
        .blocked
        .iter()
        .find(|blocked| blocked.reason.contains("subnet"));
    assert!(short_of_networks.is_none(), "{short_of_networks:?}");
    let subnets: Vec<_> = plan
        .actions
        .iter()
        .filter_map(|action| match &action.operation {
            Operation::Bring(DockerStep::CreateNetwork(spec)) => Some(spec.subnet),
            _ => None,
        })
        .collect();
    assert_eq!(subnets.len() + plan.blocked.len(), 200);
    assert!(plan.blocked.len() < 100, "{:?}", plan.blocked);
    let distinct: BTreeSet<_> = subnets.iter().collect();
    assert_eq!(distinct.len(), subnets.len());
    let sorted: Vec<_> = distinct.into_iter().collect();
    for pair in sorted.windows(2) {
        assert!(
            pair[0].broadcast() < pair[1].network(),
            "{} and {}",
            pair[0],
            pair[1]
        );
    }
    for subnet in sorted {
        assert!(environment.docker.subnets.contains(subnet));
        assert!(
            observed
                .subnets
                .iter()
                .all(|other| !other.contains(subnet) && !subnet.contains(other))
        );
    }
}

#[tokio::test]
async fn a_plan_touches_nothing_and_is_what_up_dry_run_prints() {
    let event = Event::new("plan", 2, SMALL).await;
    let plan = event.run(&["plan"]).exits(0);
    assert_eq!(event.run(&["up", "--dry-run"]).exits(0).stdout, plan.stdout);
    for seat in [1, 2] {
        for name in [
            event.container(seat, "redis"),
            event.part(seat, "default"),
            event.part(seat, "redis"),
        ] {
            assert!(plan.stdout.contains(&name), "{name} is not in {plan}");
        }
    }
    event.assert_nothing_left().await;
    assert!(
        !event.desk.path("state").exists(),
        "a plan made an event key"
    );
}
