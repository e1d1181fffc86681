//! What goes to a client, and who takes it there.

use bytes::Bytes;
use sim::Frame;

use crate::outbox::Waiting;

/// One message to a client.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// May be dropped, as long as all that follow are dropped too until one begins anew.
    Frame(Frame),
    /// Must arrive.
    Control(Bytes),
}

impl Outgoing {
    /// The message's bytes, one slice after the other; those of a frame are shared with other clients.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let (control, frame) = match self {
            Self::Control(bytes) => (Some(bytes), None),
            Self::Frame(frame) => (None, Some(frame)),
        };
        let of_frame = frame.into_iter().flat_map(Frame::slices);
        control.into_iter().map(|bytes| &bytes[..]).chain(of_frame)
    }

    /// How many bytes it has.
    pub fn byte_count(&self) -> usize {
        match self {
            Self::Control(bytes) => bytes.len(),
            Self::Frame(frame) => frame.byte_count(),
        }
    }

    /// All of it in one piece.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Frame(frame) => frame.to_bytes(),
            Self::Control(bytes) => bytes.clone(),
        }
    }
}

/// Writes what waits for a client to where the client reads it.
pub trait Carrier: Send + Sync {
    /// Takes what waits and writes it as far as that goes without waiting. Called by the sending threads, one at a
    /// time for one client, whenever a frame has come.
    fn carry(&self, waiting: &Waiting, hands: &mut Hands);
}

/// What a sending thread has at hand for each client in turn, so that nothing is allocated for a send. Empty between
/// two.
#[derive(Debug, Default)]
pub struct Hands {
    /// For the messages of one client.
    pub messages: Vec<Outgoing>,
    /// For their bytes.
    pub bytes: Vec<u8>,
}
