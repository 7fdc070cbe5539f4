//! The emulator as the proxy sees it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use http::{HeaderMap, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::{Call, Parameters};

/// What belongs to one connection, and not to a call or an answer.
const OF_A_CONNECTION: [header::HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::EXPECT,
];

/// Whom calls are passed on to.
pub(super) struct Upstream {
    address: SocketAddr,
    http: Client<HttpConnector, Full<Bytes>>,
    /// One call at a time: the emulator is no faster with several, and stumbles over lists that grow
    /// while it walks them.
    turn: tokio::sync::Mutex<()>,
    /// Task definitions by their full names; they never change.
    definitions: Mutex<HashMap<String, Value>>,
}

impl Upstream {
    pub(super) fn at(address: SocketAddr) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            address,
            http,
            turn: tokio::sync::Mutex::default(),
            definitions: Mutex::default(),
        }
    }

    /// Passes a call on, whatever of it was changed.
    pub(super) async fn forward(&self, call: &Call) -> Answer {
        let path = call.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("http://{}{path}", self.address);
        let uri: Uri = uri.parse().expect("an address and a path are one");
        let mut request = Request::new(Full::new(call.body()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = without_connection(call.headers.clone());
        let _turn = self.turn.lock().await;
        match self.http.request(request).await {
            Ok(response) => {
                let (head, body) = response.into_parts();
                match body.collect().await {
                    Ok(body) => Answer {
                        status: head.status,
                        headers: without_connection(head.headers),
                        body: body.to_bytes(),
                    },
                    Err(error) => gone(call, &error.to_string()),
                }
            }
            Err(error) => gone(call, &error.to_string()),
        }
    }

    /// A task definition, by its full name.
    pub(super) async fn definition(&self, like: &Call, arn: &str) -> Value {
        let known = self
            .definitions
            .lock()
            .expect("nobody panics")
            .get(arn)
            .cloned();
        if let Some(known) = known {
            return known;
        }
        let named = json!({"taskDefinition": arn});
        let described = self
            .ask_json(like, "ecs", "DescribeTaskDefinition", named)
            .await;
        self.remember(described["taskDefinition"].clone())
    }

    /// Takes down a task definition that was registered; after a reset, its name may be an old one.
    pub(super) fn learn_definition(&self, registered: &Answer) {
        let registered: Value = serde_json::from_slice(&registered.body).unwrap_or_default();
        self.remember(registered["taskDefinition"].clone());
    }

    fn remember(&self, definition: Value) -> Value {
        if let Some(arn) = definition["taskDefinitionArn"].as_str() {
            let mut definitions = self.definitions.lock().expect("nobody panics");
            definitions.insert(arn.to_owned(), definition.clone());
        }
        definition
    }

    /// A call of the proxy's own to EC2, in the account and the region of another one.
    pub(super) async fn ask_ec2(
        &self,
        like: &Call,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let head = [("Action", action), ("Version", "2016-11-15")];
        let pairs = head.iter().chain(parameters);
        let pairs = pairs.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let call = like.instead("ec2", action, Parameters::Form(pairs.collect()));
        self.forward(&call).await
    }

    /// The same, to a service that speaks JSON, and what it answers.
    pub(super) async fn ask_json(
        &self,
        like: &Call,
        service: &str,
        action: &str,
        parameters: Value,
    ) -> Value {
        let call = like.instead(service, action, Parameters::Json(parameters));
        let answer = self.forward(&call).await;
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

/// At the end of a test the emulator may go first.
fn gone(call: &Call, error: &str) -> Answer {
    Refusal::with_status(
        502,
        "BadGateway",
        format!("the emulator does not answer: {error}"),
    )
    .answer(call)
}

fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}
