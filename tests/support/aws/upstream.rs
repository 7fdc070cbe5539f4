//! The emulator as the proxy sees it.

use std::net::SocketAddr;

use http::{HeaderMap, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::answer::Answer;
use super::call::Call;

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
}

impl Upstream {
    pub(super) fn at(address: SocketAddr) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { address, http }
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
        let response = self
            .http
            .request(request)
            .await
            .expect("the emulator answers");
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .expect("the emulator answers to the end");
        Answer {
            status: head.status,
            headers: without_connection(head.headers),
            body: body.to_bytes(),
        }
    }
}

fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}
