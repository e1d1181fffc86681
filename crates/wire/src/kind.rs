//! The kind byte every message starts with, and how long a message of each kind may be.

/// What a message is: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Client: first message of a connection.
    Hello = 1,
    /// Client: inputs, bit-packed.
    Input = 2,
    /// Client: something said aloud.
    Say = 3,
    /// Client: asks for the names of bodies.
    WhoIs = 4,
    /// Client: asks for an answer.
    Ping = 5,
    /// Client: leaves for good.
    Leave = 6,
    /// Client: cells whose blocks were lost.
    Missed = 7,
    /// Server: the answer to a hello.
    Welcome = 65,
    /// Server: own state and cell blocks, bit-packed.
    Frame = 66,
    /// Server: something was said nearby.
    Said = 67,
    /// Server: names of bodies.
    People = 68,
    /// Server: answer to a ping.
    Pong = 69,
    /// Server: a request was refused.
    Refused = 70,
    /// Server: a lot nearby has a new owner or name.
    LotChanged = 71,
    /// Server: last message of a connection.
    Bye = 72,
    /// Server: something happened that concerns the reader.
    Event = 73,
    /// Server: land nearby that is closed to the reader.
    Fences = 74,
    /// Server: how slowly time goes.
    Pace = 75,
}

impl Kind {
    /// Every kind, clients' first.
    pub const ALL: [Self; 18] = [
        Self::Hello,
        Self::Input,
        Self::Say,
        Self::WhoIs,
        Self::Ping,
        Self::Leave,
        Self::Missed,
        Self::Welcome,
        Self::Frame,
        Self::Said,
        Self::People,
        Self::Pong,
        Self::Refused,
        Self::LotChanged,
        Self::Bye,
        Self::Event,
        Self::Fences,
        Self::Pace,
    ];

    /// The kind with this number.
    pub fn try_from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The most bytes a message of this kind may have, its kind byte included.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Hello => 4_096,
            // 1 kind + 4 sequence + 1 count + 16 × 7.
            Self::Input => 118,
            // A text has 240 characters of up to 4 bytes, and its field a head.
            Self::Say | Self::Refused | Self::Bye => 1_024,
            // 64 ids of up to 5 bytes, and the field's head.
            Self::WhoIs => 384,
            // 64 cells of 8 bytes, and the field's head.
            Self::Missed => 544,
            Self::Ping => 32,
            Self::Leave => 1,
            Self::Welcome => 512,
            Self::Frame => 512 * 1024,
            Self::Said | Self::LotChanged => 2_048,
            Self::People => 16 * 1024,
            Self::Pong | Self::Pace => 64,
            // Its data has 4 KiB.
            Self::Event => 8 * 1024,
            // So many closed cells and as many opened ones, if each is a parcel of its own.
            Self::Fences => 64 + CLOSED_CELLS_MAX * (25 + 8),
        }
    }
}

/// The most bytes a message from a client may have: the limit to set on the socket.
pub const CLIENT_MESSAGE_MAX_BYTES: usize = Kind::Hello.max_bytes();
/// The most bytes a message from the server may have.
pub const SERVER_MESSAGE_MAX_BYTES: usize = Kind::Frame.max_bytes();
/// The most characters of something said.
pub const TEXT_MAX_CHARS: usize = 240;
/// The most ids in one `WhoIs`, and people in one `People`.
pub const WHO_IS_MAX: usize = 64;
/// The most cells in one `Missed`.
pub const MISSED_MAX: usize = 64;
/// The most inputs in one `Input` message.
pub const INPUT_BATCH_MAX: usize = 16;
/// The most closed cells that one player is told of at a time.
pub const CLOSED_CELLS_MAX: usize = 512;
/// Bytes of a resume token.
pub const RESUME_TOKEN_BYTES: usize = 16;
