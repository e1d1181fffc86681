//! Both directions of a player's WebSocket, until one ends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::close_code;
use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message, error};
use tracing::debug;
use wire::{Bye, ServerMessage};
use zone::{Fault, Session};

use super::incoming::Incoming;
use super::line::{Line, Written};
use super::{
    End, LINGER_TIME_MAX, MESSAGE_BYTES_MAX, PING_INTERVAL, Player, bye, silence_ends, text_refused,
};
use crate::Edge;

/// How long the system may take none of what waits. Longer than the zone waits for a slow reader, so that its reason
/// comes first.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);

/// How long to wait for a client's close where nothing more can be understood.
const LINGER_TIME_BLIND: Duration = Duration::from_millis(500);

/// The first message.
pub(super) async fn first_message(line: &Line, incoming: &mut Incoming) -> Result<Bytes, End> {
    loop {
        match incoming.next(line).await {
            Ok(Message::Binary(bytes)) => return Ok(bytes),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Ok(Message::Text(_)) => return Err(End::Bye(text_refused())),
            Ok(Message::Close(_)) => return Err(End::Gone("left_early")),
            Err(error) => return Err(read_failed(&error)),
        }
    }
}

/// Everything between the welcome and the end.
pub(super) async fn pump(player: &mut Player, edge: &Edge, line: &Arc<Line>, incoming: &mut Incoming) -> End {
    player.session.carried_by(Arc::<Line>::clone(line));
    let mut heard_at = Instant::now();
    let mut asked_at = heard_at;
    // One timer for all that has a time.
    let timer = sleep_until(heard_at + PING_INTERVAL);
    tokio::pin!(timer);
    let mut written = line.go_on(player.session.waiting());
    let mut ended_at: Option<Instant> = None;
    loop {
        let mut alarm = asked_at + PING_INTERVAL;
        match written {
            Written::Lost => return End::Gone("lost"),
            Written::All if player.session.waiting().is_over() => return End::Said,
            Written::All => {}
            Written::Blocked(since) => {
                alarm = alarm.min(since + WRITE_TIME_MAX);
                if player.session.waiting().is_closed() {
                    // What is left to say is said in the same time, however little is taken at once.
                    let ended_at = *ended_at.get_or_insert_with(Instant::now);
                    alarm = alarm.min(ended_at + WRITE_TIME_MAX);
                }
            }
        }
        let held_until = incoming.held_until();
        alarm = held_until.map_or(alarm, |until| until.min(alarm));
        if timer.deadline() != alarm {
            timer.as_mut().reset(alarm);
        }
        tokio::select! {
            () = player.session.waiting().ready() => written = line.go_on(player.session.waiting()),
            () = line.writable(), if written != Written::All => written = line.go_on(player.session.waiting()),
            message = incoming.next(line), if held_until.is_none() => {
                heard_at = Instant::now();
                let taken = match message {
                    Ok(message) => take(player, edge, message).await,
                    Err(error) => return read_failed(&error),
                };
                if written == Written::All && line.go_on_with_rest() != Written::All {
                    // The answer to a ping did not go out whole.
                    written = line.go_on(player.session.waiting());
                }
                match taken {
                    Ok(()) => {}
                    Err(Refusal::End(end)) => return end,
                    Err(Refusal::Fault(fault)) => {
                        metrics::counter!("terrane_socket_faults_total", "code" => fault.code).increment(1);
                        debug!(code = fault.code, detail = fault.detail, "a message was refused");
                        if fault.is_fatal {
                            return last_words(&mut player.session, line).await;
                        }
                    }
                }
            }
            () = player.sign_in.ended() => {
                return End::Bye(bye("session_ended", "this session was ended, or the account suspended", false));
            }
            () = timer.as_mut() => {
                let now = Instant::now();
                let is_late = |since: Instant| now >= since + WRITE_TIME_MAX;
                if let Written::Blocked(since) = written && (is_late(since) || ended_at.is_some_and(is_late)) {
                    return End::Gone("unwritable");
                }
                if held_until.is_some() {
                    incoming.let_go();
                }
                if now >= asked_at + PING_INTERVAL {
                    asked_at = now;
                    let silence = now - heard_at;
                    // Who is behind has not been asked yet: that has a limit of its own.
                    if written == Written::All && let Some(end) = silence_ends(silence) {
                        return end;
                    }
                    if silence >= PING_INTERVAL {
                        written = line.send(OpCode::Control(Control::Ping), &[]);
                    }
                }
            }
        }
    }
}

enum Refusal {
    End(End),
    Fault(Fault),
}

async fn take(player: &mut Player, edge: &Edge, message: Message) -> Result<(), Refusal> {
    match message {
        Message::Binary(bytes) => player.receive(edge, &bytes).await.map_err(Refusal::Fault),
        // Answered already; whoever sends nothing else is held to the same limit.
        Message::Ping(_) | Message::Pong(_) => player.session.note_other().map_err(Refusal::Fault),
        Message::Text(_) => Err(Refusal::End(End::Bye(text_refused()))),
        Message::Close(_) => Err(Refusal::End(End::Gone("closed"))),
        Message::Frame(_) => unreachable!("tungstenite gives whole messages"),
    }
}

/// After a fatal fault: what the zone still has to say, its `Bye` last.
async fn last_words(session: &mut Session, line: &Line) -> End {
    let rest = async {
        loop {
            if line.go_on(session.waiting()) == Written::Lost {
                return End::Gone("lost");
            }
            if session.waiting().is_over() {
                return End::Said;
            }
            session.waiting().ready().await;
        }
    };
    match timeout(LINGER_TIME_MAX, rest).await {
        Ok(end) => end,
        Err(_) => End::Bye(bye("bad_message", "a message could not be read", false)),
    }
}

/// Says why, closes, and waits a moment for the client to have heard it.
pub(super) async fn close(last: Option<Bye>, line: &Line, incoming: &mut Incoming) {
    if let Some(bye) = last {
        line.send(OpCode::Data(Data::Binary), &ServerMessage::Bye(bye).encode());
    }
    let farewell = CloseFrame { code: close_code::NORMAL.into(), reason: "".into() };
    // Refused where the client has closed already.
    let Ok(farewell) = incoming.write(Message::Close(Some(farewell))) else { return };
    line.send_frames(&farewell);
    if !flushed(line, WRITE_TIME_MAX).await {
        return;
    }
    linger(line, incoming).await;
}

/// Waits until everything is written.
pub(super) async fn flushed(line: &Line, patience: Duration) -> bool {
    let writing = async {
        loop {
            match line.go_on_with_rest() {
                Written::All => return true,
                Written::Lost => return false,
                Written::Blocked(_) => line.writable().await,
            }
        }
    };
    timeout(patience, writing).await.unwrap_or(false)
}

/// Reads on until the client closes. Closing with unread bytes in the system's buffer would reset the connection and
/// could destroy what the client has not read yet.
pub(super) async fn linger(line: &Line, incoming: &mut Incoming) {
    if incoming.has_failed() {
        let _ = timeout(LINGER_TIME_BLIND, incoming.throw_away()).await;
        return;
    }
    let _ = timeout(LINGER_TIME_MAX, async { while incoming.next(line).await.is_ok() {} }).await;
}

fn read_failed(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Bye(bye(
            "message_too_large",
            &format!("a message may have {MESSAGE_BYTES_MAX} bytes"),
            false,
        )),
        Error::Protocol(error::ProtocolError::ResetWithoutClosingHandshake) => End::Gone("lost"),
        Error::Protocol(_) | Error::Utf8(_) => {
            End::Bye(bye("bad_frame", "these bytes are not a WebSocket frame", false))
        }
        _ => End::Gone("lost"),
    }
}
