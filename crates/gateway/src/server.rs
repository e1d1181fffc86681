//! Accepts connections and ends them in good order.
//!
//! HTTP/1.1 without encryption: a proxy in front brings TLS and HTTP/2. Against clients that dawdle on purpose, a
//! connection has a bounded time for each request head and for taking what it asked for, and there is a bound on
//! connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;
use tracing::{debug, warn};

/// How long a client may take to send a request head, and how long an idle connection is kept.
const HEAD_TIME_MAX: Duration = Duration::from_secs(20);

/// How long bytes of ours may wait for a client that takes none. Longer than the sockets' own patience, so that their
/// reasons come first.
pub(crate) const UNREAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of one request head; longer ones are answered with 431 by hyper.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of one listener.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connections_max: usize,
    pub(crate) send_buffer_bytes: usize,
    pub(crate) unread_time_max: Duration,
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
pub(crate) async fn serve(listener: TcpListener, app: App, limits: Limits, mut stop: watch::Receiver<bool>) {
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
        tokio::spawn(serve_connection(stream, address, app.clone(), stop.clone(), permit));
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

async fn serve_connection(
    stream: TcpStream,
    address: SocketAddr,
    app: App,
    mut stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.now();
        async move {
            let response = app.oneshot(request.map(Body::new)).await;
            response.map_err(|never: Infallible| never)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
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
    if let Err(error) = ended {
        debug!(%address, %error, "connection ended early");
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
        let limits = Limits {
            connections_max: 1,
            send_buffer_bytes: 65_536,
            unread_time_max: Duration::from_millis(500),
        };
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, app.into(), limits, stopping));
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
