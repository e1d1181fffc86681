//! From a login to a socket that has its welcome, without a library's buffers around it.

use super::frames::{Opcode, Parsed, append, parse};
use crate::client::{ClientError, ConnectOptions};
use crate::site::Login;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use wire::{ClientMessage, Kind, ServerMessage, Welcome};

/// A longer answer to an upgrade is none.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// One that is in.
pub(crate) struct Entered {
    pub(crate) stream: std::net::TcpStream,
    /// What came after the welcome already.
    pub(crate) rest: Vec<u8>,
    pub(crate) welcome: Welcome,
    /// From opening the socket to the welcome.
    pub(crate) took: Duration,
}

/// Enters the world at `host:port`.
pub(crate) async fn enter(
    host: &str,
    login: &Login,
    options: ConnectOptions,
) -> Result<Entered, ClientError> {
    let began_at = Instant::now();
    let mut stream = TcpStream::connect(host).await.map_err(socket_error)?;
    stream.set_nodelay(true).map_err(socket_error)?;
    let key = generate_key();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(socket_error)?;
    let mut bytes = Vec::with_capacity(1024);
    let end = loop {
        more(&mut stream, &mut bytes).await?;
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(ClientError::Protocol("an answer to the upgrade that does not end"));
        }
    };
    check_upgrade(&bytes[..end], &derive_accept_key(key.as_bytes()))?;
    bytes.drain(..end);

    let mut hello = vec![];
    append(Opcode::Binary, &ClientMessage::Hello(options.hello(login)).encode(), &mut hello);
    stream.write_all(&hello).await.map_err(socket_error)?;
    loop {
        match parse(&bytes) {
            Parsed::More => more(&mut stream, &mut bytes).await?,
            Parsed::Broken(why) => return Err(ClientError::Protocol(why)),
            Parsed::Frame { opcode: Opcode::Binary, payload } => {
                let welcome = match ServerMessage::decode(&bytes[payload.clone()])? {
                    ServerMessage::Welcome(welcome) => welcome,
                    ServerMessage::Bye(bye) => return Err(ClientError::Bye(bye)),
                    _ => return Err(ClientError::Protocol("the first message was no welcome")),
                };
                bytes.drain(..payload.end);
                let stream = stream.into_std().map_err(socket_error)?;
                return Ok(Entered { stream, rest: bytes, welcome, took: began_at.elapsed() });
            }
            Parsed::Frame { payload, .. } => drop(bytes.drain(..payload.end)),
        }
    }
}

fn socket_error(error: std::io::Error) -> ClientError {
    ClientError::Socket(Box::new(error.into()))
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<(), ClientError> {
    match stream.read_buf(bytes).await.map_err(socket_error)? {
        0 => Err(ClientError::Closed),
        _ => Ok(()),
    }
}

/// Whether this is the right answer to the upgrade.
fn check_upgrade(answer: &[u8], accept: &str) -> Result<(), ClientError> {
    let answer = String::from_utf8_lossy(answer);
    let mut lines = answer.lines();
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(ClientError::Refused(status.to_owned()));
    }
    let is_accepted = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == accept);
    if is_accepted { Ok(()) } else { Err(ClientError::Protocol("an upgrade to something else")) }
}

/// What the first byte of a message says it is.
pub(super) fn kind_of(message: &[u8]) -> Option<Kind> {
    message.first().and_then(|number| Kind::try_from_u8(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_an_upgrade() {
        let accept = derive_accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        let answer =
            |status: &str, key: &str| format!("HTTP/1.1 {status}\r\nSec-Websocket-accept: {key}\r\n\r\n");
        assert!(check_upgrade(answer("101 Switching Protocols", &accept).as_bytes(), &accept).is_ok());
        assert!(check_upgrade(answer("101 Switching Protocols", "x").as_bytes(), &accept).is_err());
        let refused = check_upgrade(answer("503 Busy", &accept).as_bytes(), &accept);
        assert!(matches!(refused, Err(ClientError::Refused(status)) if status.contains("503")));
    }
}
