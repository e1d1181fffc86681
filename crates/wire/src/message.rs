//! Whole messages: one kind byte, then a Protocol Buffers message or a payload of our own.

use crate::frame::Frame;
use crate::input_batch::InputBatch;
use crate::proto;
use crate::{CLOSED_CELLS_MAX, Kind, MISSED_MAX, WHO_IS_MAX};

pub use crate::proto::{
    BodyState, Bye, ClosedParcel, Event, Fences, Hello, Leave, LotChanged, Missed, Pace, People, Person,
    Ping, Place, PlanetSpec, Pong, Refused, Said, Say, Welcome, WhoIs,
};

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No byte at all.
    #[error("the message is empty")]
    Empty,
    /// The first byte is no kind of this direction.
    #[error("{0} is not a kind of message that comes this way")]
    UnknownKind(u8),
    /// Longer than its kind may be.
    #[error("a message of kind {kind:?} has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// The kind it says it is.
        kind: Kind,
        /// Its length.
        bytes: usize,
        /// [`Kind::max_bytes`].
        max: usize,
    },
    /// The payload cannot be read.
    #[error("a message of kind {kind:?} is malformed: {reason}")]
    Malformed {
        /// The kind it says it is.
        kind: Kind,
        /// What is wrong, for a log.
        reason: String,
    },
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage {
    /// First message of a connection.
    Hello(Hello),
    /// Inputs.
    Input(InputBatch),
    /// Something said aloud.
    Say(Say),
    /// Asks for names.
    WhoIs(WhoIs),
    /// Asks for an answer.
    Ping(Ping),
    /// Leaves for good.
    Leave,
    /// Asks for cells whose blocks were lost.
    Missed(Missed),
}

impl ClientMessage {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Input(_) => Kind::Input,
            Self::Say(_) => Kind::Say,
            Self::WhoIs(_) => Kind::WhoIs,
            Self::Ping(_) => Kind::Ping,
            Self::Leave => Kind::Leave,
            Self::Missed(_) => Kind::Missed,
        }
    }

    /// The bytes to send.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind() as u8];
        match self {
            Self::Hello(message) => append(message, &mut bytes),
            Self::Input(batch) => batch.append_to(&mut bytes),
            Self::Say(message) => append(message, &mut bytes),
            Self::WhoIs(message) => append(message, &mut bytes),
            Self::Ping(message) => append(message, &mut bytes),
            Self::Leave => {}
            Self::Missed(message) => append(message, &mut bytes),
        }
        bytes
    }

    /// Reads one message; never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (kind, payload) = open(bytes)?;
        Ok(match kind {
            Kind::Hello => Self::Hello(parse(kind, payload)?),
            Kind::Input => {
                Self::Input(InputBatch::parse(payload).map_err(|reason| malformed(kind, &reason))?)
            }
            Kind::Say => Self::Say(parse(kind, payload)?),
            Kind::WhoIs => {
                let message: WhoIs = parse(kind, payload)?;
                if message.entity_ids.len() > WHO_IS_MAX {
                    return Err(malformed(kind, &"too many ids"));
                }
                Self::WhoIs(message)
            }
            Kind::Ping => Self::Ping(parse(kind, payload)?),
            Kind::Leave => Self::Leave,
            Kind::Missed => {
                let message: Missed = parse(kind, payload)?;
                if message.cells.len() > MISSED_MAX {
                    return Err(malformed(kind, &"too many cells"));
                }
                Self::Missed(message)
            }
            _ => return Err(DecodeError::UnknownKind(kind as u8)),
        })
    }
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage<'a> {
    /// The answer to a hello.
    Welcome(Welcome),
    /// Own state and cell blocks.
    Frame(Frame<'a>),
    /// Something was said nearby.
    Said(Said),
    /// Names of bodies.
    People(People),
    /// Answer to a ping.
    Pong(Pong),
    /// A request was refused.
    Refused(Refused),
    /// A lot nearby has a new owner or name.
    LotChanged(LotChanged),
    /// Last message of a connection.
    Bye(Bye),
    /// Something happened that concerns the reader.
    Event(Event),
    /// Land nearby that is closed to the reader.
    Fences(Fences),
    /// How slowly time goes.
    Pace(Pace),
}

impl<'a> ServerMessage<'a> {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Welcome(_) => Kind::Welcome,
            Self::Frame(_) => Kind::Frame,
            Self::Said(_) => Kind::Said,
            Self::People(_) => Kind::People,
            Self::Pong(_) => Kind::Pong,
            Self::Refused(_) => Kind::Refused,
            Self::LotChanged(_) => Kind::LotChanged,
            Self::Bye(_) => Kind::Bye,
            Self::Event(_) => Kind::Event,
            Self::Fences(_) => Kind::Fences,
            Self::Pace(_) => Kind::Pace,
        }
    }

    /// The bytes to send.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind() as u8];
        match self {
            Self::Welcome(message) => append(message, &mut bytes),
            Self::Frame(frame) => frame.append_to(&mut bytes),
            Self::Said(message) => append(message, &mut bytes),
            Self::People(message) => append(message, &mut bytes),
            Self::Pong(message) => append(message, &mut bytes),
            Self::Refused(message) => append(message, &mut bytes),
            Self::LotChanged(message) => append(message, &mut bytes),
            Self::Bye(message) => append(message, &mut bytes),
            Self::Event(message) => append(message, &mut bytes),
            Self::Fences(message) => append(message, &mut bytes),
            Self::Pace(message) => append(message, &mut bytes),
        }
        bytes
    }

    /// Reads one message; never panics, whatever the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (kind, payload) = open(bytes)?;
        Ok(match kind {
            Kind::Welcome => Self::Welcome(parse(kind, payload)?),
            Kind::Frame => Self::Frame(Frame::parse(payload).map_err(|reason| malformed(kind, &reason))?),
            Kind::Said => Self::Said(parse(kind, payload)?),
            Kind::People => Self::People(parse(kind, payload)?),
            Kind::Pong => Self::Pong(parse(kind, payload)?),
            Kind::Refused => Self::Refused(parse(kind, payload)?),
            Kind::LotChanged => Self::LotChanged(parse(kind, payload)?),
            Kind::Bye => Self::Bye(parse(kind, payload)?),
            Kind::Event => Self::Event(parse(kind, payload)?),
            Kind::Fences => Self::Fences(parse_fences(kind, payload)?),
            Kind::Pace => Self::Pace(parse(kind, payload)?),
            _ => return Err(DecodeError::UnknownKind(kind as u8)),
        })
    }
}

impl<'a> Frame<'a> {
    /// Reads a message that must be a frame: for who never reads another, and needs no code for it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match open(bytes)? {
            (Kind::Frame, payload) => Self::parse(payload).map_err(|reason| malformed(Kind::Frame, &reason)),
            (kind, _) => Err(DecodeError::UnknownKind(kind as u8)),
        }
    }
}

impl proto::Fences {
    /// Reads a message that must be about fences, as [`Frame::decode`] does.
    pub fn decode_message(bytes: &[u8]) -> Result<Self, DecodeError> {
        match open(bytes)? {
            (Kind::Fences, payload) => parse_fences(Kind::Fences, payload),
            (kind, _) => Err(DecodeError::UnknownKind(kind as u8)),
        }
    }
}

/// Splits off the kind and holds the message against its kind's limit.
fn open(bytes: &[u8]) -> Result<(Kind, &[u8]), DecodeError> {
    let (&first, payload) = bytes.split_first().ok_or(DecodeError::Empty)?;
    let kind = Kind::try_from_u8(first).ok_or(DecodeError::UnknownKind(first))?;
    let max = kind.max_bytes();
    if bytes.len() > max {
        return Err(DecodeError::TooLong { kind, bytes: bytes.len(), max });
    }
    Ok((kind, payload))
}

fn append(message: &impl prost::Message, bytes: &mut Vec<u8>) {
    message.encode(bytes).expect("a Vec grows as needed");
}

fn parse<M: prost::Message + Default>(kind: Kind, payload: &[u8]) -> Result<M, DecodeError> {
    M::decode(payload).map_err(|error| malformed(kind, &error))
}

fn parse_fences(kind: Kind, payload: &[u8]) -> Result<Fences, DecodeError> {
    let message: Fences = parse(kind, payload)?;
    let closed: usize = message.closed.iter().map(|parcel| parcel.cells.len()).sum();
    if closed > CLOSED_CELLS_MAX || message.opened_cells.len() > CLOSED_CELLS_MAX {
        return Err(malformed(kind, &"too many cells"));
    }
    Ok(message)
}

fn malformed(kind: Kind, reason: &impl ToString) -> DecodeError {
    DecodeError::Malformed { kind, reason: reason.to_string() }
}

impl From<&motion::Body> for proto::BodyState {
    fn from(body: &motion::Body) -> Self {
        Self {
            px: body.position.x,
            py: body.position.y,
            pz: body.position.z,
            vx: body.velocity.x,
            vy: body.velocity.y,
            vz: body.velocity.z,
            fx: body.facing.x,
            fy: body.facing.y,
            fz: body.facing.z,
            mode: u32::from(body.mode as u8),
        }
    }
}

impl proto::BodyState {
    /// The body, unless its mode is unknown or a number is not finite.
    pub fn to_body(&self) -> Option<motion::Body> {
        let body = motion::Body {
            position: glam::DVec3::new(self.px, self.py, self.pz),
            velocity: glam::DVec3::new(self.vx, self.vy, self.vz),
            facing: glam::DVec3::new(self.fx, self.fy, self.fz),
            mode: motion::Mode::try_from_u8(u8::try_from(self.mode).ok()?)?,
        };
        let is_finite = body.position.is_finite() && body.velocity.is_finite() && body.facing.is_finite();
        is_finite.then_some(body)
    }
}
