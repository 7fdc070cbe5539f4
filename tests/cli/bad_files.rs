//! Files that are not what they should be: exit 2, soon, with the place and a hint, and nothing
//! touched.

use std::time::{Duration, Instant};

use crate::support::desk::{Desk, Ran};

/// How long a bad file may take, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "stack.yaml",
        "services: {a: {image: busybox, ports: ['80']}}\n",
    );
    desk
}

/// What `up` says to the file that is there.
#[track_caller]
fn refused(desk: &Desk) -> Ran {
    let begun = Instant::now();
    // 256 MiB of address space beyond what it has at its begin would be far too much for a file.
    let ran = desk.run(&["up"]).exits(2);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(
        !desk.path("state").exists(),
        "a key was made for a bad file"
    );
    assert_eq!(ran.stdout, "", "{ran}");
    ran
}

#[track_caller]
fn says(content: impl AsRef<[u8]>, pieces: &[&str]) {
    let desk = desk();
    desk.write("seatbox.yaml", content);
    refused(&desk).says(pieces);
}

fn with(more: &str) -> String {
    format!("version: 1\nname: go-lab\nstack: stack.yaml\n{more}\n")
}

#[test]
fn the_file_that_the_bad_ones_begin_with_is_good() {
    let desk = desk();
    desk.write("seatbox.yaml", with(""));
    desk.run(&["config"]).exits(0);
}

#[test]
fn a_key_that_is_there_twice_is_shown_at_both_places() {
    says(with("name: other"), &["seatbox.yaml:4:1", "name", "line 2"]);
    says(
        with("seats: {count: 1, count: 2}"),
        &["seatbox.yaml:4:19", "count", "line 4"],
    );
}

#[test]
fn a_misspelt_field_has_the_right_one_as_a_hint() {
    says(
        with("seats: {cuont: 2}"),
        &["seatbox.yaml:4:9", "did you mean `count`?"],
    );
}

#[test]
fn names_that_are_no_dns_labels_are_refused() {
    let long = "a".repeat(41);
    for name in [
        "Go-Lab",
        "go_lab",
        "-go",
        "go-",
        "go lab",
        "广州",
        long.as_str(),
    ] {
        says(
            format!("version: 1\nname: '{name}'\nstack: stack.yaml\n"),
            &["seatbox.yaml:2:7", "is not a DNS label"],
        );
    }
    says(
        "version: 1\nname: ''\nstack: stack.yaml\n",
        &["seatbox.yaml:2:7"],
    );
}

#[test]
fn numbers_of_seats_that_no_event_has_are_refused() {
    for count in ["0", "100000", "-1", "1.5", "4294967296", "many"] {
        says(
            with(&format!("seats: {{count: {count}}}")),
            &["seatbox.yaml:4:16"],
        );
    }
    says(
        with("seats: {count: 9000, spares: 9000}"),
        &["seatbox.yaml:4:", "10000"],
    );
}

#[test]
fn ports_out_of_range_are_refused() {
    for first in ["0", "80", "65536", "-1", "99999"] {
        says(
            with(&format!("docker: {{ports: {{first: {first}}}}}")),
            &["seatbox.yaml:4:25"],
        );
    }
    says(
        with("docker: {ports: {first: 65000, per_seat: 10}}\nseats: {count: 100}"),
        &["seatbox.yaml:4:", "65535"],
    );
}

#[test]
fn an_end_in_the_past_is_refused_and_an_event_in_the_past_is_not() {
    says(
        with("lifetime: 2024-10-19T18:00:00+08:00"),
        &["seatbox.yaml:4:11", "past"],
    );
    says(with("lifetime: 0s"), &["seatbox.yaml:4:11"]);
    says(with("lifetime: soon"), &["seatbox.yaml:4:11"]);
    let desk = desk();
    desk.write(
        "seatbox.yaml",
        with("event: {starts: 2024-10-19T09:00, ends: 2024-10-19T17:00}"),
    );
    desk.run(&["config"]).exits(0);
}

#[test]
fn bombs_go_off_in_bounded_time() {
    let mut laughs = with("a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]");
    for (name, last) in ('b'..='z').zip('a'..='y') {
        let nine = vec![format!("*{last}"); 9].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{nine}]\n"));
    }
    says(&laughs, &["seatbox.yaml"]);
    let quadratic = format!(
        "a: &a '{}'\nb: [{}]\n",
        "x".repeat(10_000),
        vec!["*a"; 40_000].join(",")
    );
    says(with(&quadratic), &["seatbox.yaml"]);
    says("[".repeat(500_000), &["seatbox.yaml"]);
    says("{a: ".repeat(200_000), &["seatbox.yaml"]);
    says("a: &a {<<: *a}\n", &["seatbox.yaml"]);
}

#[test]
fn a_file_of_100_megabytes_is_not_read() {
    let desk = desk();
    let file = std::fs::File::create(desk.path("seatbox.yaml")).unwrap();
    file.set_len(100_000_000).unwrap();
    refused(&desk).says(&["seatbox.yaml", "larger than 1024 KiB"]);
}

#[test]
fn what_is_no_text_is_refused() {
    says(
        b"version: 1\nname: \xff\xfe\n",
        &["seatbox.yaml", "UTF-8", "line 2"],
    );
    says(b"\xff\xfev\0e\0r\0", &["seatbox.yaml"]);
    says([0u8; 100], &["seatbox.yaml"]);
    says("", &["the file is empty", "seatbox init"]);
    says("# nothing\n", &["the file is empty"]);
    says("- a list\n", &["seatbox.yaml:1:1", "mapping"]);
    says("just words", &["seatbox.yaml:1:1", "mapping"]);
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let desk = desk();
    refused(&desk).says(&["seatbox.yaml", "no such file"]);
    std::fs::create_dir(desk.path("seatbox.yaml")).unwrap();
    refused(&desk).says(&["expected a file, found a directory"]);
    std::fs::remove_dir(desk.path("seatbox.yaml")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, desk.path("seatbox.yaml"), mode).unwrap();
    refused(&desk).says(&["expected a file, found a named pipe"]);
    std::fs::remove_file(desk.path("seatbox.yaml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", desk.path("seatbox.yaml")).unwrap();
    refused(&desk).says(&["expected a file, found a device"]);
    // The same for the stack.
    std::fs::remove_file(desk.path("seatbox.yaml")).unwrap();
    desk.write("seatbox.yaml", with(""));
    std::fs::remove_file(desk.path("stack.yaml")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, desk.path("stack.yaml"), mode).unwrap();
    refused(&desk).says(&["a named pipe"]);
}

const MANY: &str = "version: 1\nname: My Event\nseats:\n  cuont: 23\n  group_size: twelve\nlifetime: 100d\n\
                    stack: missing.yaml\nprovider: dokcer\n";

#[test]
fn one_run_reports_all_errors_each_with_its_place_its_line_and_a_hint() {
    let desk = desk();
    desk.write("seatbox.yaml", MANY);
    let ran = refused(&desk).says(&[
        "seatbox.yaml:2:7",
        "seatbox.yaml:4:3",
        "did you mean `count`?",
        "seatbox.yaml:5:15",
        "seatbox.yaml:6:11",
        "seatbox.yaml:7:8",
        "seatbox.yaml:8:11",
        "did you mean `docker`?",
        // The snippets.
        "name: My Event",
        "cuont: 23",
    ]);
    assert!(!ran.stderr.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn programs_get_diagnostics_with_places_and_without_a_line_of_the_file() {
    let desk = desk();
    let secret = "hunter2-is-secret";
    desk.write("seatbox.yaml", format!("{MANY}password: {secret}\n"));
    let ran = desk.run(&["up", "--output", "json"]).exits(2);
    let document: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["error"]["exit_code"], 2);
    let diagnostics = document["error"]["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 7, "{document:#}");
    let places: Vec<(u64, u64)> = diagnostics
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().unwrap(),
                one["column"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [(2, 7), (4, 3), (5, 15), (6, 11), (7, 8), (8, 11), (9, 1)]
    );
    assert_eq!(diagnostics[1]["path"], "seats.cuont");
    assert!(
        diagnostics
            .iter()
            .all(|one| one["code"].as_str().unwrap().contains("::"))
    );
    assert!(
        !ran.all().contains(secret) && !ran.all().contains("cuont: 23"),
        "{ran}"
    );
}

#[test]
fn errors_of_the_stack_stand_beside_those_of_the_environment() {
    let desk = desk();
    desk.write("seatbox.yaml", with("seats: {cuont: 2}"));
    desk.write(
        "stack.yaml",
        "services:\n  a:\n    imgae: busybox\n    ports: ['99999']\n    privileged: true\n",
    );
    refused(&desk).says(&[
        "seatbox.yaml:4:9",
        "stack.yaml:3:5",
        "did you mean `image`?",
        "stack.yaml:4:",
        "stack.yaml:5:",
    ]);
}

#[test]
fn a_seat_that_the_environment_does_not_have_is_an_error_of_input() {
    let desk = desk();
    desk.write("seatbox.yaml", with("seats: {count: 3}"));
    for verb in ["plan", "up", "status", "reset", "logs"] {
        desk.run(&[verb, "--seats", "2-4"])
            .exits(2)
            .says(&["go-lab has no seat 4"]);
    }
    for verb in [
        &["exec", "--seat", "4", "--", "true"] as &[&str],
        &["shell", "--seat", "4"],
    ] {
        desk.run(verb).exits(2).says(&["go-lab has no seat 4"]);
    }
    for verb in [&["exec", "--", "true"] as &[&str], &["shell"], &["reset"]] {
        desk.run(verb).exits(2).says(&["which of the 3 seats?"]);
    }
    desk.run(&["logs", "-s", "b"])
        .exits(2)
        .says(&["no service b", "it has a"]);
    desk.run(&["exec", "--seat", "1", "-s", "b", "--", "true"])
        .exits(2)
        .says(&["it has a"]);
    assert!(
        !desk.path("state").exists(),
        "a key was made for a seat that is none"
    );
}
