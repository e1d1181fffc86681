//! One connection of one player.

use crate::handle::{Command, SessionId, Shared};
use crate::limits::{MESSAGES_BURST, MESSAGES_PER_S, REFUSED_MESSAGES_MAX};
use crate::outbox::{OutboxReader, Waiting};
use crate::outgoing::Carrier;
use crate::text::check_text;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use wire::{ClientMessage, Say};

/// What was wrong with a message. The client has been told already: by a `Refused` in the outgoing messages, or
/// by a `Bye` if the fault is fatal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, for example `too_fast`; good for a metric's label.
    pub code: &'static str,
    /// A sentence for the log.
    pub detail: String,
    /// Whether the connection ends: send what [`Session::next`] still gives, then close.
    pub is_fatal: bool,
}

/// A connected player. Dropping it is a lost connection: the body waits [`crate::LINK_DEAD_S`] seconds.
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reader: OutboxReader,
    pub(crate) messages: TokenBucket,
    pub(crate) refused_messages: u32,
    pub(crate) has_left: bool,
}

impl Session {
    pub(crate) fn new(id: SessionId, shared: Arc<Shared>, reader: OutboxReader) -> Self {
        let now = shared.clock.elapsed();
        Self {
            id,
            shared,
            reader,
            messages: TokenBucket::full(MESSAGES_PER_S, MESSAGES_BURST, now),
            refused_messages: 0,
            has_left: false,
        }
    }

    /// Takes one message of the client, any after its hello.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.count_message()?;
        self.take(bytes).inspect_err(|fault| self.tell(fault))
    }

    /// Counts a message that is not let through, for a reason of who carries it, and tells the client why.
    pub fn refuse(&mut self, code: &'static str, detail: String) -> Fault {
        if let Err(fault) = self.count_message() {
            return fault;
        }
        let fault = refused(code, detail);
        self.tell(&fault);
        fault
    }

    /// Counts something of the client that is no message of the protocol, a ping of its socket for example, as one.
    pub fn note_other(&mut self) -> Result<(), Fault> {
        self.count_message()
    }

    /// Waits for the next message to the client, in one piece, the `Welcome` first and a `Bye` last; none after that.
    ///
    /// May be dropped while it waits, as in `select!`; nothing is lost.
    pub async fn next(&mut self) -> Option<Bytes> {
        Some(self.reader.next().await?.to_bytes())
    }

    /// The next message if one is waiting.
    pub fn try_next(&mut self) -> Option<Bytes> {
        Some(self.reader.try_next()?.to_bytes())
    }

    /// What waits for the client.
    pub fn waiting(&self) -> &Waiting {
        &self.reader
    }

    /// From now on the zone's sending threads bring frames, and what waits with them, to `carrier`. What is urgent,
    /// and the end, is still told by [`Waiting::ready`].
    pub fn carried_by(&self, carrier: Arc<dyn Carrier>) {
        self.reader.carried_by(carrier);
    }

    /// Holds one more message against the limit.
    fn count_message(&mut self) -> Result<(), Fault> {
        if self.messages.take(self.shared.clock.elapsed()) {
            if self.messages.is_mostly_full() {
                self.refused_messages = 0;
            }
            return Ok(());
        }
        self.refused_messages += 1;
        let fault = if self.refused_messages > REFUSED_MESSAGES_MAX {
            fatal("flooding", "far too many messages".into())
        } else {
            refused("too_fast", format!("more than {MESSAGES_PER_S} messages a second"))
        };
        // Said once: an answer to each of them would fill the client's queue, and it would go for reading too slowly.
        if fault.is_fatal || self.refused_messages == 1 {
            self.tell(&fault);
        }
        Err(fault)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let message =
            ClientMessage::decode(bytes).map_err(|error| fatal("bad_message", error.to_string()))?;
        let message = match message {
            ClientMessage::Hello(_) => return Err(fatal("bad_message", "a second hello".into())),
            ClientMessage::Say(say) => {
                let text = check_text(&say.text).map_err(|error| refused(error.code(), error.to_string()))?;
                ClientMessage::Say(Say { text: text.to_owned() })
            }
            other => other,
        };
        let is_leave = message == ClientMessage::Leave;
        let command = Command::Message { session: self.id, message };
        if is_leave && !self.has_left {
            // Once in a session, and our end says no more that the connection is lost: a full inbox must not eat it.
            self.has_left = true;
            self.shared.send_always(command);
            return Ok(());
        }
        self.shared
            .send(command)
            .map_err(|_| refused("overloaded", "the zone is busy, this message was dropped".into()))
    }

    fn tell(&self, fault: &Fault) {
        let command = Command::Fault { session: self.id, fault: fault.clone() };
        // A full inbox loses the explanation, never the decision: the caller has the fault too.
        let _ = self.shared.send(command);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.has_left {
            self.shared.send_always(Command::Lost { session: self.id });
        }
    }
}

fn refused(code: &'static str, detail: String) -> Fault {
    Fault { code, detail, is_fatal: false }
}

fn fatal(code: &'static str, detail: String) -> Fault {
    Fault { code, detail, is_fatal: true }
}

/// Allows a rate, and after a pause a burst.
pub(crate) struct TokenBucket {
    per_s: f64,
    burst: f64,
    tokens: f64,
    filled_at: Duration,
}

impl TokenBucket {
    fn full(per_s: f64, burst: f64, now: Duration) -> Self {
        Self { per_s, burst, tokens: burst, filled_at: now }
    }

    fn take(&mut self, now: Duration) -> bool {
        let passed_s = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed_s * self.per_s).min(self.burst);
        self.filled_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    fn is_mostly_full(&self) -> bool {
        self.tokens >= self.burst / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let mut bucket = TokenBucket::full(10.0, 10.0, Duration::ZERO);
        let taken = |bucket: &mut TokenBucket, ms| {
            (0..100).filter(|_| bucket.take(Duration::from_millis(ms))).count()
        };
        assert_eq!(taken(&mut bucket, 0), 10);
        assert_eq!(taken(&mut bucket, 50), 0);
        assert_eq!(taken(&mut bucket, 250), 2);
        assert_eq!(taken(&mut bucket, 60_000), 10);
    }
}
