//! Calls made by hand, in the two forms that AWS's older and younger interfaces take: what a test
//! does itself, or looks up, and what no SDK would ever send.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::xml;

/// Where tests put their seats.
pub const REGION: &str = "eu-central-1";

const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who calls AWS.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    /// Whose call it is; all but the signature is as in a real one.
    pub access_key: String,
    pub region: String,
    /// What the caller takes for the time, if not what it is.
    pub clock: Option<Timestamp>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn to(address: SocketAddr) -> Self {
        Self {
            address,
            access_key: "test".to_owned(),
            region: REGION.to_owned(),
            clock: None,
        }
    }

    /// A call in the form of EC2, which must work.
    pub fn ec2(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.try_query("ec2", action, parameters)
            .expect("an answer arrives")
            .worked()
    }

    /// A call in the form of IAM, which must work.
    pub fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.try_query("iam", action, parameters)
            .expect("an answer arrives")
            .worked()
    }

    /// A call in the form of ECS, which must work, and what it answers.
    pub fn json(&self, service: &str, action: &str, parameters: &Value) -> Value {
        let reply = self.try_json(service, action, parameters);
        reply.expect("an answer arrives").worked().json()
    }

    /// A call in the form of EC2, IAM and STS, and whatever comes of it.
    pub fn try_query(
        &self,
        service: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> io::Result<Reply> {
        let version = match service {
            "ec2" => "2016-11-15",
            "iam" => "2010-05-08",
            _ => "2011-06-15",
        };
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let form = (
            "Content-Type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        self.call(service, &[form], &body)
    }

    /// A call in the form of ECS, SSM, CloudWatch Logs and others, and whatever comes of it.
    pub fn try_json(&self, service: &str, action: &str, parameters: &Value) -> io::Result<Reply> {
        let target = target(service, action);
        let headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", &target),
        ];
        self.call(service, &headers, &parameters.to_string())
    }

    fn call(&self, service: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Reply> {
        let now = self.clock.unwrap_or_else(Timestamp::now);
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/{}/{service}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=none",
            self.access_key,
            &date[..8],
            self.region,
        );
        let mut all = vec![("X-Amz-Date", &*date), ("Authorization", &authorization)];
        all.extend_from_slice(headers);
        exchange(self.address, "/", &all, body)
    }
}

impl Reply {
    /// This one, if the call worked.
    pub fn worked(self) -> Self {
        assert!(self.status < 300, "a call failed: {self:?}");
        self
    }

    /// What it answers; calls that have nothing to say answer nothing.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The texts of all elements of that name.
    pub fn texts(&self, name: &str) -> Vec<String> {
        xml::texts(&self.body, name)
    }

    /// The text of the first element of that name.
    pub fn text(&self, name: &str) -> String {
        let first = self.texts(name).into_iter().next();
        first.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The error's code, in whichever form it comes; empty if it is no error.
    pub fn code(&self) -> String {
        if self.body.starts_with('{') {
            let kind = self.json()["__type"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            return kind.rsplit('#').next().unwrap_or_default().to_owned();
        }
        self.texts("Code").into_iter().next().unwrap_or_default()
    }
}

/// What names the action of a call in JSON.
pub(super) fn target(service: &str, action: &str) -> String {
    let interface = match service {
        "ecs" => "AmazonEC2ContainerServiceV20141113",
        "ssm" => "AmazonSSM",
        "logs" => "Logs_20140328",
        "tagging" => "ResourceGroupsTaggingAPI_20170126",
        "servicequotas" => "ServiceQuotasV20190624",
        "ecr" => "AmazonEC2ContainerRegistry_V20150921",
        "events" => "AWSEvents",
        "secretsmanager" => "secretsmanager",
        other => panic!("no test knows the service {other}"),
    };
    format!("{interface}.{action}")
}

/// One POST over a connection of its own.
pub fn exchange(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len(),
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    connection.write_all(request.as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let lost = || {
        io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("no answer: {answer:?}"),
        )
    };
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(lost)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(Reply {
        status: status.ok_or_else(lost)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
