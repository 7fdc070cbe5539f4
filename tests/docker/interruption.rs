//! Whatever stops a run, the next one goes on from there.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::event::{Event, SMALL, states};
use crate::support::desk::{Desk, run};

/// Starts `up`, and waits until that many actions are done.
fn up_until(event: &Event, actions: usize) -> (Child, Lines<BufReader<ChildStderr>>) {
    event.desk.write("tmp/.keep", "");
    let mut up = event
        .command(&["up", "--log-format", "json"])
        .env("TMPDIR", event.desk.path("tmp"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let seen = lines
        .by_ref()
        .map(Result::unwrap)
        .filter(|line| line.contains("\"action-finished\""))
        .take(actions)
        .count();
    assert_eq!(seen, actions, "it was over before it could be stopped");
    (up, lines)
}

#[tokio::test]
async fn ctrl_c_lets_what_is_under_way_end_and_begins_nothing_new() {
    let event = Event::new("ctrl-c", 12, SMALL).await;
    for signal in [Signal::INT, Signal::TERM] {
        let (up, lines) = up_until(&event, 5);
        send(&up, signal);
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let output = up.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{rest:#?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains("Interrupted after") && said.contains("not finished"),
            "{said}"
        );
        assert!(
            rest.iter().any(|line| line.starts_with("interrupted")),
            "{rest:#?}"
        );
        // Five were done and some under way; of well over a hundred the others never began.
        let count = |event: &str| rest.iter().filter(|line| line.contains(event)).count();
        assert!(count("\"action-started\"") <= 30, "{rest:#?}");
        assert_eq!(count("\"action-failed\""), 0, "{rest:#?}");
        let all = event.everything().await.len();
        assert!(all < 12 * 5, "all of it was made");
        let finished: serde_json::Value = serde_json::from_str(rest.last().unwrap()).unwrap();
        assert_eq!(finished["event"], "finished");
        assert_eq!(finished["interrupted"], true);
    }
    assert_eq!(states(&event.up()), ["ready"]);
    assert_eq!(event.containers().await.len(), 24);
    event.down().await;
}

/// How much lies where temporary files go.
fn unpacked(event: &Event) -> usize {
    let directory = std::fs::read_dir(event.desk.path("tmp")).unwrap();
    directory.count() - 1
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test]
async fn whatever_is_done_with_a_bundle_leaves_none_of_its_files_after_ctrl_c() {
    let event = Event::new("unpacked", 6, SMALL).await;
    event.describe(6, "workspace: {files: labs}");
    event.desk.write("labs/secret", "secret");
    let (path, _) = event.save("unpacked.seatbox");
    let event = event.in_bundle(path);
    // The second time it does not wait for what is under way.
    let (up, mut lines) = up_until(&event, 5);
    assert_eq!(unpacked(&event), 1, "nothing is unpacked");
    send(&up, Signal::INT);
    let told = lines.find(|line| line.as_ref().unwrap().starts_with("interrupted"));
    assert!(told.is_some());
    send(&up, Signal::INT);
    assert_eq!(up.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(unpacked(&event), 0);
    event.up();
    for verb in [
        &["logs", "--follow", "--seats", "1"][..],
        &["status", "--watch"],
        &["exec", "--seat", "1", "--", "sh", "-c", "echo; sleep 60"],
    ] {
        let mut child = event
            .command(verb)
            .env("TMPDIR", event.desk.path("tmp"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        // Not even while it goes on: nothing is made of them.
        assert_eq!(unpacked(&event), 0, "{verb:?}");
        send(&child, Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{verb:?}");
        assert_eq!(unpacked(&event), 0, "{verb:?}");
    }
    event.down().await;
}

#[tokio::test]
async fn another_machine_needs_the_key_before_it_changes_a_seat() {
    let event = Event::new("key", 1, SMALL).await;
    event.up();
    let before = event.containers().await;
    let elsewhere = Desk::new();
    for file in ["seatbox.yaml", "stack.yaml"] {
        elsewhere.write(file, std::fs::read(event.desk.path(file)).unwrap());
    }
    // Both know the seats by their labels.
    let status = run(elsewhere.seatbox().args(["status"]));
    assert!(!status.stdout.contains("absent"), "{status}");
    run(elsewhere.seatbox().args(["up"]))
        .exits(2)
        .says(&["event key", "seatbox key import"]);
    assert_eq!(event.containers().await, before);
    let key = event
        .desk
        .seatbox()
        .args(["key", "export"])
        .output()
        .unwrap();
    let file = elsewhere.write("key", key.stdout);
    let mut import = elsewhere.seatbox();
    import
        .args(["key", "import"])
        .stdin(std::fs::File::open(file).unwrap());
    run(&mut import).exits(0);
    run(elsewhere.seatbox().args(["up"]))
        .exits(0)
        .says(&["Nothing to change"]);
    assert_eq!(event.containers().await, before);
    event.down().await;
}
