//! A plan without an engine: as on one that has nothing, not even images.

use jiff::Timestamp;

use super::desired::{Surroundings, desired};
use super::observe::Observed;
use super::scheme::Docker;
use crate::image::{Choice, Recipes, resolve_unasked};
use crate::model::{Environment, SeatNumber};
use crate::plan::{Mode, Plan, converge};

/// What `up` would do for `seats` on an empty engine at `now`. Nobody is asked: neither an engine,
/// nor a registry, nor this machine whether ports and address ranges are free. The plan says so.
pub fn plan(
    environment: &Environment,
    recipes: &Recipes,
    seats: &[SeatNumber],
    now: Timestamp,
) -> Plan<Docker> {
    let observed = Observed::default();
    let services = environment.stack.services.values();
    let choices = resolve_unasked(
        services.map(|service| service.image.as_str()),
        &environment.images,
        recipes,
    );
    let wanted = desired(
        environment,
        seats,
        &Surroundings {
            observed: &observed,
            choices: &choices,
            routes: &[],
            listeners: &[],
            // It tells whether what exists was made with another one; nothing does.
            key: "",
            expires: environment.lifetime.expires(now),
        },
    );
    let mut plan = converge(&wanted.desired, Vec::new(), &Mode::Repair);
    plan.seats = seats.to_vec();
    plan.blocked = wanted.blocked;
    plan.notices = vec![
        "planned as for an empty engine: no engine and no registry was asked, and nobody whether \
         ports and addresses are free"
            .to_owned(),
    ];
    plan.notices
        .extend(choices.iter().filter_map(Choice::notice));
    plan
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::super::scheme::{DockerKind, DockerStep};
    use super::*;
    use crate::environment::{Overrides, load};
    use crate::plan::Operation;

    #[test]
    fn ten_thousand_seats_are_planned_with_addresses_and_ports_of_their_own() {
        let mut overrides = Overrides::new([], Timestamp::UNIX_EPOCH);
        overrides.set = [
            "seats.count=10000",
            "docker.subnets=10.0.0.0/8",
            "docker.ports.per_seat=3",
        ]
        .map(str::to_owned)
        .to_vec();
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("environments/gopher-guangzhou-2024.yaml");
        let environment = load(&file, &overrides).unwrap().environment;
        let seats: Vec<SeatNumber> = environment.seat_numbers().collect();
        let plan = plan(
            &environment,
            &Recipes::built_in(),
            &seats,
            Timestamp::UNIX_EPOCH,
        );
        assert!(plan.blocked.is_empty());
        let (mut subnets, mut ports) = (HashSet::new(), HashSet::new());
        for action in &plan.actions {
            match &action.operation {
                Operation::Bring(DockerStep::CreateNetwork(spec)) => {
                    assert!(
                        subnets.insert(spec.subnet),
                        "{} is given twice",
                        spec.subnet
                    );
                }
                Operation::Bring(DockerStep::CreateContainer(spec)) => {
                    for port in &spec.host_ports {
                        assert!(ports.insert(*port), "{port} is given twice");
                    }
                }
                _ => {}
            }
        }
        assert_eq!((subnets.len(), ports.len()), (10_000, 30_000));
        let text = plan.to_string();
        let created = |kind: DockerKind| {
            let words = format!("  create   {kind} ");
            text.lines().filter(|line| line.contains(&words)).count()
        };
        assert_eq!(created(DockerKind::Volume), 30_000);
        assert_eq!(created(DockerKind::Network), 10_000);
        assert_eq!(created(DockerKind::Container), 30_000);
        assert!(text.ends_with(
            "changes to 10000 seats: bring up 4 × image, bring up 30000 × volume, bring up 10000 × \
             network, bring up 30000 × container\n"
        ));
    }
}
