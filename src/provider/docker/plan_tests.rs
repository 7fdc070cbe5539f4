//! From what an engine shows to a plan, without an engine.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::desired::{Surroundings, Wanted, desired};
use super::found::found;
use super::layout::Layout;
use super::names;
use super::observe::{ContainerState, Observed, OurContainer, OurNetwork, OurVolume, Published};
use super::ports::Holder;
use super::scheme::{Docker, DockerKind, DockerStep};
use crate::environment::{Overrides, load};
use crate::image::{Choice, Origin};
use crate::model::stack::Protocol;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Mode, Operation, Plan, converge};
use crate::provider::labels::Ownership;

const STACK: &str = "
services:
  app:
    image: app:1
    depends_on:
      cache: {condition: service_healthy}
    volumes: [work:/work]
    ports: ['8080']
    x-seatbox: {workspace: /work}
  cache:
    image: cache:1
    ports: ['6379']
    healthcheck: {test: [CMD, ping]}
volumes:
  work:
";

fn environment(seats: u32, stack: &str) -> Environment {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("stack.yaml"), stack).unwrap();
    let text = format!(
        "version: 1\nname: lab\nseats: {{count: {seats}}}\nstack: stack.yaml\nlifetime: 1h\n"
    );
    std::fs::write(at("lab.yaml"), text).unwrap();
    load(&at("lab.yaml"), &Overrides::new([], Timestamp::UNIX_EPOCH))
        .unwrap()
        .environment
}

fn choices(environment: &Environment) -> Vec<Choice> {
    environment
        .stack
        .services
        .values()
        .map(|service| Choice {
            wanted: service.image.clone(),
            reference: service.image.as_str().into(),
            origin: Origin::Present {
                id: format!("id of {}", service.image),
            },
        })
        .collect()
}

/// Everything that a plan is made from, to be changed by a test.
struct Scene {
    environment: Environment,
    observed: Observed,
    choices: Vec<Choice>,
    listeners: Vec<Holder>,
    routes: Vec<Ipv4Net>,
    key: &'static str,
}

impl Scene {
    fn empty(seats: u32) -> Self {
        let environment = environment(seats, STACK);
        Self {
            choices: choices(&environment),
            environment,
            observed: Observed::default(),
            listeners: Vec::new(),
            routes: Vec::new(),
            key: "key",
        }
    }

    /// As it is after an `up`.
    fn up(seats: u32) -> Self {
        let mut scene = Self::empty(seats);
        let wanted = scene.wanted();
        for resource in wanted.desired {
            let ownership = Ownership {
                environment: scene.environment.name.clone(),
                owner: resource.owner,
                service: resource.service.as_ref().map(ToString::to_string),
                expires: None,
                fingerprint: Some(resource.fingerprint.clone()),
                key: Some(scene.key.to_owned()),
            };
            let name = resource.key.name.to_string();
            match &resource.stages[0].step {
                DockerStep::CreateVolume(_) => {
                    scene.observed.volumes.push(OurVolume { ownership, name })
                }
                DockerStep::CreateNetwork(spec) => {
                    scene.observed.subnets.push(spec.subnet);
                    scene.observed.networks.push(OurNetwork {
                        ownership,
                        id: format!("id of {name}"),
                        name,
                        subnet: Some(spec.subnet),
                    });
                }
                DockerStep::CreateContainer(spec) => {
                    let network = names::network(&scene.environment.name, spec.seat, "default");
                    let ports: Vec<Published> = spec
                        .service
                        .ports
                        .iter()
                        .zip(&spec.host_ports)
                        .map(|(port, host)| Published {
                            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                            port: *host,
                            target: port.target.number,
                            protocol: Protocol::Tcp,
                            container: name.clone(),
                        })
                        .collect();
                    scene.observed.published.extend(ports.iter().cloned());
                    scene.observed.containers.push(OurContainer {
                        ownership,
                        id: format!("id of {name}"),
                        image_id: format!("id of {}", spec.image),
                        name,
                        state: ContainerState::Running,
                        status: "Up 5 minutes".to_owned(),
                        out_of_memory: None,
                        networks: HashMap::from([(network, None)]),
                        ports,
                    });
                }
                step => panic!("{step} creates nothing"),
            }
        }
        scene
    }

    fn seats(&self) -> Vec<SeatNumber> {
        self.environment.seat_numbers().collect()
    }

    fn wanted(&self) -> Wanted {
        let around = Surroundings {
            observed: &self.observed,
            choices: &self.choices,
            routes: &self.routes,
            listeners: &self.listeners,
            key: self.key,
            expires: Timestamp::UNIX_EPOCH,
        };
        desired(&self.environment, &self.seats(), &around)
    }

    fn plan(&self) -> Plan<Docker> {
        let wanted = self.wanted();
        let images: Vec<(&str, String)> = self
            .choices
            .iter()
            .filter_map(|choice| match &choice.origin {
                Origin::Present { id } => Some((choice.wanted.as_str(), id.clone())),
                _ => None,
            })
            .collect();
        let images: HashMap<&str, &str> = images
            .iter()
            .map(|(name, id)| (*name, id.as_str()))
            .collect();
        let blocked: Vec<SeatNumber> = wanted.blocked.iter().map(|seat| seat.seat).collect();
        let found = found(&self.environment, &self.observed, &images, |seat| {
            !blocked.contains(&seat)
        });
        let mut plan = converge(&wanted.desired, found, &Mode::Repair);
        plan.blocked = wanted.blocked;
        plan
    }

    /// The plan's actions, a line each.
    fn lines(&self) -> Vec<String> {
        self.plan()
            .actions
            .iter()
            .map(|action| format!("{} {} ({})", action.verb(), action.key.name, action.cause))
            .collect()
    }

    fn container(&mut self, name: &str) -> &mut OurContainer {
        let found = self.observed.containers.iter_mut().find(|c| c.name == name);
        found.expect("the container is there")
    }
}

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
