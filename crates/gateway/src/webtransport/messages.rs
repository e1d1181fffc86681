//! Messages out of a stream of bytes: each after its length, four bytes, little-endian.

use bytes::{Buf as _, Bytes, BytesMut};
use wtransport::RecvStream;

use crate::socket::{End, MESSAGE_BYTES_MAX, bye};

/// What is read at once.
const READ_BYTES: usize = 4 * 1024;

/// The receiving end of a session's stream.
pub(super) struct Messages {
    stream: RecvStream,
    received: BytesMut,
}

impl Messages {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream, received: BytesMut::new() }
    }

    /// Waits for the next message. May be dropped while it waits; nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Bytes, End> {
        loop {
            if let Some(message) = take_message(&mut self.received)? {
                return Ok(message);
            }
            match self.stream.quic_stream_mut().read_chunk(READ_BYTES, true).await {
                Ok(Some(chunk)) => self.received.extend_from_slice(&chunk.bytes),
                Ok(None) => return Err(End::Gone("closed")),
                Err(_) => return Err(End::Gone("lost")),
            }
        }
    }
}

fn take_message(received: &mut BytesMut) -> Result<Option<Bytes>, End> {
    let Some(length) = received.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MESSAGE_BYTES_MAX {
        let detail = format!("a message may have {MESSAGE_BYTES_MAX} bytes");
        return Err(End::Bye(bye("message_too_large", &detail, false)));
    }
    if received.len() < 4 + length {
        return Ok(None);
    }
    received.advance(4);
    Ok(Some(received.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_however_they_came_in() {
        let mut sent = Vec::new();
        for message in [&b"one"[..], b"", b"three"] {
            sent.extend_from_slice(&u32::try_from(message.len()).unwrap().to_le_bytes());
            sent.extend_from_slice(message);
        }
        for at_once in 1..=sent.len() {
            let mut received = BytesMut::new();
            let mut messages = vec![];
            for some in sent.chunks(at_once) {
                received.extend_from_slice(some);
                while let Ok(Some(message)) = take_message(&mut received) {
                    messages.push(message);
                }
            }
            assert_eq!(messages, [&b"one"[..], b"", b"three"], "{at_once}");
            assert!(received.is_empty());
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_the_message_comes() {
        let mut received = BytesMut::from(&u32::MAX.to_le_bytes()[..]);
        let Err(End::Bye(bye)) = take_message(&mut received) else { panic!("it is too long") };
        assert_eq!(bye.code, "message_too_large");
    }
}
