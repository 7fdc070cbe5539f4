//! What ends a task when its time is over, run by a real shell and a real curl, as in the container.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::template;

const PAST: &str = "2001-02-03T04:05:06Z";
const FAR: &str = "2999-12-31T23:59:59Z";

const TASK: &str = "arn:aws-cn:ecs:cn-north-1:111122223333:task/seatbox-lab/158d1c8083dd49d6b5";
const REGION: &str = "cn-north-1";
const ID: &str = "ASIAEXAMPLE";
/// With the letters that are none of a name's.
const SECRET: &str = "wJalr/XUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjE+/x9w==";
const CREDENTIALS: &str = "/v2/credentials/6c5a2b1e";

/// A request as it came.
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).ok()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut request = Self {
            method,
            path,
            headers,
            body: String::new(),
        };
        let length = request.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        let mut those = self.headers.iter().filter(|(other, _)| other == name);
        those.next().map_or("", |(_, value)| value)
    }

    /// What AWS's own signer would write where this request has its signature.
    fn expected_authorization(&self) -> String {
        let date = DateTime::strptime("%Y%m%dT%H%M%SZ", self.header("x-amz-date")).unwrap();
        let date = date.to_zoned(TimeZone::UTC).unwrap();
        let identity = Credentials::new(ID, SECRET, Some(TOKEN.to_owned()), None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("ecs")
            .time(SystemTime::from(date.timestamp()))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        // Those that AWS's protocol asks for; the signer adds the host, the date and the token.
        let own = ["content-type", "x-amz-target"].map(|name| (name, self.header(name)));
        let signable = SignableRequest::new(
            &self.method,
            format!("http://{}{}", self.header("host"), self.path),
            own.into_iter(),
            SignableBody::Bytes(self.body.as_bytes()),
        );
        let (signed, _) = sign(signable.unwrap(), &params).unwrap().into_parts();
        let mut headers = signed.headers();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        found.unwrap().1.to_owned()
    }
}

/// Answers every request as `answer` says, or with an error where that says nothing.
fn server(answer: impl Fn(&Request) -> Option<String> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(request) = Request::read(&stream) else {
                continue;
            };
            let (status, body) = match answer(&request) {
                Some(body) => ("200 OK", body),
                None => ("400 Bad Request", String::new()),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

/// A task's metadata, as the developer guide's example for Fargate has them.
fn metadata() -> Value {
    json!({
        "Cluster": "arn:aws-cn:ecs:cn-north-1:111122223333:cluster/seatbox-lab",
        "TaskARN": TASK,
        "Family": "seatbox-lab",
        "Containers": [{
            "Name": "work",
            "CreatedAt": "2020-10-02T00:15:07.620912337Z",
            "ContainerARN": "arn:aws-cn:ecs:cn-north-1:111122223333:container/02d3f2e8",
        }],
        "LaunchType": "FARGATE",
    })
}

fn credentials() -> Value {
    json!({
        "RoleArn": "arn:aws-cn:iam::111122223333:role/seatbox/seatbox-lab-task",
        "AccessKeyId": ID,
        "SecretAccessKey": SECRET,
        "Token": TOKEN,
        "Expiration": FAR,
    })
}

/// What ECS says of a task with that tag.
fn tags(expires: &str) -> String {
    let tags = json!({"tags": [
        {"key": "dev.seatbox.environment", "value": "lab"},
        {"key": "dev.seatbox.expires", "value": expires},
        {"key": "other", "value": FAR},
    ]});
    tags.to_string()
}

/// All that a task asks: its metadata, its role's credentials, and ECS, which refuses what is not
/// signed as AWS would sign it. `answer` is what ECS says to its first, second, … question.
fn surroundings(
    answer: impl Fn(usize) -> Option<String> + Send + 'static,
) -> (SocketAddr, Receiver<Request>) {
    let (heard, looks) = mpsc::channel();
    let number = std::cell::Cell::new(0);
    let address = server(move |request| match &*request.path {
        "/v4/some-id/task" => Some(metadata().to_string()),
        CREDENTIALS if request.header("host") == "169.254.170.2" => Some(credentials().to_string()),
        "/" if request.header("authorization") == request.expected_authorization() => {
            let copy = Request {
                method: request.method.clone(),
                path: request.path.clone(),
                headers: request.headers.clone(),
                body: request.body.clone(),
            };
            let _ = heard.send(copy);
            answer(number.replace(number.get() + 1))
        }
        _ => None,
    });
    (address, looks)
}

/// The script, under way; ended with the test.
struct Running {
    child: Child,
    home: TempDir,
}

impl Running {
    /// Its programs are those of Debian that it names, and no others.
    fn new(expires: &str, around: SocketAddr) -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for name in ["sh", "sed", "tr", "date", "sleep", "curl"] {
            let program = ["/bin", "/usr/bin"]
                .map(|place| format!("{place}/{name}"))
                .into_iter()
                .find(|path| std::path::Path::new(path).exists())
                .expect("./test installs what is missing");
            std::os::unix::fs::symlink(program, at(name)).unwrap();
        }
        // The address of credentials is one that a container alone has.
        let way = format!("connect-to = \"169.254.170.2:80:{around}\"\n");
        std::fs::write(at(".curlrc"), way).unwrap();
        let child = Command::new(at("sh"))
            .args(["-c", &template::deadline_script()])
            .env_clear()
            .env("PATH", home.path())
            .env("HOME", home.path())
            .env("SEATBOX_EXPIRES", expires)
            .env("SEATBOX_REGION", REGION)
            .env("SEATBOX_ECS", format!("http://{around}"))
            .env("SEATBOX_DEADLINE_INTERVAL", "0.1")
            .env(
                "ECS_CONTAINER_METADATA_URI_V4",
                format!("http://{around}/v4/some-id"),
            )
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", CREDENTIALS)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, home }
    }

    /// Its exit code and what it said, once it has ended.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut output = self.child.stdout.take().unwrap();
        output.read_to_string(&mut said).unwrap();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    /// The same, once it was told to.
    fn stop(&mut self) -> (Option<i32>, String) {
        self.terminate();
        self.end()
    }

    /// The arguments and environments of its processes: others of the same user can read these.
    fn what_others_see(&self) -> String {
        let own = format!("HOME={}", self.home.path().display());
        let read = |process: &std::fs::DirEntry, file| {
            let content = std::fs::read(process.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&content).into_owned()
        };
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.map(|process| read(&process, "environ") + &read(&process, "cmdline"))
            .filter(|seen| seen.contains(&own))
            .collect()
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn terminate(&mut self) {
        if self.is_running() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed, it could not end what it has begun.
        self.terminate();
        let _ = self.child.wait();
    }
}

fn wait<T>(sent: &Receiver<T>) -> T {
    let sent = sent.recv_timeout(Duration::from_secs(20));
    sent.expect("it asks")
}

#[test]
fn a_task_whose_time_is_over_ends() {
    let (around, _looks) = surroundings(|_| Some(tags(PAST)));
    let (code, said) = Running::new(PAST, around).end();
    assert_eq!(code, Some(0), "{said}");
    let expected = [
        "seatbox-deadline: the seat ends at 2001-02-03T04:05:06Z",
        "seatbox-deadline: the seat's time is over",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn it_asks_ecs_for_the_tags_of_its_task_and_signs_that_as_aws_itself_would() {
    let (around, looks) = surroundings(|_| Some(tags(FAR)));
    let _running = Running::new(PAST, around);
    let request = wait(&looks);
    assert_eq!(request.method, "POST");
    for (header, expected) in [
        ("content-type", "application/x-amz-json-1.1"),
        (
            "x-amz-target",
            "AmazonEC2ContainerServiceV20141113.ListTagsForResource",
        ),
        ("x-amz-security-token", TOKEN),
    ] {
        assert_eq!(request.header(header), expected);
    }
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({"resourceArn": TASK}));
    let signature = request.header("authorization");
    assert_eq!(signature, request.expected_authorization());
    assert!(signature.contains(";x-amz-security-token;"), "{signature}");
}

#[test]
fn a_task_whose_tag_says_later_goes_on_until_the_tag_says_no_more() {
    let (around, looks) = surroundings(|_| Some(tags(FAR)));
    let mut running = Running::new(PAST, around);
    // It looks again and again, and so has not ended after the first look.
    for _ in 0..3 {
        wait(&looks);
    }
    assert!(running.is_running());
    let (_, said) = running.stop();
    assert!(said.contains(&format!("the seat ends at {FAR}")), "{said}");
}

#[test]
fn a_tag_is_read_however_its_json_is_written() {
    let turned = format!(r#"{{"tags":[{{"value":"{FAR}","key":"dev.seatbox.expires"}}]}}"#);
    let whole: Value = serde_json::from_str(&tags(FAR)).unwrap();
    for answer in [turned, serde_json::to_string_pretty(&whole).unwrap()] {
        let (around, looks) = surroundings(move |_| Some(answer.clone()));
        let mut running = Running::new(PAST, around);
        wait(&looks);
        wait(&looks);
        assert!(running.is_running());
    }
}

#[test]
fn an_earlier_tag_does_not_take_time_away() {
    let (around, looks) = surroundings(|_| Some(tags(PAST)));
    let mut running = Running::new(FAR, around);
    for _ in 0..3 {
        wait(&looks);
    }
    assert!(running.is_running());
}

#[test]
fn what_was_known_before_holds_while_the_tag_can_not_be_read_and_that_is_said_once() {
    // Without tags, without sense, and an error.
    let answers = [Some(r#"{"tags": []}"#.to_owned()), Some(tags("soon")), None];
    let (around, looks) = surroundings(move |number| answers[number.min(2)].clone());
    let mut running = Running::new(FAR, around);
    for _ in 0..4 {
        wait(&looks);
    }
    assert!(running.is_running());
    let (_, said) = running.stop();
    let trouble = "the task's tag does not tell its end: there is none; what is known holds";
    assert_eq!(said.matches(trouble).count(), 1, "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    let (around, looks) = surroundings(|_| Some(tags("soon")));
    let mut running = Running::new(FAR, around);
    wait(&looks);
    wait(&looks);
    let (_, said) = running.stop();
    assert!(said.contains("its end: it says soon; what"), "{said}");
    // A later tag that was read once holds as well.
    let (around, looks) = surroundings(|number| (number == 0).then(|| tags(FAR)));
    let mut running = Running::new(PAST, around);
    for _ in 0..4 {
        wait(&looks);
    }
    assert!(running.is_running());
}

#[test]
fn what_keeps_the_tag_from_being_read_is_said() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let no_credentials = server(|request| {
        let metadata = metadata().to_string();
        (request.path == "/v4/some-id/task").then_some(metadata)
    });
    let (refused, _looks) = surroundings(|_| None);
    for (around, trouble) in [
        (nobody, "its metadata do not name it"),
        (server(|_| None), "its metadata do not name it"),
        (no_credentials, "it has no credentials"),
        (
            refused,
            "ECS refuses, or does not answer (curl's code is 22)",
        ),
    ] {
        let (code, said) = Running::new(PAST, around).end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(trouble), "{trouble}: {said}");
    }
}

#[test]
fn a_task_that_does_not_know_its_end_ends_at_once() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    for expires in ["", "tomorrow", "2999-12-31", "2999-12-31T23:59:59+08:00"] {
        let (code, said) = Running::new(expires, nobody).end();
        assert_eq!(code, Some(64), "{expires}: {said}");
        assert!(said.contains("SEATBOX_EXPIRES is not a moment"), "{said}");
    }
}

#[test]
fn it_stops_while_it_waits_for_an_answer_and_its_credentials_are_in_no_argument() {
    let (_answer, never) = mpsc::channel::<()>();
    let (around, looks) = surroundings(move |_| {
        let _ = never.recv();
        None
    });
    let mut running = Running::new(FAR, around);
    wait(&looks);
    let seen = running.what_others_see();
    assert!(seen.contains("aws:amz:cn-north-1:ecs"), "{seen}");
    assert!(!seen.contains(SECRET) && !seen.contains(TOKEN), "{seen}");
    let (code, said) = running.stop();
    assert_eq!(code, Some(143), "{said}");
    assert!(!said.contains(SECRET) && !said.contains(TOKEN), "{said}");
}
