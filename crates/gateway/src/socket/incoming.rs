//! The way in of one WebSocket connection.
//!
//! tungstenite reads frames, joins what was split, and answers pings and closes; its answers go out through the
//! [`Line`], so that they never stand in the middle of another message. Who sends faster than anybody plays is not
//! read faster than that: the rest waits in the network.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::line::Line;

/// Each socket's buffer for reading; more than a few inputs at a time do not come.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// What is read of one client in a second, over some time; inputs and all that goes with them are a tenth of it.
const READ_BYTES_PER_S: f64 = 64.0 * 1024.0;

/// What is read at once after a pause.
const READ_BURST_BYTES: f64 = 256.0 * 1024.0;

/// The reading end of a connection.
pub(super) struct Incoming {
    socket: OwnedReadHalf,
    is_encrypted: bool,
    context: WebSocketContext,
    credit: Option<Credit>,
    replies: Vec<u8>,
    /// tungstenite has refused something, and must not be asked again.
    has_failed: bool,
}

/// Bytes that may still be read.
struct Credit {
    bytes: f64,
    counted_at: Instant,
    read_bytes: usize,
}

impl Credit {
    fn full() -> Self {
        Self { bytes: READ_BURST_BYTES, counted_at: Instant::now(), read_bytes: 0 }
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let passed_s = now.duration_since(self.counted_at).as_secs_f64();
        self.bytes = (self.bytes + passed_s * READ_BYTES_PER_S).min(READ_BURST_BYTES);
        self.counted_at = now;
    }
}

impl Incoming {
    /// `first` has come with the handshake already.
    pub(super) fn new(socket: OwnedReadHalf, first: &[u8], message_bytes_max: usize, line: &Line) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        Self {
            socket,
            is_encrypted: line.is_encrypted(),
            context: WebSocketContext::from_partially_read(first.to_vec(), Role::Server, Some(config)),
            credit: Some(Credit::full()),
            replies: Vec::new(),
            has_failed: false,
        }
    }

    /// As fast as it comes.
    pub(super) fn unlimited(self) -> Self {
        Self { credit: None, ..self }
    }

    /// Until when nothing is read, because too much has come.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let credit = self.credit.as_ref().filter(|credit| credit.bytes <= 0.0)?;
        let wait_s = (READ_BYTES_PER_S / 8.0 - credit.bytes) / READ_BYTES_PER_S;
        Some(credit.counted_at + std::time::Duration::from_secs_f64(wait_s))
    }

    /// Reading may go on: the time of [`Incoming::held_until`] has come.
    pub(super) fn let_go(&mut self) {
        if let Some(credit) = &mut self.credit {
            credit.refill();
        }
    }

    /// All that was read.
    #[cfg(test)]
    pub(super) fn read_bytes(&self) -> usize {
        self.credit.as_ref().map_or(0, |credit| credit.read_bytes)
    }

    /// Waits for the next message. May be dropped while it waits; nothing is lost.
    pub(super) async fn next(&mut self, line: &Line) -> Result<Message, Error> {
        poll_fn(|cx| self.poll_next(line, cx)).await
    }

    fn poll_next(&mut self, line: &Line, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let Self { socket, is_encrypted, context, credit, replies, has_failed } = self;
        if *has_failed {
            return Poll::Ready(Err(Error::AlreadyClosed));
        }
        let socket = Polled { socket, cx, credit };
        let mut stream = Stream { socket, tls: is_encrypted.then_some(line), replies };
        let message = context.read(&mut stream);
        if matches!(message, Ok(Message::Ping(_) | Message::Close(_))) {
            // The answer leaves now and not when the next message comes.
            let _ = context.flush(&mut stream);
        }
        if !replies.is_empty() {
            line.reply(replies);
            *replies = Vec::new();
        }
        match message {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            message => {
                *has_failed = message.is_err();
                Poll::Ready(message)
            }
        }
    }

    /// Whether something came that cannot be read on from.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Reads on without looking at anything, until the client closes.
    pub(super) async fn throw_away(&mut self) {
        let mut some = [0; 1_024];
        while let Ok(1..) = self.socket.read(&mut some).await {}
    }

    /// Puts a message into frames, as the state of the connection allows.
    pub(super) fn write(&mut self, message: Message) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.context.write(&mut Deaf(&mut bytes), message)?;
        self.context.flush(&mut Deaf(&mut bytes))?;
        Ok(bytes)
    }
}

/// The socket for somebody who does not wait.
struct Polled<'a, 'b> {
    socket: &'a mut OwnedReadHalf,
    cx: &'a mut Context<'b>,
    credit: &'a mut Option<Credit>,
}

impl Read for Polled<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(credit) = self.credit.as_mut().filter(|credit| credit.bytes <= 0.0) {
            credit.refill();
            if credit.bytes <= 0.0 {
                // Who looks for `held_until` comes again.
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.socket).poll_read(self.cx, &mut buffer) {
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len();
                if let Some(credit) = self.credit {
                    credit.bytes -= count as f64;
                    credit.read_bytes += count;
                }
                Ok(count)
            }
        }
    }
}

/// What tungstenite takes for the connection.
struct Stream<'a, 'b> {
    socket: Polled<'a, 'b>,
    tls: Option<&'a Line>,
    replies: &'a mut Vec<u8>,
}

impl Read for Stream<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.tls {
            Some(line) => line.read_tls(&mut self.socket, buffer),
            None => self.socket.read(buffer),
        }
    }
}

impl Write for Stream<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.replies.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that only takes.
struct Deaf<'a>(&'a mut Vec<u8>);

impl Read for Deaf<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Deaf<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
