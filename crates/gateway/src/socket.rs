//! `/ws`: carries bytes between a player's socket and their session in the zone.
//!
//! The gateway reads the hello (who, which protocol) and nothing after it. Whatever the zone says is fed to the
//! socket as long as something is ready and then flushed once, because the flush is what costs. Every ending that
//! starts on our side says `Bye` with a reason before it closes; only a client that cannot be written to any more is
//! dropped without.

use std::sync::Arc;
use std::time::Duration;

use api::{Caller, Problem, ProblemKind, TokenFault};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use cell::LatLng;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use identity::SessionWatch;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_tungstenite::tungstenite;
use tracing::{debug, warn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::{Bye, ClientMessage, Hello, RESUME_TOKEN_BYTES, ServerMessage};
use zone::{JoinError, JoinRequest, Session};

use crate::Edge;

/// The longest message a client may send. The zone holds each kind against its own, smaller limit.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Each socket's buffer for reading; the default of 128 KiB is for more than a few inputs at a time.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// How long a new socket may take to say hello.
const HELLO_TIME_MAX: Duration = Duration::from_secs(5);

/// Sockets that may be between their upgrade and the zone at once; more are answered with 503.
pub(crate) const HANDSHAKES_MAX: usize = 512;

/// How often a silent client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long a client may be silent: three questions without an answer.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long one flush may take. Longer than the zone waits for a slow reader, so that its reason comes first.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);

/// How long to wait for the client's own close, so that our last words are not lost with a reset.
const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

/// The same where nothing more can be read.
const LINGER_TIME_BLIND: Duration = Duration::from_millis(500);

const TOO_MANY_HANDSHAKES: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "too_many_handshakes",
    "Too many are connecting at once",
);
const NO_ZONE: ProblemKind =
    ProblemKind::new(StatusCode::SERVICE_UNAVAILABLE, "no_zone", "This node does not run the world");

type Sink = SplitSink<WebSocket, Message>;
type Stream = SplitStream<WebSocket>;

pub(crate) fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(upgrade))
}

/// Enter the world: a WebSocket.
///
/// Binary messages as `docs/protocol.md` describes them. The first one must be a hello with protocol version, protocol
/// hash and access token, within five seconds. Before the server closes it says why.
#[utoipa::path(get, path = "/ws", operation_id = "realtime", tag = "realtime", responses(
    (status = 101, description = "The connection is a WebSocket now"),
    (status = 400, description = "Not a WebSocket handshake (`bad_request`)", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The request comes from another site (`origin_refused`)", body = Problem, content_type = "application/problem+json"),
    (status = 426, description = "Not an upgrade (`upgrade_required`)", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "`too_many_handshakes`, `no_zone`", body = Problem, content_type = "application/problem+json"),
))]
async fn upgrade(State(edge): State<Arc<Edge>>, upgrade: WebSocketUpgrade) -> Response {
    let Some(zone) = edge.zone.clone() else {
        return Problem::from(NO_ZONE).into_response();
    };
    let Ok(handshake) = Arc::clone(&edge.handshakes).try_acquire_owned() else {
        return Problem::from(TOO_MANY_HANDSHAKES).retry_after_s(1).into_response();
    };
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(move |socket| carry(edge, zone, socket, handshake))
}

/// Why a connection ends.
enum End {
    /// We say so, with this reason.
    Bye(Bye),
    /// The zone has said so already.
    Said,
    /// The client went, or cannot be reached.
    Gone(&'static str),
}

async fn carry(edge: Arc<Edge>, zone: zone::Handle, socket: WebSocket, handshake: OwnedSemaphorePermit) {
    let (mut sink, mut stream) = socket.split();
    // Held to the end: shutting down waits until all of these are back.
    let place = Arc::clone(&edge.sockets).try_acquire_owned();
    let end = match place {
        Err(_) => End::Bye(bye("full", "as many players are connected as this planet takes", true)),
        Ok(_) => match join(&edge, &zone, &mut stream).await {
            Err(end) => end,
            Ok((mut session, mut sign_in)) => {
                drop(handshake);
                metrics::gauge!("terrane_sockets").increment(1);
                let end = pump(&mut session, &mut sign_in, &mut sink, &mut stream).await;
                metrics::gauge!("terrane_sockets").decrement(1);
                end
            }
        },
    };
    close(end, sink, stream).await;
    drop(place);
}

/// From the first message to a session in the zone.
async fn join(edge: &Edge, zone: &zone::Handle, stream: &mut Stream) -> Result<(Session, SessionWatch), End> {
    let first = timeout(HELLO_TIME_MAX, first_message(stream))
        .await
        .map_err(|_| End::Bye(bye("hello_timeout", "the first message did not come in time", true)))??;
    let (request, caller) = read_hello(edge, &first).await?;
    let sign_in = edge.identity.watch(caller.session_id);
    let session = zone.connect(request).await.map_err(|error| {
        let may_reconnect = true;
        End::Bye(match &error {
            JoinError::Full => bye("full", "as many players are here as this planet takes", may_reconnect),
            JoinError::ShuttingDown => bye("shutting_down", "the server is shutting down", may_reconnect),
            JoinError::Store(cause) => {
                warn!(%cause, "a player could not join");
                bye("unavailable", "your place in the world cannot be read at the moment", may_reconnect)
            }
        })
    })?;
    Ok((session, sign_in))
}

async fn first_message(stream: &mut Stream) -> Result<Bytes, End> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(End::Bye(text_refused())),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone("left_early")),
            Some(Err(error)) => return Err(read_failed(error)),
        }
    }
}

/// Who wants to join. The order of the checks is the order of the reasons given.
async fn read_hello(edge: &Edge, first: &[u8]) -> Result<(JoinRequest, Caller), End> {
    let hello = match ClientMessage::decode(first) {
        Ok(ClientMessage::Hello(hello)) => hello,
        Ok(_) => return Err(End::Bye(bye("hello_expected", "the first message must be a hello", false))),
        Err(error) => return Err(End::Bye(bye("bad_message", &error.to_string(), false))),
    };
    wire::check_version(&hello).map_err(|mismatch| End::Bye(mismatch.to_bye()))?;
    let Hello { access_token, resume_token, arrive_at, .. } = hello;
    let caller = edge.identity.verify_token(&access_token).await.map_err(|fault| {
        End::Bye(match fault {
            TokenFault::Expired => bye("token_expired", "refresh the access token and come again", true),
            TokenFault::Invalid => bye("token_invalid", "the access token is not valid", false),
            TokenFault::Suspended { .. } => bye("account_suspended", "this account is suspended", false),
            TokenFault::Unavailable(error) => {
                warn!(%error, "a session could not be read");
                bye("unavailable", "your account cannot be read at the moment", true)
            }
        })
    })?;
    if !caller.scopes.is_person() {
        return Err(End::Bye(bye("forbidden_for_keys", "machines do not walk: sign in", false)));
    }
    let resume_token = match <[u8; RESUME_TOKEN_BYTES]>::try_from(&resume_token[..]) {
        Ok(token) => Some(token),
        Err(_) if resume_token.is_empty() => None,
        Err(_) => return Err(End::Bye(bye("bad_message", "a resume token has 16 bytes or none", false))),
    };
    let arrive_at = match arrive_at {
        None => None,
        Some(place) => {
            Some(LatLng::from_degrees(place.latitude_deg, place.longitude_deg).map_err(|_| {
                End::Bye(bye("bad_message", "the place to arrive at is not on a planet", false))
            })?)
        }
    };
    let account = edge.identity.account(caller.account_id).await.map_err(|error| {
        warn!(%error, "an account could not be read");
        End::Bye(bye("unavailable", "your account cannot be read at the moment", true))
    })?;
    let account =
        account.ok_or_else(|| End::Bye(bye("token_invalid", "this account does not exist", false)))?;
    let request = JoinRequest {
        account_id: account.account_id,
        display_name: account.display_name,
        color: account.color.rgb(),
        resume_token,
        arrive_at,
    };
    Ok((request, caller))
}

/// Both directions, until one ends.
async fn pump(
    session: &mut Session,
    sign_in: &mut SessionWatch,
    sink: &mut Sink,
    stream: &mut Stream,
) -> End {
    let mut questions = tokio::time::interval(PING_INTERVAL);
    questions.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    let sent_bytes = metrics::counter!("terrane_socket_sent_bytes_total");
    let sent_messages = metrics::counter!("terrane_socket_sent_messages_total");
    loop {
        tokio::select! {
            message = session.next() => {
                let Some(message) = message else { return End::Said };
                let mut ready = vec![message];
                ready.extend(std::iter::from_fn(|| session.try_next()));
                sent_messages.increment(ready.len() as u64);
                sent_bytes.increment(ready.iter().map(|message| message.len() as u64).sum());
                if let Err(end) = send_all(sink, ready.into_iter().map(Message::Binary)).await {
                    return end;
                }
            }
            incoming = stream.next() => {
                heard_at = Instant::now();
                match incoming {
                    Some(Ok(Message::Binary(bytes))) => {
                        if let Err(fault) = session.receive(&bytes) {
                            metrics::counter!("terrane_socket_faults_total", "code" => fault.code).increment(1);
                            debug!(code = fault.code, detail = fault.detail, "a message was refused");
                            if fault.is_fatal {
                                return last_words(session, sink).await;
                            }
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_))) => return End::Bye(text_refused()),
                    Some(Ok(Message::Close(_))) | None => return End::Gone("closed"),
                    Some(Err(error)) => return read_failed(error),
                }
            }
            () = sign_in.ended() => {
                return End::Bye(bye("session_ended", "this session was ended, or the account suspended", false));
            }
            _ = questions.tick() => {
                let silence = heard_at.elapsed();
                if silence >= IDLE_TIME_MAX {
                    return End::Bye(bye("idle", "nothing was heard for thirty seconds", true));
                }
                if silence >= PING_INTERVAL
                    && let Err(end) = send_all(sink, [Message::Ping(Bytes::new())]).await
                {
                    return end;
                }
            }
        }
    }
}

/// After a fatal fault: what the zone still has to say, its `Bye` last.
async fn last_words(session: &mut Session, sink: &mut Sink) -> End {
    let rest = async {
        let mut rest = Vec::new();
        while let Some(message) = session.next().await {
            rest.push(Message::Binary(message));
        }
        rest
    };
    match timeout(LINGER_TIME_MAX, rest).await {
        Ok(rest) => send_all(sink, rest).await.err().unwrap_or(End::Said),
        Err(_) => End::Bye(bye("bad_message", "a message could not be read", false)),
    }
}

/// Feeds all of them, flushes once.
async fn send_all(sink: &mut Sink, messages: impl IntoIterator<Item = Message>) -> Result<(), End> {
    let sending = async {
        for message in messages {
            sink.feed(message).await?;
        }
        sink.flush().await
    };
    match timeout(WRITE_TIME_MAX, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone("lost")),
        Err(_) => Err(End::Gone("unwritable")),
    }
}

/// Says why, closes, and waits a moment for the client to have heard it.
async fn close(end: End, mut sink: Sink, mut stream: Stream) {
    let reason = match &end {
        // Codes of ours and of the zone are few and fixed: safe as a label.
        End::Bye(bye) => bye.code.clone(),
        End::Said => "said".to_owned(),
        End::Gone(reason) => (*reason).to_owned(),
    };
    debug!(reason, "socket ended");
    metrics::counter!("terrane_socket_ends_total", "reason" => reason).increment(1);
    let last = match end {
        End::Bye(bye) => Some(Message::Binary(ServerMessage::Bye(bye).encode().into())),
        End::Said => None,
        End::Gone(_) => return,
    };
    let farewell = Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() }));
    if send_all(&mut sink, last.into_iter().chain([farewell])).await.is_err() {
        return;
    }
    // Closing with unread bytes in the system's buffer would reset the connection and could destroy what the client
    // has not read yet. So read on until the client closes, which it does when it sees ours.
    let listening_since = Instant::now();
    let _ = timeout(LINGER_TIME_MAX, async {
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                // After a frame that was too long the reader has given up: all that is left is to wait a little.
                Some(Err(_)) => {
                    tokio::time::sleep(LINGER_TIME_BLIND.saturating_sub(listening_since.elapsed())).await;
                    break;
                }
                None => break,
            }
        }
    })
    .await;
}

fn read_failed(error: axum::Error) -> End {
    let cause = error.into_inner().downcast::<tungstenite::Error>();
    match cause.as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => End::Bye(bye(
            "message_too_large",
            &format!("a message may have {MESSAGE_BYTES_MAX} bytes"),
            false,
        )),
        Ok(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            End::Gone("lost")
        }
        Ok(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => {
            End::Bye(bye("bad_frame", "these bytes are not a WebSocket frame", false))
        }
        _ => End::Gone("lost"),
    }
}

fn text_refused() -> Bye {
    bye("bad_message", "messages are binary, text is not understood", false)
}

fn bye(code: &str, detail: &str, may_reconnect: bool) -> Bye {
    Bye { code: code.to_owned(), detail: detail.to_owned(), may_reconnect }
}
