//! When something last happened on a connection of HTTP/2.
//!
//! HTTP/1.1 has a time for each request head; with HTTP/2 a client could keep a connection for ever by answering pings,
//! sending headers byte by byte or taking no answer. So a connection where no request begins and no piece of an answer
//! is taken for a while is ended. A stream of events has a heartbeat and so lives on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// Shared by a connection and all its answers.
#[derive(Clone)]
pub(crate) struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Something happened.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until nothing has happened for so long.
    pub(crate) async fn ceased_for(&self, time: Duration) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= time {
                return;
            }
            tokio::time::sleep_until(last + time).await;
        }
    }
}

/// A body whose every piece is noted.
pub(crate) struct Noted {
    pub(crate) body: Body,
    pub(crate) activity: Activity,
}

impl http_body::Body for Noted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.activity.note();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
