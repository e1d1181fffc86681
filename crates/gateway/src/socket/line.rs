//! The way out of one WebSocket connection.
//!
//! Most of what is sent is frames, and most of what a frame costs is the call of the system that takes it. So the
//! zone's sending threads write straight to the socket, one call for all that waits for a client. Whatever the system
//! does not take at once is kept here, and the connection's own task goes on with it when there is room again: a slow
//! client holds nobody up.
//!
//! Frames of WebSocket are so simple on the way out (nothing masked, nothing split) that only their head is made.

use std::io::{self, Read as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConnection;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use zone::{Carrier, Hands, Waiting};

/// Answers to pings that may wait for a client that reads nothing; further ones are left out.
const WAITING_REPLIES_BYTES_MAX: usize = 16 * 1024;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The system has all of it.
    All,
    /// It has taken a part, and since then nothing more.
    Blocked(Instant),
    /// The connection is lost.
    Lost,
}

/// The writing end of a connection.
pub(super) struct Line {
    socket: OwnedWriteHalf,
    state: Mutex<State>,
    sent_bytes: metrics::Counter,
    sent_messages: metrics::Counter,
}

struct State {
    /// What the system has not taken yet, as it goes over the wire; with TLS it waits in there.
    rest: Vec<u8>,
    tls: Option<Box<ServerConnection>>,
    blocked_since: Option<Instant>,
    is_lost: bool,
}

impl Line {
    /// With `tls` everything goes through it, which has been agreed on already.
    pub(super) fn new(socket: OwnedWriteHalf, tls: Option<Box<ServerConnection>>) -> Self {
        let mut tls = tls;
        if let Some(tls) = &mut tls {
            // What waits is bounded by who writes, and a limit here would take half a message.
            tls.set_buffer_limit(None);
        }
        Self {
            socket,
            state: Mutex::new(State { rest: Vec::new(), tls, blocked_since: None, is_lost: false }),
            sent_bytes: metrics::counter!("terrane_socket_sent_bytes_total"),
            sent_messages: metrics::counter!("terrane_socket_sent_messages_total"),
        }
    }

    /// Waits until the system may take more.
    pub(super) async fn writable(&self) {
        // An error shows when something is written.
        let _ = self.socket.writable().await;
    }

    /// Writes what is left and then all that waits.
    pub(super) fn go_on(&self, waiting: &Waiting) -> Written {
        let mut state = self.lock();
        let flushed = self.flush(&mut state);
        if flushed == Written::All {
            return self.carry_all(&mut state, waiting, &mut Hands::default());
        }
        flushed
    }

    /// Writes what is left.
    pub(super) fn go_on_with_rest(&self) -> Written {
        self.flush(&mut self.lock())
    }

    /// Writes one message, after whatever waits here.
    pub(super) fn send(&self, opcode: OpCode, payload: &[u8]) -> Written {
        let mut bytes = Vec::with_capacity(payload.len() + 10);
        begin_frame(opcode, payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        self.send_frames(&bytes)
    }

    /// Writes frames that are whole already.
    pub(super) fn send_frames(&self, bytes: &[u8]) -> Written {
        let mut state = self.lock();
        self.write(&mut state, bytes)
    }

    /// Writes frames that answer pings, unless too much waits.
    pub(super) fn reply(&self, bytes: &[u8]) -> Written {
        let mut state = self.lock();
        match state.blocked_since {
            Some(since) if state.rest.len() > WAITING_REPLIES_BYTES_MAX => Written::Blocked(since),
            _ => self.write(&mut state, bytes),
        }
    }

    /// Reads through TLS; `socket` gives what came. `WouldBlock` when it has nothing more.
    ///
    /// # Panics
    /// Without TLS.
    pub(super) fn read_tls(&self, socket: &mut dyn io::Read, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.lock();
        loop {
            let tls = state.tls.as_mut().expect("asked only where there is TLS");
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            let received = tls.read_tls(socket);
            // Also after an error: what came before it counts.
            let processed = tls.process_new_packets();
            if tls.wants_write() {
                // Keys that change, or an alert.
                self.flush(&mut state);
            }
            received?;
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    /// What the system has not taken yet.
    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> usize {
        self.lock().rest.len()
    }

    /// Panics in the middle of writing.
    #[cfg(test)]
    pub(super) fn poison(&self) {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _state = self.lock();
            panic!("planted");
        }));
        assert!(panicked.is_err());
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.lock().tls.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in the middle of a frame: no more may follow.
        self.state.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut state = poisoned.into_inner();
            state.is_lost = true;
            state
        })
    }

    fn carry_all(&self, state: &mut State, waiting: &Waiting, hands: &mut Hands) -> Written {
        waiting.take_all(&mut hands.messages);
        if hands.messages.is_empty() {
            return Written::All;
        }
        for message in &hands.messages {
            begin_frame(BINARY, message.byte_count(), &mut hands.bytes);
            message.slices().for_each(|slice| hands.bytes.extend_from_slice(slice));
        }
        self.sent_messages.increment(hands.messages.len() as u64);
        self.sent_bytes.increment(hands.bytes.len() as u64);
        self.write(state, &hands.bytes)
    }

    fn write(&self, state: &mut State, bytes: &[u8]) -> Written {
        if state.is_lost {
            return Written::Lost;
        }
        if let Some(tls) = &mut state.tls {
            tls.writer().write_all(bytes).expect("a buffer without limit takes everything");
            return self.flush(state);
        }
        let taken = if state.rest.is_empty() {
            match self.socket.try_write(bytes) {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(_) => return lost(state),
            }
        } else {
            0
        };
        state.rest.extend_from_slice(&bytes[taken..]);
        blocked_if(state, |state| !state.rest.is_empty())
    }

    fn flush(&self, state: &mut State) -> Written {
        if state.is_lost {
            return Written::Lost;
        }
        if let Some(tls) = &mut state.tls {
            let mut has_moved = false;
            while tls.wants_write() {
                match tls.write_tls(&mut TryWrite(&self.socket)) {
                    Ok(_) => has_moved = true,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => return lost(state),
                }
            }
            if has_moved {
                state.blocked_since = None;
            }
            return blocked_if(state, |state| state.tls.as_ref().is_some_and(|tls| tls.wants_write()));
        }
        while !state.rest.is_empty() {
            match self.socket.try_write(&state.rest) {
                Ok(taken) => {
                    drop(state.rest.drain(..taken));
                    // It goes on, if slowly.
                    state.blocked_since = None;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return lost(state),
            }
        }
        if state.rest.is_empty() {
            // A client is slow seldom: the room is for others.
            state.rest = Vec::new();
        }
        blocked_if(state, |state| !state.rest.is_empty())
    }
}

impl Carrier for Line {
    fn carry(&self, waiting: &Waiting, hands: &mut Hands) {
        let mut state = self.lock();
        if state.blocked_since.is_some() && !state.is_lost {
            // The task of the connection goes on as soon as there is room.
            return;
        }
        if self.carry_all(&mut state, waiting, hands) != Written::All {
            waiting.wake();
        }
    }
}

const BINARY: OpCode = OpCode::Data(Data::Binary);

fn begin_frame(opcode: OpCode, payload_bytes: usize, bytes: &mut Vec<u8>) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(payload_bytes as u64, bytes).expect("a Vec takes everything");
}

fn lost(state: &mut State) -> Written {
    state.is_lost = true;
    state.rest = Vec::new();
    Written::Lost
}

fn blocked_if(state: &mut State, is_blocked: impl Fn(&State) -> bool) -> Written {
    if !is_blocked(state) {
        state.blocked_since = None;
        return Written::All;
    }
    Written::Blocked(*state.blocked_since.get_or_insert_with(Instant::now))
}

/// For who wants to write to it: what does not go without waiting is an error.
struct TryWrite<'a>(&'a OwnedWriteHalf);

impl io::Write for TryWrite<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
