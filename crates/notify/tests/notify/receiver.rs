//! A server of a player's own: takes deliveries, answers as it is told, keeps what it got.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use notify::Secret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) timestamp_s: i64,
    pub(crate) signatures: Vec<String>,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// What a receiver checks: that one of the signatures is made with its secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let secret = Secret::parse(secret).expect("a secret");
        self.signatures.contains(&secret.sign(&self.id, self.timestamp_s, &self.body))
    }
}

/// How the next request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), delay: Duration::ZERO }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Default)]
struct Shared {
    got: Mutex<Vec<Got>>,
    replies: Mutex<VecDeque<Reply>>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let shared = Arc::<Shared>::default();
        let app = Router::new().route("/hook", post(take)).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { url, shared, server }
    }

    /// Answers like this to the next requests, and 204 to those after them.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.replies.lock().expect("no panic").extend(replies);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().expect("no panic").clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Got> {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while self.got().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(waited.await.is_ok(), "{} of {count} requests have come", self.got().len());
        self.got()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let got = Got {
        id: header("webhook-id"),
        timestamp_s: header("webhook-timestamp").parse().expect("seconds"),
        signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
        content_type: header("content-type"),
        body: String::from_utf8(body.to_vec()).expect("text"),
    };
    shared.got.lock().expect("no panic").push(got);
    let reply = shared.replies.lock().expect("no panic").pop_front().unwrap_or_else(|| Reply::status(204));
    tokio::time::sleep(reply.delay).await;
    let mut response = StatusCode::from_u16(reply.status).expect("a status").into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}
