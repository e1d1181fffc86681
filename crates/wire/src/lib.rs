//! The client protocol: messages, stream codec, versions and limits.
//!
//! A WebSocket binary message is one [`Kind`] byte and a payload: Protocol Buffers for control messages, a
//! layout of our own for inputs ([`InputBatch`]) and frames ([`Frame`], whose blocks are read by [`stream`]).
//! `docs/protocol.md` describes all of it for writers of other clients.
//!
//! The crate refuses to know sockets, players or rules. Decoders never panic: every kind has its own size
//! limit, and what cannot be read is an error value.
//!
//! Read first: [`ClientMessage`], [`ServerMessage`], [`stream`].

mod block;
mod fences;
mod frame;
mod input_batch;
mod kind;
mod message;
mod place;
mod proto;
mod range;
mod reader;
pub mod stream;
mod version;
mod view;

pub use block::{Block, BlockError, INTERVALS};
pub use fences::NoLot;
pub use frame::{FRAME_CELLS_MAX, Frame, FrameError, FrameHead};
pub use input_batch::{InputBatch, InputBatchError};
pub use kind::{
    CLIENT_MESSAGE_MAX_BYTES, CLOSED_CELLS_MAX, INPUT_BATCH_MAX, Kind, MISSED_MAX, RESUME_TOKEN_BYTES,
    SERVER_MESSAGE_MAX_BYTES, TEXT_MAX_CHARS, WHO_IS_MAX,
};
pub use message::*;
pub use place::{CELL_LEVEL_MAX, LATTICE_BITS, LATTICE_SIDE, LatticePlace, facing_from_u8, facing_to_u8};
pub use reader::TooShort;
pub use version::{PROTOCOL_HASH, PROTOCOL_VERSION, VersionMismatch, check_version};
pub use view::{Seen, View, WANDER_TICKS, rest_height_m};
