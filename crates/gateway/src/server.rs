//! Accepts connections and ends them in good order.
//!
//! HTTP/1.1, and within TLS HTTP/2 for those who ask for it. Against clients that dawdle on purpose, a connection has a
//! bounded time for the handshake, for each request head and for taking what it asked for, and there is a bound on
//! connections.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::activity::{Activity, Noted};
use crate::hosts::settle_host;
use crate::peer::Peer;
use crate::request_body::ReadToEnd;
use crate::tls::{self, Tls};

/// How long a client may take to send a request head, and how long an idle connection is kept.
const HEAD_TIME_MAX: Duration = Duration::from_secs(20);

/// How long bytes of ours may wait for a client that takes none. Longer than the sockets' own patience, so that their
/// reasons come first.
const UNREAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of one request head; longer ones are answered with 431 by hyper.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header lines of one request; more are answered with 431 by hyper.
const HEAD_LINES_MAX: usize = 100;

/// Requests at once on one connection of HTTP/2. A browser opens a page with some dozens.
const STREAMS_MAX: u32 = 100;

/// Bytes of answers that one stream of HTTP/2 may have waiting for its client.
const STREAM_SEND_BYTES_MAX: usize = 128 * 1024;

/// How often a client that speaks HTTP/2 is asked whether it is there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long nothing may happen on a connection of HTTP/2. Longer than the heartbeat of a stream of events.
const IDLE_TIME_MAX: Duration = Duration::from_mins(2);

/// What a connection that is idle may still finish.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of one listener.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connections_max: usize,
    pub(crate) send_buffer_bytes: usize,
    pub(crate) unread_time_max: Duration,
    /// See [`IDLE_TIME_MAX`].
    pub(crate) idle_time_max: Duration,
    /// How long a client may take to send a request head, and how long an idle connection of HTTP/1.1 is kept.
    pub(crate) head_time_max: Duration,
}

impl Limits {
    pub(crate) fn new(connections_max: usize, send_buffer_bytes: usize) -> Self {
        Self {
            connections_max,
            send_buffer_bytes,
            unread_time_max: UNREAD_TIME_MAX,
            idle_time_max: IDLE_TIME_MAX,
            head_time_max: HEAD_TIME_MAX,
        }
    }
}

/// Who answers: the routes of the preparation, until the whole is there.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) until_then: Router,
    pub(crate) whole: Arc<OnceLock<Router>>,
}

impl App {
    fn now(&self) -> Router {
        self.whole.get().unwrap_or(&self.until_then).clone()
    }
}

impl From<Router> for App {
    fn from(router: Router) -> Self {
        Self { until_then: router, whole: Arc::default() }
    }
}

/// Serves `app` until `stop` turns true, then lets requests that have begun finish. Upgraded connections are not
/// waited for here: they belong to whoever upgraded them.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    app: App,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        // The permit first: with all of them taken, further clients wait in the system's queue.
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let (stream, address, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        prepare(&stream, limits);
        let connection = Connection { address: address.ip(), app: app.clone(), limits, stop: stop.clone() };
        tokio::spawn(connection.serve(stream, tls.clone(), permit));
    }
    drop(listener);
    // All permits are back when the last connection has ended.
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    let _ = connections.acquire_many(all).await;
}

/// Waits until `stop` turns true, or for ever gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The guard must not outlive this function: it would lock the channel across an await.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, permit))
}

/// Options without which a connection works too: a refusal by the system is no reason to turn a client away.
fn prepare(stream: &TcpStream, limits: Limits) {
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let _ = socket.set_send_buffer_size(limits.send_buffer_bytes);
    // Hyper waits for ever for a client that asks and does not read; enough of those and nobody else gets in.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(limits.unread_time_max));
}

/// One client.
struct Connection {
    address: IpAddr,
    app: App,
    limits: Limits,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, tls: Option<Arc<Tls>>, _permit: OwnedSemaphorePermit) {
        let Some(tls) = tls else { return self.serve_http1(stream, false).await };
        let handshake = tokio::select! {
            handshake = tls.accept(stream) => handshake,
            () = stopped(&mut self.stop) => None,
        };
        let Some(stream) = handshake else { return };
        if stream.get_ref().1.alpn_protocol() == Some(tls::H2) {
            self.serve_http2(stream).await;
        } else {
            self.serve_http1(stream, true).await;
        }
    }

    async fn serve_http1<S>(self, stream: S, is_encrypted: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { address, app, limits, mut stop } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let is_held_back = request.headers().contains_key(header::EXPECT);
            let request = request.map(|body| Body::new(ReadToEnd::new(body, is_held_back)));
            answer(app.now(), request, Peer { address, is_encrypted })
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time_max)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEAD_LINES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        report(ended);
    }

    async fn serve_http2<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { address, app, limits, mut stop } = self;
        let activity = Activity::new();
        let noted = activity.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            noted.note();
            let activity = noted.clone();
            let answered = answer(app.now(), request.map(Body::new), Peer { address, is_encrypted: true });
            async move { Ok::<_, Infallible>(answered.await?.map(|body| Body::new(Noted { body, activity }))) }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .max_concurrent_streams(STREAMS_MAX)
            .max_send_buf_size(STREAM_SEND_BYTES_MAX)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_INTERVAL)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = activity.ceased_for(limits.idle_time_max) => {
                connection.as_mut().graceful_shutdown();
                // Whoever was idle so long and does not end now either is cut off.
                let farewell = FAREWELL_TIME_MAX.min(limits.idle_time_max);
                tokio::time::timeout(farewell, connection).await.unwrap_or(Ok(()))
            }
        };
        report(ended);
    }
}

/// Hands a request in, with where it comes from.
async fn answer(app: Router, mut request: Request<Body>, peer: Peer) -> Result<Response<Body>, Infallible> {
    settle_host(&mut request);
    request.extensions_mut().insert(peer);
    app.oneshot(request).await
}

fn report(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        // Without the address: where people live is not for logs.
        debug!(%error, "connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn one_who_asks_and_does_not_read_makes_room_for_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let more_than_buffers_hold = "x".repeat(64 << 20);
        let app = Router::new().route("/", get(move || std::future::ready(more_than_buffers_hold.clone())));
        let limits = Limits { unread_time_max: Duration::from_millis(500), ..Limits::new(1, 65_536) };
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, None, app.into(), limits, stopping));
        let ask = async || {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            let mut first = [0; 12];
            client.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            client
        };
        let _deaf = ask().await;
        timeout(Duration::from_secs(15), ask()).await.expect("the place is free again");
    }
}
