//! Passwords are where they are needed and nowhere else.

use std::collections::BTreeSet;

use super::event::Event;

/// Every password in a seat's environment variables, whatever they are called.
fn passwords(event: &Event, seat: u32) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for service in ["workspace", "redis", "postgres"] {
        let script = "env | grep -E '^(PGPASSWORD|POSTGRES_PASSWORD|REDIS_PASSWORD|REDISCLI_AUTH)=' | cut -d= -f2";
        found.extend(event.says(seat, service, script).lines().map(str::to_owned));
    }
    let in_url = event.says(
        seat,
        "workspace",
        r#"echo "$REDIS_URL" | sed 's,.*:\([^:@]*\)@.*,\1,'"#,
    );
    found.insert(in_url);
    found
}

#[tokio::test]
async fn no_password_is_in_a_name_a_label_an_argument_or_a_line_of_output() {
    let event = Event::shipped("secrets", 2).await;
    let mut outputs = Vec::new();
    let mut note = |arguments: &[&str]| {
        let ran = event.run(arguments);
        outputs.push((arguments.join(" "), ran.all()));
    };
    for arguments in [
        &["config"] as &[&str],
        &["config", "--output", "json"],
        &["plan"],
        &["plan", "--output", "json"],
        &["images"],
        &[
            "up",
            "--seats",
            "1",
            "--log-format",
            "json",
            "--output",
            "json",
        ],
        &["up", "--log-format", "plain"],
        &["up", "--output", "json"],
        &["status"],
        &["status", "--output", "json"],
        &["logs"],
    ] {
        note(arguments);
    }
    let of = [passwords(&event, 1), passwords(&event, 2)];
    assert!(of[0].len() >= 2, "PostgreSQL and Redis share a password");
    assert!(of[0].is_disjoint(&of[1]), "two seats share a password");
    let mut seen: Vec<(String, String)> = Vec::new();
    for network in event.networks().await {
        seen.push(("a network".to_owned(), format!("{network:?}")));
    }
    for volume in event.volumes().await {
        seen.push(("a volume".to_owned(), format!("{volume:?}")));
    }
    for name in event.containers().await.into_keys() {
        let container = event.inspect(&name).await;
        let config = container.config.unwrap();
        let public = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            container.name,
            container.path,
            container.args,
            config.cmd,
            config.entrypoint,
            config.labels,
            config.healthcheck
        );
        seen.push((name.clone(), public));
        let top = event.docker.top_processes(&name, None).await.unwrap();
        seen.push((
            format!("processes of {name}"),
            format!("{:?}", top.processes),
        ));
    }
    for seat in [1, 2] {
        for service in ["workspace", "redis", "postgres"] {
            let script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
            let arguments = event.says(seat, service, script);
            seen.push((format!("arguments in {service} of {seat}"), arguments));
        }
    }
    for arguments in [
        &[
            "reset",
            "--seat",
            "1",
            "--log-format",
            "json",
            "--output",
            "json",
        ] as &[&str],
        &["reset", "--seat", "1", "--dry-run", "--output", "json"],
    ] {
        note(arguments);
    }
    assert_eq!(passwords(&event, 1), of[0], "a reset changed passwords");
    for arguments in [
        &["down", "--dry-run"] as &[&str],
        &["down", "--log-format", "json", "--output", "json"],
    ] {
        note(arguments);
    }
    for (what, text) in outputs.iter().chain(&seen) {
        for password in of.iter().flatten() {
            assert!(!password.is_empty());
            assert!(
                !text.contains(password.as_str()),
                "a password is in {what}: {text}"
            );
        }
    }
    event.assert_nothing_left().await;
}
