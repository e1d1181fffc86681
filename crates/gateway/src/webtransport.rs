//! The same protocol over WebTransport, for browsers that have it: what is lost in the network holds up nothing else.
//!
//! The client opens one stream in both directions. Messages go over it as over a WebSocket, each after its length (four
//! bytes, little-endian), the hello first. Frames go as datagrams where they fit in (in pieces that are frames
//! themselves), unless they must arrive; inputs come as datagrams. What a client loses it asks for again.
//!
//! Names, origins and limits are those of `/ws`. Off unless there is a socket for it: then clients stay with the
//! WebSocket.

mod certificates;
mod messages;
mod pump;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use limits::Limit;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;
use tracing::debug;
use wtransport::config::QuicTransportConfig;
use wtransport::endpoint::endpoint_side::Server;
use wtransport::endpoint::{IncomingSession, SessionRequest};
use wtransport::{Endpoint, ServerConfig, VarInt};

use crate::hosts::Hosts;
use crate::origin::Origins;
use crate::socket::{self, End, HELLO_TIME_MAX, Player, full};
use crate::{Edge, server};
pub(crate) use certificates::Certificates;
use messages::Messages;

/// Where sessions are asked for.
pub(crate) const PATH: &str = "/wt";

/// How long nothing may come from a client: its system answers for it twice in that time.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Streams that a client may have open: that of the session, that of the messages, and those of HTTP/3.
const STREAMS_MAX: u32 = 8;

/// Bytes of a client that may wait for us.
const RECEIVE_WINDOW_BYTES: u32 = 64 * 1024;

/// Datagrams that wait to be sent; older ones make room for newer ones.
const DATAGRAMS_WAITING_BYTES: usize = 64 * 1024;

/// Handshakes that go on before every further client must show that it is where it says it is.
const TRUSTED_HANDSHAKES_MAX: usize = 64;

/// Who may come in.
pub(crate) struct Doors {
    pub(crate) hosts: Hosts,
    pub(crate) origins: Origins,
    /// What may wait for one client that reads slowly.
    pub(crate) send_buffer_bytes: usize,
}

/// Answers on `socket` until `stop`, then waits until every session has ended.
pub(crate) fn start(
    socket: UdpSocket,
    certificates: &Arc<Certificates>,
    edge: Arc<Edge>,
    doors: Doors,
    stop: watch::Receiver<bool>,
) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let config = ServerConfig::builder()
        .with_bind_socket(socket)
        .with_custom_tls_and_transport(certificates.tls(), transport(doors.send_buffer_bytes))
        .build();
    let endpoint = Endpoint::server(config)?;
    Ok(tokio::spawn(serve(endpoint, edge, Arc::new(doors), stop)))
}

fn transport(send_buffer_bytes: usize) -> QuicTransportConfig {
    let mut transport = QuicTransportConfig::default();
    transport
        .max_concurrent_bidi_streams(STREAMS_MAX.into())
        .max_concurrent_uni_streams(STREAMS_MAX.into())
        .stream_receive_window(RECEIVE_WINDOW_BYTES.into())
        .receive_window((2 * RECEIVE_WINDOW_BYTES).into())
        .send_window(send_buffer_bytes as u64)
        .datagram_receive_buffer_size(Some(RECEIVE_WINDOW_BYTES as usize))
        .datagram_send_buffer_size(DATAGRAMS_WAITING_BYTES)
        .keep_alive_interval(Some(KEEP_ALIVE_INTERVAL))
        .max_idle_timeout(Some(IDLE_TIME_MAX.try_into().expect("half a minute is in range")));
    transport
}

async fn serve(
    endpoint: Endpoint<Server>,
    edge: Arc<Edge>,
    doors: Arc<Doors>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let incoming = tokio::select! {
            biased;
            () = server::stopped(&mut stop) => break,
            incoming = endpoint.accept() => incoming,
        };
        let busy = socket::HANDSHAKES_MAX - edge.handshakes.available_permits();
        if busy >= TRUSTED_HANDSHAKES_MAX && !incoming.remote_address_validated() {
            incoming.retry();
            continue;
        }
        let Ok(handshake) = Arc::clone(&edge.handshakes).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        tokio::spawn(carry(Arc::clone(&edge), Arc::clone(&doors), incoming, handshake));
    }
    // The zone says Bye to those who are here; whoever comes now is too late.
    loop {
        tokio::select! {
            () = endpoint.wait_idle() => break,
            incoming = endpoint.accept() => incoming.refuse(),
        }
    }
}

async fn carry(
    edge: Arc<Edge>,
    doors: Arc<Doors>,
    incoming: IncomingSession,
    handshake: OwnedSemaphorePermit,
) {
    let session = async {
        let request = incoming.await.ok()?;
        let connection = admit(&edge, &doors, request).await?.accept().await.ok()?;
        let stream = connection.accept_bi().await.ok()?;
        Some((connection, stream))
    };
    // The connection goes with this future when the time is up.
    let Ok(Some((connection, (mut sending, receiving)))) = timeout(HELLO_TIME_MAX, Box::pin(session)).await
    else {
        metrics::counter!("terrane_webtransport_refused_total").increment(1);
        return;
    };
    let mut messages = Messages::new(receiving);
    let place = Arc::clone(&edge.sockets).try_acquire_owned();
    let end = match (&place, &edge.zone) {
        (Err(_), _) => End::Bye(full()),
        (_, None) => End::Gone("no_zone"),
        (Ok(_), Some(zone)) => match Box::pin(join(&edge, zone, &mut messages)).await {
            Err(end) => end,
            Ok(mut player) => {
                drop(handshake);
                metrics::gauge!("terrane_sockets").increment(1);
                metrics::gauge!("terrane_webtransport_sessions").increment(1);
                let end = pump::pump(&mut player, &edge, &connection, &mut sending, &mut messages).await;
                metrics::gauge!("terrane_webtransport_sessions").decrement(1);
                metrics::gauge!("terrane_sockets").decrement(1);
                end
            }
        },
    };
    socket::note_end(&end);
    pump::close(end, &connection, sending).await;
    drop(place);
}

async fn join(edge: &Edge, zone: &zone::Handle, messages: &mut Messages) -> Result<Player, End> {
    let first = timeout(HELLO_TIME_MAX, messages.next()).await.map_err(|_| socket::hello_timeout())??;
    socket::join(edge, zone, &first).await
}

/// The same questions that a WebSocket is asked.
async fn admit(edge: &Edge, doors: &Doors, request: SessionRequest) -> Option<SessionRequest> {
    if request.path() != PATH {
        request.not_found().await;
        return None;
    }
    let mut headers = HeaderMap::new();
    let host = HeaderValue::from_str(request.authority());
    let origin = request.origin().map(HeaderValue::from_str).transpose();
    let (Ok(host), Ok(origin)) = (host, origin) else {
        request.forbidden().await;
        return None;
    };
    headers.insert(header::HOST, host);
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, origin);
    }
    if let Err(problem) =
        doors.hosts.check(&headers).and_then(|()| doors.origins.check_on_another_port(&headers))
    {
        debug!(code = problem.code(), "a session was refused");
        request.forbidden().await;
        return None;
    }
    let address = api::ClientAddress(request.remote_address().ip().to_canonical());
    let is_too_fast = edge.limiter.take(Limit::ApiAddress, &address.network().to_string()).await.is_err();
    if is_too_fast || edge.is_stopping() {
        request.too_many_requests().await;
        return None;
    }
    Some(request)
}

/// For reasons that WebTransport has no words for: what there is to say was said in a `Bye`.
const CLOSED: VarInt = VarInt::from_u32(0);
