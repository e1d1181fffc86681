//! Both directions of a player's session over WebTransport, until one ends.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;
use wire::{Kind, ServerMessage};
use wtransport::{Connection, SendStream};
use zone::{Fault, Frame, Outgoing, Session};

use super::CLOSED;
use super::messages::Messages;
use crate::Edge;
use crate::socket::{End, LINGER_TIME_MAX, Player, bye};

/// How long the client's system may take none of what waits. Longer than the zone waits for a slow reader, so that its
/// reason comes first.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);

/// What of ours may be lost, and what of theirs.
const FROM_DATAGRAMS: [Kind; 3] = [Kind::Input, Kind::Ping, Kind::Missed];

/// What goes out.
struct Out<'a> {
    connection: &'a Connection,
    stream: &'a mut SendStream,
    /// What the stream has not taken yet.
    rest: BytesMut,
    blocked_since: Option<Instant>,
    sent_bytes: metrics::Counter,
    sent_messages: metrics::Counter,
    sent_datagrams: metrics::Counter,
}

/// Everything between the welcome and the end.
pub(super) async fn pump(
    player: &mut Player,
    edge: &Edge,
    connection: &Connection,
    stream: &mut SendStream,
    messages: &mut Messages,
) -> End {
    let mut out = Out::new(connection, stream);
    let received_datagrams = metrics::counter!("terrane_webtransport_datagrams_total", "way" => "in");
    out.take_all(&player.session);
    loop {
        if out.rest.is_empty() && player.session.waiting().is_over() {
            return End::Said;
        }
        let deadline = out.blocked_since.map(|since| since + WRITE_TIME_MAX);
        let taken = tokio::select! {
            () = player.session.waiting().ready(), if out.rest.is_empty() => {
                out.take_all(&player.session);
                Ok(())
            }
            is_alive = out.write_some(), if !out.rest.is_empty() => {
                if !is_alive {
                    return End::Gone("lost");
                }
                if out.rest.is_empty() {
                    out.take_all(&player.session);
                }
                Ok(())
            }
            message = messages.next() => match message {
                Ok(message) => player.receive(edge, &message).await,
                Err(end) => return end,
            },
            datagram = connection.receive_datagram() => {
                let Ok(datagram) = datagram else { return End::Gone("lost") };
                received_datagrams.increment(1);
                take_datagram(&mut player.session, &datagram)
            }
            () = player.sign_in.ended() => {
                return End::Bye(bye("session_ended", "this session was ended, or the account suspended", false));
            }
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return End::Gone("unwritable");
            }
        };
        if let Err(fault) = taken {
            metrics::counter!("terrane_socket_faults_total", "code" => fault.code).increment(1);
            debug!(code = fault.code, detail = fault.detail, "a message was refused");
            if fault.is_fatal {
                return last_words(&mut player.session, &mut out).await;
            }
        }
    }
}

/// Others than those that may be lost are ignored, and count.
fn take_datagram(session: &mut Session, datagram: &[u8]) -> Result<(), Fault> {
    let is_expected =
        datagram.first().is_some_and(|first| FROM_DATAGRAMS.iter().any(|kind| *kind as u8 == *first));
    if is_expected { session.receive(datagram) } else { session.note_other() }
}

impl<'a> Out<'a> {
    fn new(connection: &'a Connection, stream: &'a mut SendStream) -> Self {
        Self {
            connection,
            stream,
            rest: BytesMut::new(),
            blocked_since: None,
            sent_bytes: metrics::counter!("terrane_socket_sent_bytes_total"),
            sent_messages: metrics::counter!("terrane_socket_sent_messages_total"),
            sent_datagrams: metrics::counter!("terrane_webtransport_datagrams_total", "way" => "out"),
        }
    }

    /// Sends all that waits: frames as datagrams where that may be, the rest to the stream.
    fn take_all(&mut self, session: &Session) {
        let mut waiting = Vec::new();
        session.waiting().take_all(&mut waiting);
        for message in waiting {
            self.sent_messages.increment(1);
            self.sent_bytes.increment(message.byte_count() as u64);
            match message {
                Outgoing::Control(bytes) => self.append(&bytes),
                Outgoing::Frame(frame) => self.send_frame(&frame),
            }
        }
        if !self.rest.is_empty() && self.blocked_since.is_none() {
            self.blocked_since = Some(Instant::now());
        }
    }

    fn send_frame(&mut self, frame: &Frame) {
        let Some(datagram_bytes_max) = self.connection.max_datagram_size() else {
            return self.append(&frame.to_bytes());
        };
        for piece in frame.pieces(datagram_bytes_max) {
            let bytes = piece.to_bytes();
            let may_be_lost = !piece.must_arrive() && bytes.len() <= datagram_bytes_max;
            if may_be_lost && self.connection.send_datagram(&bytes).is_ok() {
                self.sent_datagrams.increment(1);
            } else {
                self.append(&bytes);
            }
        }
    }

    fn append(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).expect("messages are short");
        self.rest.extend_from_slice(&length.to_le_bytes());
        self.rest.extend_from_slice(message);
    }

    /// Gives the stream some of what waits. False if it takes nothing any more. May be dropped while it waits.
    async fn write_some(&mut self) -> bool {
        let Ok(count) = self.stream.write(&self.rest).await else { return false };
        self.rest.advance(count);
        if self.rest.is_empty() {
            self.rest = BytesMut::new();
            self.blocked_since = None;
        }
        true
    }

    async fn write_all(&mut self) -> bool {
        while !self.rest.is_empty() {
            if !self.write_some().await {
                return false;
            }
        }
        true
    }
}

/// After a fatal fault: what the zone still has to say, its `Bye` last.
async fn last_words(session: &mut Session, out: &mut Out<'_>) -> End {
    let rest = async {
        loop {
            out.take_all(session);
            if !out.write_all().await {
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

/// Says why, and closes when the client has it.
pub(super) async fn close(end: End, connection: &Connection, mut stream: SendStream) {
    let last = match end {
        End::Bye(bye) => Some(Bytes::from(ServerMessage::Bye(bye).encode())),
        End::Said => None,
        End::Gone(_) => return connection.close(CLOSED, b""),
    };
    let saying = async {
        if let Some(last) = last {
            let mut out = Out::new(connection, &mut stream);
            out.append(&last);
            out.write_all().await;
        }
        // An error: it is gone already.
        let _ = stream.finish().await;
    };
    let _ = timeout(LINGER_TIME_MAX, saying).await;
    connection.close(CLOSED, b"");
}
