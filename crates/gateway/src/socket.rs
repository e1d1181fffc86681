//! `/ws`: carries bytes between a player's socket and their session in the zone.
//!
//! The gateway reads the hello (who, which protocol) and nothing after it. Frames are written by the zone's sending
//! threads straight to the socket ([`line`]), everything else by one task for each connection ([`pump`]). Every ending
//! that starts on our side says `Bye` with a reason before it closes; only a client that cannot be written to any more
//! is dropped without.

mod echo;
mod incoming;
mod line;
mod pump;
#[cfg(test)]
mod sends;
#[cfg(test)]
mod tests;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use api::{Caller, Problem, ProblemKind, TokenFault};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use cell::LatLng;
use hyper::upgrade::OnUpgrade;
use identity::SessionWatch;
use limits::Limit;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::{debug, warn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use wire::{Bye, ClientMessage, Hello, Kind, RESUME_TOKEN_BYTES};
use zone::{Fault, JoinError, JoinRequest, Session};

use crate::Edge;
use incoming::Incoming;
use line::Line;
use upgrade::Upgrade;

/// The longest message a client may send. The zone holds each kind against its own, smaller limit.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// How long a new socket may take to say hello.
pub(crate) const HELLO_TIME_MAX: Duration = Duration::from_secs(5);

/// Sockets that may be between their upgrade and the zone at once; more are answered with 503.
pub(crate) const HANDSHAKES_MAX: usize = 512;

/// How often a silent client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long a client may be silent: three questions without an answer.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long to wait for the client's own close, so that our last words are not lost with a reset.
pub(crate) const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

const TOO_MANY_HANDSHAKES: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "too_many_handshakes",
    "Too many are connecting at once",
);
const NO_ZONE: ProblemKind =
    ProblemKind::new(StatusCode::SERVICE_UNAVAILABLE, "no_zone", "This node does not run the world");

pub(crate) fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(upgrade))
}

/// Where suites of WebSocket find something to test.
pub(crate) fn echo_routes() -> Router {
    Router::new().route("/ws/echo", get(echo::echo))
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
async fn upgrade(State(edge): State<Arc<Edge>>, upgrade: Upgrade) -> Response {
    let Some(zone) = edge.zone.clone() else {
        return Problem::from(NO_ZONE).into_response();
    };
    let Ok(handshake) = Arc::clone(&edge.handshakes).try_acquire_owned() else {
        return Problem::from(TOO_MANY_HANDSHAKES).retry_after_s(1).into_response();
    };
    let (answer, connection) = upgrade.answer();
    tokio::spawn(carry(edge, zone, connection, handshake));
    answer
}

/// Why a connection ends.
pub(crate) enum End {
    /// We say so, with this reason.
    Bye(Bye),
    /// The zone has said so already.
    Said,
    /// The client went, or cannot be reached.
    Gone(&'static str),
}

/// Somebody who has joined, whatever carries their messages.
pub(crate) struct Player {
    pub(crate) session: Session,
    pub(crate) sign_in: SessionWatch,
    account_id: Uuid,
}

impl Player {
    /// Takes one message, any after the hello. What is said aloud is held to the limit of the account, so that two
    /// connections may not say more than one.
    pub(crate) async fn receive(&mut self, edge: &Edge, bytes: &[u8]) -> Result<(), Fault> {
        let is_talk = bytes.first() == Some(&(Kind::Say as u8));
        if is_talk && edge.limiter.take(Limit::Chat, &self.account_id.to_string()).await.is_err() {
            let policy = edge.limiter.policies().of(Limit::Chat).map(|policy| policy.to_string());
            let detail = format!("more was said than {} allows", policy.unwrap_or_default());
            return Err(self.session.refuse("too_fast", detail));
        }
        self.session.receive(bytes)
    }
}

async fn carry(edge: Arc<Edge>, zone: zone::Handle, connection: OnUpgrade, handshake: OwnedSemaphorePermit) {
    let taken = timeout(HELLO_TIME_MAX, upgrade::take(connection, MESSAGE_BYTES_MAX)).await;
    let Ok(Some((line, mut incoming))) = taken else { return };
    let line = Arc::new(line);
    // Held to the end: shutting down waits until all of these are back.
    let place = Arc::clone(&edge.sockets).try_acquire_owned();
    let end = match place {
        Err(_) => End::Bye(full()),
        // What joining needs is much more than what a connection needs afterwards, so it is not kept with it.
        Ok(_) => match Box::pin(join_by_socket(&edge, &zone, &line, &mut incoming)).await {
            Err(end) => end,
            Ok(mut player) => {
                drop(handshake);
                metrics::gauge!("terrane_sockets").increment(1);
                let end = pump::pump(&mut player, &edge, &line, &mut incoming).await;
                metrics::gauge!("terrane_sockets").decrement(1);
                end
            }
        },
    };
    note_end(&end);
    match end {
        End::Bye(bye) => pump::close(Some(bye), &line, &mut incoming).await,
        End::Said => pump::close(None, &line, &mut incoming).await,
        End::Gone(_) => {}
    }
    drop(place);
}

async fn join_by_socket(
    edge: &Edge,
    zone: &zone::Handle,
    line: &Line,
    incoming: &mut Incoming,
) -> Result<Player, End> {
    let first = timeout(HELLO_TIME_MAX, pump::first_message(line, incoming)).await;
    let first = first.map_err(|_| hello_timeout())??;
    join(edge, zone, &first).await
}

/// From the first message to a session in the zone.
pub(crate) async fn join(edge: &Edge, zone: &zone::Handle, first: &[u8]) -> Result<Player, End> {
    let (request, caller) = read_hello(edge, first).await?;
    let sign_in = edge.identity.watch(caller.session_id);
    let session = zone.connect(request).await.map_err(|error| {
        let may_reconnect = true;
        End::Bye(match &error {
            JoinError::Full => full(),
            JoinError::ShuttingDown => bye("shutting_down", "the server is shutting down", may_reconnect),
            JoinError::Store(cause) => {
                warn!(%cause, "a player could not join");
                bye("unavailable", "your place in the world cannot be read at the moment", may_reconnect)
            }
        })
    })?;
    Ok(Player { session, sign_in, account_id: caller.account_id })
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

/// Counts an end by its reason.
pub(crate) fn note_end(end: &End) {
    let reason = match end {
        // Codes of ours and of the zone are few and fixed: safe as a label.
        End::Bye(bye) => bye.code.clone(),
        End::Said => "said".to_owned(),
        End::Gone(reason) => (*reason).to_owned(),
    };
    debug!(reason, "socket ended");
    metrics::counter!("terrane_socket_ends_total", "reason" => reason).increment(1);
}

/// Whether a client that was silent for so long is gone.
fn silence_ends(silence: Duration) -> Option<End> {
    let is_idle = silence >= IDLE_TIME_MAX;
    is_idle.then(|| End::Bye(bye("idle", "nothing was heard for thirty seconds", true)))
}

pub(crate) fn hello_timeout() -> End {
    End::Bye(bye("hello_timeout", "the first message did not come in time", true))
}

pub(crate) fn full() -> Bye {
    bye("full", "as many players are here as this planet takes", true)
}

fn text_refused() -> Bye {
    bye("bad_message", "messages are binary, text is not understood", false)
}

pub(crate) fn bye(code: &str, detail: &str, may_reconnect: bool) -> Bye {
    Bye { code: code.to_owned(), detail: detail.to_owned(), may_reconnect }
}
