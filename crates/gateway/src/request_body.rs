//! The body of a request over HTTP/1.1, read to its end even if nobody wants it.
//!
//! A handler may answer before it has read everything: the body is too large, the token is missing. If the connection
//! were closed then, what the client is still sending would be answered with a reset, and that can destroy the answer
//! before the client has read it. So what is left is read and thrown away, up to a limit of bytes and time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};

/// So much is read for the sake of the answer. Who sends more than that may lose it.
const THROWN_AWAY_BYTES_MAX: usize = 8 << 20;

/// And for so long.
const THROWN_AWAY_TIME_MAX: Duration = Duration::from_secs(5);

/// Reads the rest of its body when it is dropped.
pub(crate) struct ReadToEnd<B: Body<Data = Bytes> + Send + Unpin + 'static> {
    /// `None` from its end or first error.
    body: Option<B>,
    /// Whether the client waits for a word before it sends anything.
    is_held_back: bool,
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> ReadToEnd<B> {
    /// `is_held_back` if the client has said `Expect: 100-continue`: asking for the body would make it send.
    pub(crate) fn new(body: B, is_held_back: bool) -> Self {
        Self { body: Some(body), is_held_back }
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Body for ReadToEnd<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.is_held_back = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Drop for ReadToEnd<B> {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream() && !self.is_held_back) else {
            return;
        };
        // Without a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(THROWN_AWAY_TIME_MAX, throw_away(body)));
        }
    }
}

async fn throw_away<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut bytes_left = THROWN_AWAY_BYTES_MAX;
    while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = bytes_left.checked_sub(bytes) else { return };
        bytes_left = rest;
    }
}
