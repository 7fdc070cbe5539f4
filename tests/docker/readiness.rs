//! Ready means that it answers; whoever does not is named, with the reason.

use super::event::{Event, failures};

fn service(name: &str, script: &str, more: &str) -> String {
    let script = script.replace('$', "$$");
    format!(
        "  {name}:\n    image: seatbox.local/redis:7\n    entrypoint: []\n    init: true\n    \
         environment: {{SEAT: \"${{SEATBOX_SEAT}}\"}}\n    command: [sh, -c, '{script}']\n{more}"
    )
}

const IDLE: &str = "exec sleep infinity";

/// The single failure of seat 2, where seats 1 and 3 are ready.
#[track_caller]
fn failure_of_the_second(report: &serde_json::Value) -> String {
    let failures = failures(report);
    assert_eq!(
        failures.keys().copied().collect::<Vec<_>>(),
        [2],
        "{report:#}"
    );
    for seat in [0, 2] {
        assert_eq!(report["seats"][seat]["state"], "ready", "{report:#}");
    }
    failures[&2].clone()
}

#[tokio::test]
async fn a_container_that_ends_at_once_is_named_with_its_code_and_its_last_words() {
    let script =
        "[ $SEAT != 2 ] || { echo no tables, no chairs >&2; exit 7; }; exec sleep infinity";
    for check in ["", "    healthcheck: {test: \"true\", interval: 30s}\n"] {
        let stack = format!(
            "services:\n{}{}",
            service("steady", IDLE, ""),
            service("brief", script, check)
        );
        let event = Event::new("ends", 3, &stack).await;
        let report = event.run(&["up", "--output", "json"]).exits(3).json();
        let why = failure_of_the_second(&report);
        assert!(
            why.contains("exit code 7") && why.contains("no tables, no chairs"),
            "{why}"
        );
        assert!(why.contains(&event.container(2, "brief")), "{why}");
        event.down().await;
    }
}

#[tokio::test]
async fn what_must_have_ended_before_has_ended_before() {
    let stack = format!(
        "services:\n{}{}{}",
        service(
            "work",
            "cp /data/word /word && exec sleep infinity",
            "    volumes: [\"data:/data\"]\n    depends_on:\n      seed: {condition: service_completed_successfully}\n      beacon: {condition: service_healthy}\n"
        ),
        service(
            "seed",
            "sleep 1; echo sown > /data/word",
            "    volumes: [\"data:/data\"]\n"
        ),
        service(
            "beacon",
            "sleep 1; touch /lit; exec sleep infinity",
            "    healthcheck: {test: \"test -e /lit\", interval: 30s}\n"
        ),
    ) + "volumes: {data: {}}\n";
    let event = Event::new("order", 1, &stack).await;
    event.up();
    assert_eq!(event.says(1, "work", "cat /word"), "sown");
    let work = event
        .inspect(&event.container(1, "work"))
        .await
        .state
        .unwrap();
    let seed = event
        .inspect(&event.container(1, "seed"))
        .await
        .state
        .unwrap();
    let moment = |text: Option<String>| text.unwrap().parse::<jiff::Timestamp>().unwrap();
    let started = moment(work.started_at);
    assert!(moment(seed.finished_at) <= started);
    let lit = event
        .says(1, "beacon", "stat -c %Y /lit")
        .parse::<i64>()
        .unwrap();
    assert!(lit <= started.as_second());
    // A service that has done its work is not brought back for the sake of it.
    let before = event.containers().await;
    event.up();
    assert_eq!(event.containers().await, before);
    event.down().await;
}

#[tokio::test]
async fn what_waits_for_a_service_that_failed_is_not_started() {
    let stack = format!(
        "services:\n{}{}",
        service("seed", "echo the seed is bad; [ $SEAT != 2 ] || exit 5", ""),
        service(
            "work",
            IDLE,
            "    depends_on: {seed: {condition: service_completed_successfully}}\n"
        ),
    );
    let event = Event::new("waits", 3, &stack).await;
    let report = event.run(&["up", "--output", "json"]).exits(3).json();
    let why = failure_of_the_second(&report);
    assert!(
        why.contains("exit code 5") && why.contains("the seed is bad"),
        "{why}"
    );
    assert_eq!(event.seat(2).await["work"].state, "created");
    event.down().await;
}
