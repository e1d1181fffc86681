//! From an HTTP request to the connection below it.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::{ConnectionNotUpgradable, WebSocketUpgradeRejection};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::incoming::Incoming;
use super::line::Line;

/// A request that is a handshake of WebSocket, checked by axum.
pub(super) struct Upgrade {
    connection: OnUpgrade,
    accept: HeaderValue,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // Before axum takes it: what axum would give is several layers above the socket.
        let connection = parts.extensions.get::<OnUpgrade>().cloned();
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).cloned();
        let checked = <WebSocketUpgrade as FromRequestParts<S>>::from_request_parts(parts, state).await;
        drop(checked?);
        let (Some(connection), Some(key)) = (connection, key) else {
            return Err(WebSocketUpgradeRejection::ConnectionNotUpgradable(
                ConnectionNotUpgradable::default(),
            ));
        };
        let accept =
            HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is plain ASCII");
        Ok(Self { connection, accept })
    }
}

impl Upgrade {
    /// The answer, and the connection as it will be when the answer is sent.
    pub(super) fn answer(self) -> (Response, OnUpgrade) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        (response, self.connection)
    }
}

/// Both ends of the connection, once the answer is sent; `None` if it came to nothing.
pub(super) async fn take(connection: OnUpgrade, message_bytes_max: usize) -> Option<(Line, Incoming)> {
    let upgraded = connection.await.ok()?;
    let (stream, first, tls) = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => (parts.io.into_inner(), parts.read_buf, None),
        Err(upgraded) => {
            let parts = Upgraded::downcast::<TokioIo<TlsStream<TcpStream>>>(upgraded);
            let parts = parts.expect("the server speaks through TCP, with TLS or without");
            let (stream, tls) = parts.io.into_inner().into_inner();
            (stream, parts.read_buf, Some(Box::new(tls)))
        }
    };
    let (reading, writing) = stream.into_split();
    let line = Line::new(writing, tls);
    let incoming = Incoming::new(reading, &first, message_bytes_max, &line);
    Some((line, incoming))
}
