//! Lines of services in tasks.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lab::{alike, lab, tasks};
use crate::aws::ec2::lab::Lab;
use crate::support::desk::Ran;

/// The most events of one PutLogEvents call (Amazon CloudWatch Logs API reference).
const MOST_PUT: usize = 10_000;

/// What a container of a seat writes, as ECS's driver would bring it.
struct Writer<'a> {
    lab: &'a Lab,
    stream: String,
}

impl<'a> Writer<'a> {
    fn of(lab: &'a Lab, seat: u32, container: &str) -> Self {
        let task = tasks(lab)[&seat].clone();
        Self::of_task(lab, &task, container)
    }

    fn of_task(lab: &'a Lab, task: &str, container: &str) -> Self {
        let id = task.rsplit('/').next().unwrap();
        let stream = format!("seat/{container}/{id}");
        let writer = Self { lab, stream };
        writer.call("CreateLogStream", json!({}));
        writer
    }

    fn call(&self, action: &str, mut parameters: Value) {
        parameters["logGroupName"] = format!("/seatbox/{}", self.lab.name).into();
        parameters["logStreamName"] = self.stream.as_str().into();
        self.lab.emulator.client().json("logs", action, &parameters);
    }

    /// Writes lines, a millisecond apart from that moment on.
    fn write(&self, begin: Timestamp, lines: &[impl AsRef<str>]) {
        let begin = begin.as_millisecond();
        for (part, lines) in lines.chunks(MOST_PUT).enumerate() {
            let at = |index: usize| begin + i64::try_from(part * MOST_PUT + index).unwrap();
            let event = |(index, line): (usize, &_)| -> Value {
                let line: &dyn AsRef<str> = line;
                json!({"timestamp": at(index), "message": line.as_ref()})
            };
            let events: Vec<Value> = lines
                .iter()
                .enumerate()
                .map(|(index, line)| event((index, &line.as_ref())))
                .collect();
            self.call("PutLogEvents", json!({"logEvents": events}));
        }
    }
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

fn lines(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().collect()
}

#[test]
fn lines_of_all_services_are_read_to_their_end_and_narrowed_down() {
    let lab = lab("logs", 2);
    lab.up();
    let (begin, later) = (ago(30), ago(5));
    let many: Vec<String> = (0..MOST_PUT + 50).map(|n| format!("line {n}")).collect();
    Writer::of(&lab, 1, "work").write(begin, &many);
    let redis = Writer::of(&lab, 1, "redis");
    redis.write(begin, &["loading", "数据 ready"]);
    redis.write(later, &["saved"]);
    // Neither a service's nor ours.
    Writer::of(&lab, 1, "seatbox-deadline").write(begin, &["the seat ends"]);
    // Seat 2 has one container that has not begun, so that there is no stream of it.
    Writer::of(&lab, 2, "redis").write(begin, &["loading"]);
    let all = lab.run(&["logs"]).exits(0);
    let redis = [
        "01 redis | loading",
        "01 redis | 数据 ready",
        "01 redis | saved",
    ];
    assert_eq!(lines(&all)[..3], redis);
    assert_eq!(lines(&all)[3], "01 work  | line 0");
    assert_eq!(lines(&all).len(), 3 + many.len() + 1);
    assert_eq!(lines(&all)[2 + many.len()], "01 work  | line 10049");
    assert_eq!(lines(&all)[3 + many.len()], "02 redis | loading");
    let last = lab.run(&["logs", "--tail", "2", "--seats", "1"]).exits(0);
    let expected = [
        "01 redis | 数据 ready",
        "01 redis | saved",
        "01 work  | line 10048",
        "01 work  | line 10049",
    ];
    assert_eq!(lines(&last), expected);
    // More than one call gives.
    let tail = (MOST_PUT + 10).to_string();
    let last = lab
        .run(&["logs", "--tail", &tail, "--service", "work"])
        .exits(0);
    assert_eq!(lines(&last)[0], "01 work | line 40");
    assert_eq!(lines(&last).len(), MOST_PUT + 10);
    let recent = lab
        .run(&["logs", "--since", "10m", "--timestamps"])
        .exits(0);
    let moment = Timestamp::from_millisecond(later.as_millisecond()).unwrap();
    assert_eq!(lines(&recent), [format!("01 redis | {moment:.3} saved")]);
    lab.down();
}

#[test]
fn lines_of_a_task_that_is_over_are_there_until_the_seat_goes() {
    let lab = alike("logs-over", 1);
    lab.up();
    let first = tasks(&lab)[&1].clone();
    Writer::of(&lab, 1, "work").write(ago(1), &["no space left"]);
    let cluster = format!("seatbox-{}", lab.name);
    let client = lab.proxy.client();
    client.json(
        "ecs",
        "StopTask",
        &json!({"cluster": cluster, "task": first}),
    );
    let ran = lab.run(&["logs"]).exits(0);
    assert_eq!(lines(&ran), ["01 work | no space left"]);
    lab.down();
    lab.run(&["logs"])
        .says(&["none of these seats has a container"]);
}

/// `seatbox logs --follow`, while it runs.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn begin(lab: &Lab, more: &[&str]) -> Self {
        let mut command = lab.command(&["logs", "--follow"]);
        let mut child = command.args(more).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Option<String> {
        self.lines.next().map(Result::unwrap)
    }

    /// So many lines, in the order of the alphabet: different streams have none.
    fn some(&mut self, count: usize) -> Vec<String> {
        let mut lines: Vec<String> = (0..count).map(|_| self.next().unwrap()).collect();
        lines.sort();
        lines
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_to_come_are_written_once_until_the_tasks_are_over() {
    let lab = alike("logs-follow", 2);
    lab.up();
    let one = Writer::of(&lab, 1, "work");
    one.write(ago(3), &["earlier", "latest"]);
    lab.proxy.counts().reset();
    let mut all = Following::begin(&lab, &[]);
    assert_eq!(all.next().unwrap(), "01 work | earlier");
    assert_eq!(all.next().unwrap(), "01 work | latest");
    let mut last = Following::begin(&lab, &["--tail", "1"]);
    assert_eq!(last.next().unwrap(), "01 work | latest");
    // A container that begins, and what arrives later than another's newer line.
    let two = Writer::of(&lab, 2, "work");
    two.write(Timestamp::now(), &["begins"]);
    for following in [&mut all, &mut last] {
        assert_eq!(following.next().unwrap(), "02 work | begins");
    }
    one.write(
        Timestamp::now() - SignedDuration::from_secs(20),
        &["late", "later"],
    );
    two.write(Timestamp::now(), &["goes on"]);
    for following in [&mut all, &mut last] {
        let expected = ["01 work | late", "01 work | later", "02 work | goes on"];
        assert_eq!(following.some(3), expected);
    }
    // All streams at once, and never one by one.
    assert_eq!(lab.proxy.counts().of("GetLogEvents").total(), 0);
    lab.down();
    for following in [&mut all, &mut last] {
        assert_eq!(following.next(), None);
        assert!(following.child.wait().unwrap().success());
    }
}
