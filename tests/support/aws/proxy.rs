//! A proxy between a program and the emulator of AWS. It knows which API action each call is, counts
//! the calls, and does to them what its settings say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::call::Call;
use super::client::Client;
use super::counts::{Counts, Outcome};
use super::emulator::Emulator;
use super::rules::Rules;
use super::settings::Settings;
use super::upstream::Upstream;

/// A proxy, gone when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all calls have in common.
struct Shared {
    counts: Counts,
    rules: Rules,
}

/// The connection ended without an answer.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

impl Proxy {
    /// One before that emulator that passes everything on.
    pub fn before(emulator: &Emulator) -> Self {
        let rules = Rules::before(Upstream::at(emulator.address()));
        let shared = Arc::new(Shared {
            counts: Counts::default(),
            rules,
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        // A thread of its own: tests wait for programs without letting anything else go on.
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime can be made");
                runtime.block_on(async {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                    let listener = listener.expect("a port is free");
                    let address = listener.local_addr().expect("it is bound");
                    ready.send(address).expect("somebody waits for it");
                    tokio::select! {
                        () = serve(listener, shared) => {}
                        _ = stopped => {}
                    }
                });
            }
        });
        Self {
            address: is_ready.recv().expect("the proxy starts"),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What `AWS_ENDPOINT_URL` is to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One to call AWS with, through the proxy.
    pub fn client(&self) -> Client {
        Client::to(self.address)
    }

    /// What became of the calls.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// Changes what it does, from the next call on, or looks at what it did.
    pub fn set<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> T {
        self.shared.rules.with(change)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.expect("the port is there");
        let shared = Arc::clone(&shared);
        // Whoever hangs up has ended the connection.
        tokio::spawn(async move {
            let _ = connection(client, shared).await;
        });
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) -> hyper::Result<()> {
    client.set_nodelay(true).ok();
    let service = service_fn(move |request| respond(request, Arc::clone(&shared)));
    http1::Builder::new()
        .serve_connection(TokioIo::new(client), service)
        .await
}

async fn respond(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let call = Arc::new(Call::read(head.method, head.uri, head.headers, body));
    let number = shared.counts.arrives(Arc::clone(&call));
    // What has arrived is done, even if nobody waits for the answer any more.
    let done = tokio::spawn(async move {
        let answer = shared.rules.handle(&call).await;
        let outcome = answer.as_ref().map_or(Outcome::Lost, |answer| {
            if answer.worked() {
                Outcome::Answered
            } else if answer.is_throttle() {
                Outcome::Throttled
            } else {
                Outcome::Failed
            }
        });
        shared.counts.ends(number, &call, outcome);
        answer
    });
    let answer = done.await.expect("no call panics").ok_or(Lost)?;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
