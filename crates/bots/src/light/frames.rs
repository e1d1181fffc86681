//! The client's half of WebSocket framing, over bytes at hand.
//!
//! Only what our server sends: whole, unmasked messages. What is sent is masked with a key of zeros, which is a mask like
//! any other to the server and costs nothing.

use std::ops::Range;

/// What kind of message a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Not a whole frame yet.
    More,
    /// A frame: what it carries, where its payload is, and where the next one begins.
    Frame { opcode: Opcode, payload: Range<usize> },
    /// Something that our server never sends.
    Broken(&'static str),
}

/// Looks at the first frame of `bytes`; the next one begins where its payload ends.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let [head, second, ..] = *bytes else { return Parsed::More };
    let opcode = match head {
        0x82 => Opcode::Binary,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        _ => return Parsed::Broken("a frame that is no whole binary message"),
    };
    let (start, length) = match second {
        0..=125 => (2, usize::from(second)),
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (4, usize::from(u16::from_be_bytes([a, b]))),
            _ => return Parsed::More,
        },
        127 => match bytes.get(2..10).and_then(|it| it.first_chunk::<8>()) {
            Some(length) => match usize::try_from(u64::from_be_bytes(*length)) {
                Ok(length) if length <= wire::SERVER_MESSAGE_MAX_BYTES => (10, length),
                _ => return Parsed::Broken("a message longer than the protocol allows"),
            },
            None => return Parsed::More,
        },
        _ => return Parsed::Broken("a masked frame from a server"),
    };
    if bytes.len() < start + length {
        return Parsed::More;
    }
    Parsed::Frame { opcode, payload: start..start + length }
}

/// Appends one whole message.
pub(crate) fn append(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    const MASKED: u8 = 0x80;
    const TWO_BYTES_FOLLOW: u8 = 0x7e;
    const EIGHT_BYTES_FOLLOW: u8 = 0x7f;
    out.push(0x80 | opcode as u8);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..=125) => out.push(MASKED | length as u8),
        Ok(length) => {
            out.push(MASKED | TWO_BYTES_FOLLOW);
            out.extend(length.to_be_bytes());
        }
        Err(_) => {
            out.push(MASKED | EIGHT_BYTES_FOLLOW);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

    /// What a server of the usual library makes of some messages.
    fn as_sent(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut server = WebSocket::from_raw_socket(std::io::Cursor::new(vec![]), Role::Server, None);
        for message in messages {
            server.send(Message::Binary(message.clone().into())).unwrap();
        }
        server.into_inner().into_inner()
    }

    #[test]
    fn frames_of_every_length_are_read_however_they_are_cut() {
        let messages: Vec<_> = [0, 1, 125, 126, 65_535, 65_536, 200_000].map(|length| vec![7; length]).into();
        let bytes = as_sent(&messages);
        let mut at = 0;
        for message in &messages {
            let Parsed::Frame { opcode: Opcode::Binary, payload } = parse(&bytes[at..]) else {
                panic!("no frame of {} bytes", message.len());
            };
            assert_eq!(bytes[at..][payload.clone()], message[..]);
            let cuts = [0, 1, 3, payload.start - 1, payload.end - 1];
            for cut in cuts.into_iter().filter(|cut| *cut < payload.end) {
                assert_eq!(parse(&bytes[at..at + cut]), Parsed::More, "{} cut at {cut}", message.len());
            }
            at += payload.end;
        }
        assert_eq!(at, bytes.len());
    }

    #[test]
    fn what_is_sent_is_understood_by_the_usual_library() {
        let messages: Vec<_> = [0, 1, 125, 126, 65_535, 65_536].map(|length| vec![9; length]).into();
        let mut bytes = vec![];
        for message in &messages {
            append(Opcode::Binary, message, &mut bytes);
        }
        let mut server = WebSocket::from_raw_socket(std::io::Cursor::new(bytes), Role::Server, None);
        for message in messages {
            assert_eq!(server.read().unwrap(), Message::Binary(message.into()));
        }
    }

    #[test]
    fn what_a_server_never_sends_is_refused() {
        for bytes in
            [&[0x02, 0][..], &[0x81, 0], &[0x82, 0x80], &[0xc2, 0], &[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert!(matches!(parse(bytes), Parsed::Broken(_)), "{bytes:?}");
        }
    }
}
