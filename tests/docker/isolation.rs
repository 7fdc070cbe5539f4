//! One seat can't reach another, nor the engine.

use std::net::{Ipv4Addr, TcpStream};

use ipnet::Ipv4Net;

use super::event::Event;
use super::support::IMAGE;

/// What a seat keeps from its neighbours: a Redis and a PostgreSQL, both published on the host.
const STACK: &str = r#"
services:
  work:
    image: redis:7
    entrypoint: []
    command: [sleep, infinity]
    init: true
    depends_on:
      redis: {condition: service_healthy}
      postgres: {condition: service_healthy}
  redis:
    image: redis:7
    ports: ["6379"]
    healthcheck: {test: "redis-cli ping | grep -qx PONG", interval: 30s}
    networks: {default: {aliases: [cache]}}
  postgres:
    image: postgres:15
    environment: {POSTGRES_PASSWORD: "${SEATBOX_SECRET_POSTGRES}"}
    ports: ["5432"]
    healthcheck: {test: 'pg_isready -h "$$(hostname)"', interval: 30s}
"#;

/// Tries to open a TCP connection, from inside a seat's workspace, to each of the targets at once.
/// Gives those that could be opened.
fn reached(event: &Event, seat: u32, targets: &[String]) -> Vec<String> {
    let script = r#"
for target in "$@"; do
    (timeout 2 bash -c "exec 3<>/dev/tcp/${target%:*}/${target#*:}" 2>/dev/null && echo "$target") &
done
wait"#;
    let seat = seat.to_string();
    let mut arguments = vec![
        "exec", "--seat", &seat, "-s", "work", "--", "bash", "-c", script, "-",
    ];
    arguments.extend(targets.iter().map(String::as_str));
    let ran = event.run(&arguments).exits(0);
    let mut reached: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
    reached.sort();
    reached
}

async fn address(event: &Event, container: &str) -> String {
    let networks = event
        .inspect(container)
        .await
        .network_settings
        .unwrap()
        .networks
        .unwrap();
    assert_eq!(networks.len(), 1);
    networks.into_values().next().unwrap().ip_address.unwrap()
}

async fn gateway(event: &Event, network: &str) -> String {
    let network = event.docker.inspect_network(network, None).await.unwrap();
    let config = network.ipam.unwrap().config.unwrap().swap_remove(0);
    // The engine does not say it of a network that it made itself: the first address it is.
    config.gateway.unwrap_or_else(|| {
        let subnet: Ipv4Net = config.subnet.unwrap().parse().unwrap();
        subnet.hosts().next().unwrap().to_string()
    })
}

#[tokio::test]
async fn a_seat_reaches_its_own_services_and_none_of_its_neighbours() {
    let event = Event::new("isolated", 2, STACK).await;
    let report = event.up();
    const SERVED: [(&str, u16); 2] = [("redis", 6379), ("postgres", 5432)];
    let mut own = Vec::new();
    let mut others = Vec::new();
    for (service, port) in SERVED {
        for (seat, list) in [(1, &mut own), (2, &mut others)] {
            let container = event.container(seat, service);
            list.push(format!("{}:{port}", address(&event, &container).await));
            list.push(format!("{container}:{port}"));
        }
        own.push(format!("{service}:{port}"));
        // With the project's name before it, as one might try.
        others.push(format!("{service}.{}:{port}", event.part(2, "default")));
    }
    own.push("cache:6379".to_owned());
    own.sort();
    // What the neighbour publishes, on every address that the host has for a seat.
    let gateways = [
        gateway(&event, &event.part(1, "default")).await,
        gateway(&event, &event.part(2, "default")).await,
        gateway(&event, "bridge").await,
    ];
    let published: Vec<u64> = report["seats"][1]["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| port["host_port"].as_u64().unwrap())
        .collect();
    assert_eq!(published.len(), 2);
    for port in &published {
        // The host itself gets there, so the door is there.
        TcpStream::connect((Ipv4Addr::LOCALHOST, u16::try_from(*port).unwrap())).unwrap();
        others.extend(gateways.iter().map(|gateway| format!("{gateway}:{port}")));
    }
    others.extend(
        gateways
            .iter()
            .flat_map(|gateway| SERVED.map(|(_, port)| format!("{gateway}:{port}"))),
    );

    assert_eq!(
        reached(&event, 1, &own),
        own,
        "a seat can't reach its own services"
    );
    assert_eq!(reached(&event, 1, &others), [""; 0]);
    // The very addresses answer whoever may reach them.
    let theirs: Vec<String> = others[..4].to_vec();
    let mut reached_by_owner = reached(&event, 2, &theirs);
    reached_by_owner.dedup();
    assert_eq!(
        reached_by_owner.len(),
        4,
        "{reached_by_owner:?} of {theirs:?}"
    );

    // A name that both have is each one's own.
    for seat in [1, 2] {
        let own = address(&event, &event.container(seat, "redis")).await;
        for name in ["redis", "cache"] {
            let found = event.says(
                seat,
                "work",
                &format!("getent ahostsv4 {name} | cut -d' ' -f1 | sort -u"),
            );
            assert_eq!(found, own);
        }
    }
    event.down().await;
}

#[tokio::test]
async fn a_seat_has_limits_few_powers_and_no_way_to_the_engine() {
    let event = Event::new("limits", 1, STACK).await;
    event.up();
    for service in ["work", "redis", "postgres"] {
        let inspected = event.inspect(&event.container(1, service)).await;
        let host = inspected.host_config.unwrap();
        assert_eq!(host.memory, Some(512 << 20), "{service}");
        assert_eq!(host.memory_swap, host.memory, "{service}");
        assert_eq!(host.nano_cpus, Some(1_000_000_000), "{service}");
        assert_eq!(host.pids_limit, Some(256), "{service}");
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]), "{service}");
        let mut added = host.cap_add.unwrap_or_default();
        added.sort();
        let baseline = [
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "KILL",
            "NET_BIND_SERVICE",
            "SETGID",
            "SETUID",
        ];
        assert_eq!(added, baseline, "{service}");
        let security = host.security_opt.unwrap_or_default();
        assert!(
            security
                .iter()
                .any(|option| option.starts_with("no-new-privileges")),
            "{security:?}"
        );
        assert!(
            !security.iter().any(|option| option.contains("unconfined")),
            "{security:?}"
        );
        assert_ne!(host.privileged, Some(true));
        for mode in [
            &host.pid_mode,
            &host.ipc_mode,
            &host.uts_mode,
            &host.network_mode,
        ] {
            assert_ne!(mode.as_deref(), Some("host"), "{service}");
        }
        for mount in inspected.mounts.unwrap_or_default() {
            let kind = mount.typ.map(|kind| kind.to_string());
            assert_eq!(kind.as_deref(), Some("volume"), "{service}");
        }
        let look = "ls /run/docker.sock /var/run/docker.sock /run/podman 2>/dev/null; env | grep -i docker; \
                    find / -xdev -type s -name '*docker*' 2>/dev/null; grep -E '^(NoNewPrivs|CapBnd)' /proc/self/status";
        let seen = event.says(1, service, look);
        // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
        assert_eq!(
            seen, "CapBnd:\t00000000000004eb\nNoNewPrivs:\t1",
            "{service}"
        );
    }
    event.down().await;
}

#[tokio::test]
async fn a_stack_alone_loosens_nothing_and_the_environment_file_can() {
    let stack = |more: &str| {
        format!(
            "services:\n  tool:\n    image: {IMAGE}\n    entrypoint: []\n    command: [sleep, infinity]\n    init: true\n{more}\n"
        )
    };
    let event = Event::new("loosened", 1, &stack("")).await;
    let open = event.desk.path("open");
    std::fs::create_dir(&open).unwrap();
    let bind = format!("    volumes: ['{}:/open:ro']", open.display());
    let tries = [
        "    cap_add: [SYS_PTRACE]",
        "    security_opt: ['seccomp:unconfined']",
        "    privileged: true",
        "    pid: host",
        "    network_mode: host",
        "    devices: ['/dev/fuse']",
        "    volumes: ['/var/run/docker.sock:/var/run/docker.sock']",
        &bind,
    ];
    for more in tries {
        event.stack(&stack(more));
        event.run(&["up"]).exits(2).says(&["stack.yaml:7:"]);
        assert!(event.everything().await.is_empty(), "{more}");
    }
    let more = format!(
        "isolation:\n  capabilities: [SYS_PTRACE]\n  security_opt: ['seccomp:unconfined']\n  bind_mounts: ['{}']\n",
        open.display()
    );
    event.describe(1, &more);
    event.stack(&stack(&format!("{}\n{}\n{bind}", tries[0], tries[1])));
    std::fs::write(open.join("word"), "open sesame").unwrap();
    event.up();
    assert_eq!(event.says(1, "tool", "cat /open/word"), "open sesame");
    let host = event
        .inspect(&event.container(1, "tool"))
        .await
        .host_config
        .unwrap();
    assert!(host.cap_add.unwrap().contains(&"SYS_PTRACE".to_owned()));
    let security = host.security_opt.unwrap();
    assert!(
        security.iter().any(|option| option.contains("unconfined")),
        "{security:?}"
    );
    // What stays shut is shut whatever the file says.
    event.describe(1, "isolation:\n  bind_mounts: [/]\n");
    event.stack(&stack(tries[6]));
    event.run(&["up"]).exits(2);
    event.describe(1, "");
    event.stack(&stack(""));
    event.down().await;
}

#[tokio::test]
async fn without_internet_a_seats_network_is_internal_and_its_services_still_answer() {
    let event = Event::new("inside", 1, STACK).await;
    event.up();
    assert_eq!(event.networks().await[0].internal, Some(false));
    event.describe(1, "isolation: {internet: false}");
    event.up();
    assert_eq!(event.networks().await[0].internal, Some(true));
    let own = vec!["postgres:5432".to_owned(), "redis:6379".to_owned()];
    assert_eq!(reached(&event, 1, &own), own);
    event.down().await;
}
