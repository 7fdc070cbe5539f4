//! From what an engine shows to a plan, without an engine.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::layout::Layout;
use super::observe::ContainerState;
use super::ports::Holder;
use super::scheme::{Docker, DockerKind, DockerStep};
use crate::image::Origin;
use crate::model::SeatNumber;
use crate::model::stack::Protocol;
use crate::plan::Operation;

use super::scene::{STACK, Scene, choices, environment};

#[test]
fn a_seat_from_nothing_is_made_in_this_order() {
    let plan = Scene::empty(1).plan();
    assert_eq!(
        plan.to_string().lines().collect::<Vec<_>>(),
        [
            "seat 01  create   volume lab-01_work  (missing)",
            "seat 01  create   network lab-01_default  (missing)",
            "seat 01  create   container lab-01-cache-1  (missing)",
            "seat 01  start    container lab-01-cache-1  (missing)",
            "seat 01  check    container lab-01-cache-1  (missing)",
            "seat 01  create   container lab-01-app-1  (missing)",
            "seat 01  start    container lab-01-app-1  (missing)",
            "seat 01  check    container lab-01-app-1  (missing)",
            "6 changes to 1 seat: bring up 1 × volume, bring up 1 × network, bring up 2 × container",
        ]
    );
    // The app starts only when the cache has answered.
    let start = &plan.actions[6];
    assert!(start.after.contains(&4));
}

#[test]
fn after_an_up_there_is_nothing_to_do() {
    assert_eq!(Scene::up(3).lines(), Vec::<String>::new());
}

#[test]
fn the_plan_of_a_second_machine_is_the_same() {
    assert_eq!(Scene::empty(5).lines(), Scene::empty(5).lines());
}

#[test]
fn a_container_that_ended_is_started_and_checked_again() {
    let mut scene = Scene::up(2);
    let cache = scene.container("lab-02-cache-1");
    cache.state = ContainerState::Exited(Some(137));
    cache.status = "Exited (137) 3 minutes ago".to_owned();
    assert_eq!(
        scene.lines(),
        [
            "start lab-02-cache-1 (exited (137) 3 minutes ago)",
            "check lab-02-cache-1 (exited (137) 3 minutes ago)",
        ]
    );
}

#[test]
fn what_is_paused_goes_on_and_what_is_unhealthy_is_started_again() {
    let mut scene = Scene::up(2);
    scene.container("lab-01-cache-1").state = ContainerState::Paused;
    scene.container("lab-02-cache-1").state = ContainerState::Unhealthy;
    assert_eq!(
        scene.lines(),
        [
            "unpause lab-01-cache-1 (paused)",
            "check lab-01-cache-1 (paused)",
            "restart lab-02-cache-1 (unhealthy)",
            "check lab-02-cache-1 (unhealthy)",
        ]
    );
}

#[test]
fn what_is_not_known_to_be_ready_is_only_looked_at() {
    let mut scene = Scene::up(1);
    scene.container("lab-01-cache-1").state = ContainerState::Starting;
    assert_eq!(
        scene.lines(),
        ["check lab-01-cache-1 (not known to be ready yet)"]
    );
    assert!(scene.plan().changes_nothing());
}

#[test]
fn a_renamed_container_gets_its_name_back() {
    let mut scene = Scene::up(1);
    scene.container("lab-01-cache-1").name = "mine".to_owned();
    // The port that it publishes is its own under the new name as well.
    for port in &mut scene.observed.published {
        port.container = port.container.replace("lab-01-cache-1", "mine");
    }
    assert_eq!(scene.lines(), ["rename lab-01-cache-1 (renamed to mine)"]);
}

#[test]
fn a_second_container_for_one_service_goes() {
    let mut scene = Scene::up(1);
    let mut second = scene.container("lab-01-cache-1").clone();
    second.name = "copy".to_owned();
    second.id = "0123456789abcdef".to_owned();
    scene.observed.containers.push(second);
    assert_eq!(
        scene.lines(),
        ["delete lab-01-cache-1 (0123456789ab) (not in the environment any more)"]
    );
}

#[test]
fn another_image_under_the_same_name_makes_its_containers_anew_and_no_others() {
    let mut scene = Scene::up(1);
    scene.choices[1].origin = Origin::Present {
        id: "another".to_owned(),
    };
    assert_eq!(
        scene.lines(),
        [
            "delete lab-01-cache-1 (its image changed)",
            "create lab-01-cache-1 (its image changed)",
            "start lab-01-cache-1 (its image changed)",
            "check lab-01-cache-1 (its image changed)",
        ]
    );
}

#[test]
fn a_network_deleted_behind_our_back_is_made_again_with_all_that_was_on_it() {
    let mut scene = Scene::up(1);
    scene.observed.networks.clear();
    let lines = scene.lines();
    assert!(lines.contains(&"create lab-01_default (missing)".to_owned()));
    assert!(
        lines.contains(&"create lab-01-app-1 (network lab-01_default is made anew)".to_owned())
    );
    // The volume, with the participant's files in it, stays.
    assert!(!lines.iter().any(|line| line.contains("lab-01_work")));
}

#[test]
fn a_container_cut_off_from_its_network_is_made_anew() {
    let mut scene = Scene::up(1);
    scene.container("lab-01-cache-1").networks.clear();
    assert_eq!(
        scene.lines()[0],
        "delete lab-01-cache-1 (not on network lab-01_default any more)"
    );
}

#[test]
fn a_service_that_left_the_stack_goes_and_one_that_came_is_made() {
    let mut scene = Scene::up(1);
    let stack = STACK.replace("cache", "redis");
    scene.environment = environment(1, &stack);
    scene.choices = choices(&scene.environment);
    let lines = scene.lines();
    assert_eq!(lines[0], "delete lab-01-app-1 (its specification changed)");
    assert_eq!(
        lines[1],
        "delete lab-01-cache-1 (not in the environment any more)"
    );
    assert!(lines.contains(&"create lab-01-redis-1 (missing)".to_owned()));
}

#[test]
fn a_raised_count_makes_the_new_seats_and_touches_no_other() {
    let mut scene = Scene::up(2);
    scene.environment = environment(3, STACK);
    assert!(
        scene
            .plan()
            .actions
            .iter()
            .all(|action| action.owner.seat() == SeatNumber::new(3))
    );
    assert_eq!(scene.plan().actions.len(), 8);
}

#[test]
fn what_has_our_name_and_is_not_ours_blocks_its_seat_alone() {
    let mut scene = Scene::empty(3);
    scene
        .observed
        .foreign
        .containers
        .push("lab-02-cache-1".to_owned());
    let plan = scene.plan();
    assert_eq!(plan.blocked.len(), 1);
    assert_eq!(plan.blocked[0].seat, SeatNumber::new(2).unwrap());
    assert!(
        plan.blocked[0]
            .reason
            .contains("container lab-02-cache-1 exists and is not ours")
    );
    assert_eq!(plan.actions.len(), 2 * 8);
}

#[test]
fn seats_of_another_event_key_are_blocked_and_not_given_other_passwords() {
    let mut scene = Scene::up(1);
    scene.key = "other";
    let plan = scene.plan();
    assert!(plan.actions.is_empty());
    assert!(plan.blocked[0].reason.contains("seatbox key import"));
}

#[test]
fn a_port_that_somebody_has_blocks_its_seat_and_names_the_holder() {
    let mut scene = Scene::empty(2);
    scene.listeners.push(Holder {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port: 20_011,
        protocol: Protocol::Tcp,
        name: "process nginx (812)".to_owned(),
    });
    let plan = scene.plan();
    let reason = &plan.blocked[0].reason;
    assert!(reason.contains("port 20011 for lab-02-cache-1 is taken by process nginx (812)"));
    assert_eq!(plan.actions.len(), 8);
}

#[test]
fn ports_that_our_own_containers_publish_are_no_clash() {
    let mut scene = Scene::up(1);
    // What the engine's proxy looks like from the host.
    scene.listeners.push(Holder {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 20_001,
        protocol: Protocol::Tcp,
        name: "process docker-proxy (99)".to_owned(),
    });
    assert!(scene.plan().blocked.is_empty());
}

#[test]
fn an_image_that_is_nowhere_to_be_had_blocks_the_seats_with_what_was_tried() {
    let mut scene = Scene::empty(2);
    scene.choices[0].origin = Origin::Nowhere {
        reasons: vec!["no recipe stands in for it".to_owned()],
    };
    let plan = scene.plan();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.blocked.len(), 2);
    assert!(
        plan.blocked[0]
            .reason
            .contains("no recipe stands in for it")
    );
}

#[test]
fn an_image_to_be_pulled_comes_first_and_once_for_all_seats() {
    let mut scene = Scene::empty(3);
    scene.choices[1].origin = Origin::Registry {
        pull: "cache:1".to_owned(),
    };
    let plan = scene.plan();
    let pulls: Vec<usize> = plan
        .actions
        .iter()
        .filter(|action| action.key.kind == DockerKind::Image)
        .map(|action| action.id)
        .collect();
    assert_eq!(pulls, [0]);
    let waiting = plan
        .actions
        .iter()
        .filter(|action| action.after.contains(&0));
    assert_eq!(waiting.count(), 3);
}

#[test]
fn two_hundred_seats_get_as_many_subnets_past_those_that_are_taken() {
    let mut scene = Scene::empty(200);
    scene.routes.push("10.213.0.0/25".parse().unwrap());
    let plan = scene.plan();
    assert!(plan.blocked.is_empty());
    let subnets: std::collections::BTreeSet<Ipv4Net> = plan
        .actions
        .iter()
        .filter_map(|action| match &action.operation {
            Operation::Bring(DockerStep::CreateNetwork(spec)) => Some(spec.subnet),
            _ => None,
        })
        .collect();
    assert_eq!(subnets.len(), 200);
    assert!(subnets.iter().all(|net| !scene.routes[0].contains(net)));
}

#[test]
fn the_layout_of_a_service_is_that_of_its_stages() {
    let environment = environment(1, STACK);
    let scene = Scene::empty(1);
    for resource in scene.wanted().desired {
        if let DockerStep::CreateContainer(spec) = &resource.stages[0].step {
            let layout = Layout::of(&environment, &spec.service);
            assert_eq!(layout.len, resource.stages.len());
            assert!(matches!(
                resource.stages[layout.start].step,
                DockerStep::Start
            ));
        }
    }
}

#[test]
fn a_fingerprint_does_not_depend_on_when_or_where_a_seat_is_made() {
    let mut scene = Scene::empty(1);
    let fingerprints = |scene: &Scene| -> Vec<Arc<str>> {
        scene
            .wanted()
            .desired
            .iter()
            .map(|resource| resource.fingerprint.as_str().into())
            .collect()
    };
    let before = fingerprints(&scene);
    scene.routes.push("10.213.0.0/24".parse().unwrap());
    assert_eq!(before, fingerprints(&scene));
    scene.key = "other";
    assert_ne!(before, fingerprints(&scene));
}

#[test]
fn a_first_start_is_made_once_and_before_the_volumes_that_it_fills() {
    let stack = "
services:
  db:
    image: db:1
    healthcheck: {test: ask}
    volumes: [data:/data]
    x-seatbox: {snapshot: {personalize: own}}
volumes:
  data:
";
    let plan = Scene::of(environment(3, stack)).plan();
    let is_made = |operation: &Operation<Docker>| {
        matches!(operation, Operation::Bring(DockerStep::MakeSnapshot(_)))
    };
    let made: Vec<_> = plan
        .actions
        .iter()
        .filter(|action| is_made(&action.operation))
        .collect();
    let [made] = made.as_slice() else {
        panic!("{made:?}");
    };
    let after: Vec<DockerKind> = plan
        .actions
        .iter()
        .filter(|action| action.after.contains(&made.id))
        .map(|action| action.key.kind)
        .collect();
    let each = [DockerKind::Volume, DockerKind::Container];
    assert_eq!(after, [each; 3].concat());

    // Two volumes are filled sooner by their own first starts.
    let plan = Scene::of(environment(2, stack)).plan();
    assert!(!plan.actions.iter().any(|action| is_made(&action.operation)));
}
