//! Answers, above all AWS's errors in the form that each service gives them.

use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Parameters};

/// What the caller gets.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An error as AWS has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// What else is in the answer of a service that speaks JSON.
    pub fields: Vec<(String, Value)>,
}

impl Refusal {
    /// The caller's fault, as most are.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// The same, with a field more where it is JSON.
    pub fn with_field(mut self, name: &str, value: Value) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    /// One with another status.
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            ..Self::new(code, message)
        }
    }

    /// The error in the form of the service that was called.
    pub fn answer(&self, call: &Call) -> Answer {
        let Self { code, message, .. } = self;
        let status = StatusCode::from_u16(self.status).expect("a status is one");
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
        let (kind, body) = match &call.parameters {
            Parameters::Form(_) if call.service == "ec2" => (
                "text/xml;charset=UTF-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
                     <Code>{code}</Code><Message>{escaped}</Message></Error></Errors>\
                     <RequestID>{REQUEST_ID}</RequestID></Response>"
                ),
            ),
            Parameters::Form(_) => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                     <Message>{escaped}</Message></Error>\
                     <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
                ),
            ),
            _ => {
                let mut body = json!({"__type": code, "message": message});
                for (name, value) in &self.fields {
                    body[name] = value.clone();
                }
                ("application/x-amz-json-1.1", body.to_string())
            }
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        headers.insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
        if !matches!(call.parameters, Parameters::Form(_)) {
            let code = HeaderValue::from_str(code).expect("a code is plain text");
            headers.insert("x-amzn-errortype", code);
        }
        Answer {
            status,
            headers,
            body: body.into(),
        }
    }
}

impl Answer {
    /// JSON that answers a call which worked.
    pub fn json(value: &Value) -> Self {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-amz-json-1.1");
        headers.insert("content-type", kind);
        Self {
            status: StatusCode::OK,
            headers,
            body: value.to_string().into(),
        }
    }

    /// Whether the call worked.
    pub fn worked(&self) -> bool {
        self.status.is_success()
    }

    /// Whether it says that there were too many calls, in one of AWS's many ways.
    pub fn is_throttle(&self) -> bool {
        let words = ["Throttl", "RequestLimitExceeded", "TooManyRequests"];
        !self.worked() && words.iter().any(|word| self.text().contains(word))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("answers are text")
    }
}

/// Real ones differ; nothing here depends on them.
const REQUEST_ID: &str = "5ea7b0c5-0000-4000-8000-000000000000";
