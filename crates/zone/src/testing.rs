//! Sending without a zone, for measurements and for tests of those who carry.

use std::sync::Arc;

use sim::Frame;

use crate::outbox::{Outbox, OutboxReader, Waiting, outbox};
use crate::outgoing::Carrier;
use crate::post::{Batch, Post};

/// The sending threads.
pub struct Mail(Post);

impl Mail {
    /// Starts so many threads.
    pub fn start(threads: usize) -> Self {
        Self(Post::start(threads))
    }

    /// Sends one frame to each of these, as the zone does after a tick. Gives to how many it was dropped because too
    /// many were waiting.
    pub fn send<'a>(&self, clients: impl IntoIterator<Item = (&'a Client, Frame)>) -> usize {
        let mut batch = Batch::default();
        let mut dropped = 0;
        for (client, frame) in clients {
            dropped += usize::from(client.outbox.push_frame(frame, &mut batch).is_err());
        }
        batch.post(&self.0);
        dropped
    }
}

/// One to whom frames are sent.
pub struct Client {
    outbox: Outbox,
    reader: OutboxReader,
}

impl Client {
    /// One who is brought them by `carrier`.
    pub fn carried_by(carrier: Arc<dyn Carrier>) -> Self {
        let (outbox, reader) = outbox();
        reader.carried_by(carrier);
        Self { outbox, reader }
    }

    /// What waits.
    pub fn waiting(&self) -> &Waiting {
        &self.reader
    }

    /// The end, after which nothing comes.
    pub fn close(&self) {
        self.outbox.close(None);
    }
}
