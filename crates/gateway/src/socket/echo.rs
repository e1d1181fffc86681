//! `/ws/echo`: says back what it is told, for conformance suites. The same reading and writing as `/ws`; off unless
//! configured, because it does work for strangers.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::incoming::Incoming;
use super::line::Line;
use super::pump::flushed;
use super::upgrade::{self, Upgrade};

/// As large as the suites send.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// How long a client may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client that was refused may take to read why. Suites want us to close the connection, and soon.
const FAREWELL_TIME_MAX: Duration = Duration::from_millis(200);

/// Echo: a WebSocket that says back what it is told.
pub(super) async fn echo(upgrade: Upgrade) -> Response {
    let (answer, connection) = upgrade.answer();
    tokio::spawn(talk(connection));
    answer
}

async fn talk(connection: OnUpgrade) {
    let Some((line, incoming)) = upgrade::take(connection, MESSAGE_BYTES_MAX).await else { return };
    let (line, mut incoming) = (Arc::new(line), incoming.unlimited());
    let error = match say_back(&line, &mut incoming).await {
        Ok(()) => return,
        Err(error) => error,
    };
    let code = match error {
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Protocol(_) => CloseCode::Protocol,
        // Closed in good order, or lost.
        _ => return,
    };
    let farewell = Message::Close(Some(CloseFrame { code, reason: "".into() }));
    let Ok(farewell) = incoming.write(farewell) else { return };
    line.send_frames(&farewell);
    if flushed(&line, PATIENCE).await {
        let _ = tokio::time::timeout(FAREWELL_TIME_MAX, incoming.throw_away()).await;
    }
}

/// Until the client closes, which is `Ok` as an error of tungstenite, or lets its time pass.
async fn say_back(line: &Line, incoming: &mut Incoming) -> Result<(), Error> {
    loop {
        let Ok(message) = tokio::time::timeout(PATIENCE, incoming.next(line)).await else { return Ok(()) };
        let message = message?;
        if message.is_text() || message.is_binary() {
            line.send_frames(&incoming.write(message)?);
        }
        if !flushed(line, PATIENCE).await {
            return Ok(());
        }
    }
}
