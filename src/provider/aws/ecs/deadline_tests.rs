//! What ends a task when its time is over, run by BusyBox, as in the container.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::template;

const PAST: &str = "2001-02-03T04:05:06Z";
const FAR: &str = "2999-12-31T23:59:59Z";

/// ECS's metadata of a task with that tag, as the developer guide's example has it.
fn metadata(tag: &str) -> String {
    format!(
        r#"{{
    "Cluster": "default",
    "TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/default/158d1c8083dd49d6b527399fd6414f5c",
    "Containers": [{{"Name": "curl", "CreatedAt": "2020-10-02T00:15:07.620912337Z"}}],
    "TaskTags": {{"dev.seatbox.environment": "lab", "dev.seatbox.expires": "{tag}", "other": "{FAR}"}},
    "ContainerInstanceTags": {{}}
}}"#
    )
}

/// Answers every request with `body`, or as it says itself, and tells of each.
fn server(answer: impl Fn(usize) -> Option<String> + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            let reply = match answer(number) {
                Some(body) => format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                ),
                None => {
                    "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
                }
            };
            let _ = stream.write_all(reply.as_bytes());
            if heard.send(first).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/v4/some-id"), requests)
}

/// The script, under way; ended with the test.
struct Running {
    child: Child,
    _programs: Arc<tempfile::TempDir>,
}

impl Running {
    /// Its programs are BusyBox's and no others.
    fn new(expires: &str, metadata: &str) -> Self {
        let programs = tempfile::tempdir().unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .expect("busybox is installed, as ./test does");
        for name in ["sh", "sed", "wget", "date", "sleep", "timeout"] {
            std::os::unix::fs::symlink(busybox, programs.path().join(name)).unwrap();
        }
        let child = Command::new(programs.path().join("sh"))
            .args(["-c", &template::deadline_script()])
            .env_clear()
            .env("PATH", programs.path())
            .env("SEATBOX_EXPIRES", expires)
            .env("ECS_CONTAINER_METADATA_URI_V4", metadata)
            .env("SEATBOX_DEADLINE_INTERVAL", "0.1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            _programs: Arc::new(programs),
        }
    }

    /// Its exit code and what it said, once it has ended.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut output = self.child.stdout.take().unwrap();
        output.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(requests: &Receiver<String>) -> String {
    requests
        .recv_timeout(Duration::from_secs(20))
        .expect("it asks")
}

#[test]
fn a_task_whose_time_is_over_ends() {
    let (address, requests) = server(|_| Some(metadata(PAST)));
    let mut running = Running::new(PAST, &address);
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.ends_with("seatbox-deadline: the seat's time is over\n"),
        "{said}"
    );
    assert_eq!(wait(&requests), "GET /v4/some-id/taskWithTags HTTP/1.1");
}

#[test]
fn a_task_whose_tag_says_later_goes_on_until_the_tag_says_no_more() {
    let (address, requests) = server(|_| Some(metadata(FAR)));
    let mut running = Running::new(PAST, &address);
    // It looks again and again, and so has not ended after the first look.
    for _ in 0..3 {
        wait(&requests);
    }
    assert!(running.is_running());
}

#[test]
fn an_earlier_tag_does_not_take_time_away() {
    let (address, requests) = server(|_| Some(metadata(PAST)));
    let mut running = Running::new(FAR, &address);
    for _ in 0..3 {
        wait(&requests);
    }
    assert!(running.is_running());
}

#[test]
fn what_was_known_before_holds_while_the_tag_can_not_be_read() {
    // Without tags, without sense, an error, and nobody there at all.
    let answers = [
        Some("{\"TaskTags\": {}}".to_owned()),
        Some(metadata("soon")),
        None,
    ];
    let (address, requests) = server(move |number| answers[number.min(2)].clone());
    let mut running = Running::new(FAR, &address);
    for _ in 0..4 {
        wait(&requests);
    }
    assert!(running.is_running());
    for address in [&*address, "http://127.0.0.1:1/none", ""] {
        let (code, said) = Running::new(PAST, address).end();
        assert_eq!(code, Some(0), "{said}");
    }
    // A later tag that was read once holds as well.
    let (address, requests) = server(|number| (number == 0).then(|| metadata(FAR)));
    let mut running = Running::new(PAST, &address);
    for _ in 0..4 {
        wait(&requests);
    }
    assert!(running.is_running());
}

#[test]
fn a_task_that_does_not_know_its_end_ends_at_once() {
    for expires in ["", "tomorrow", "2999-12-31", "2999-12-31T23:59:59+08:00"] {
        let (code, said) = Running::new(expires, "").end();
        assert_eq!(code, Some(64), "{expires}: {said}");
        assert!(said.contains("SEATBOX_EXPIRES is not a moment"), "{said}");
    }
}

#[test]
fn it_stops_as_soon_as_it_is_told_to() {
    let (address, requests) = server(|_| Some(metadata(FAR)));
    let mut running = Running::new(FAR, &address);
    wait(&requests);
    let process = rustix::process::Pid::from_child(&running.child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert_eq!(running.end().0, Some(143));
}
